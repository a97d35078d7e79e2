import type { Check } from '../../check.ts';
import type { ControlPlaneJudgement } from './index.ts';

const rewrite =
  'while the encryption key is rotated, `kbin pki rotate encryption-key` writes them again; else write every Secret again: `kubectl get secrets -A -o json | kubectl replace -f -`; keep the old key until none needs it';

/** The Secrets that are there, written when they were: those of before a change of the encryption stay as they were. */
export const storedSecrets: ControlPlaneJudgement = ({ stored, subject: { encryption } }) => {
  const id = 'secrets-stored';
  if (typeof stored === 'string') return [{ id, status: 'skip', message: stored }];
  if ('code' in stored) {
    return [{ id, status: 'skip', message: `etcd could not be asked for them: ${stored.message}` }];
  }
  const { encrypted, plain, more } = stored;
  const total = plain.length + [...encrypted.values()].reduce((sum, count) => sum + count, 0);
  const all = more ? `the first ${total}` : `all ${total}`;
  if (encryption === undefined) return [];
  const wanted = `k8s:enc:${encryption.provider}:v1:${encryption.key === undefined ? '' : `${encryption.key}:`}`;
  const others = [...encrypted].filter(([prefix]) => !prefix.startsWith(wanted));
  const findings: Check[] = [
    ...(plain.length === 0
      ? []
      : [
          {
            id,
            status: 'warn' as const,
            message: `${plain.length} of ${total} Secrets lie in etcd in plain text, from before the encryption: ${plain.slice(0, 3).join(', ')}${plain.length > 3 ? ', …' : ''}`,
            next: rewrite,
          },
        ]),
    ...others.map(([prefix, count]) => ({
      id,
      status: 'warn' as const,
      message: `${count} of ${total} Secrets are encrypted otherwise than cluster.yaml says now (${prefix})`,
      next: rewrite,
    })),
  ];
  if (findings.length > 0) return findings;
  return [{ id, status: 'pass', message: `${all} Secrets are encrypted in etcd` }];
};

import type { StoredForm } from '../../api-canary.ts';
import type { Check } from '../../check.ts';
import type { ControlPlaneEvidence } from '../../control-plane-evidence.ts';
import type { ControlPlaneJudgement } from './index.ts';

/** A Secret that was written through each apiserver lies in etcd as cluster.yaml says: encrypted, with the right key. */
export const encryptionAtRest: ControlPlaneJudgement = ({ canaries, subject }) => {
  const id = 'encryption-at-rest';
  if (typeof canaries === 'string') return [{ id, status: 'skip', message: canaries }];
  return canaries.canaries.flatMap(({ through, stored }): Check[] =>
    stored === undefined ? [] : [{ id, target: through, ...judged(stored, subject.encryption) }],
  );
};

function judged(
  stored: StoredForm,
  wanted: ControlPlaneEvidence['subject']['encryption'],
): Omit<Check, 'id' | 'target'> {
  switch (stored.kind) {
    case 'unknown':
      return { status: 'skip', message: `etcd could not be asked for the Secret: ${stored.failure.message}` };
    case 'absent':
      return {
        status: 'fail',
        message: 'the Secret written through it is not in the etcd of cluster.yaml',
        next: 'see its --etcd-servers and --etcd-prefix: it uses another etcd, or another place in it',
      };
    case 'plain':
      return wanted === undefined
        ? {
            status: 'pass',
            message: 'Secrets lie in etcd in plain text, as cluster.yaml says (`encryption` is off for them)',
          }
        : {
            status: 'fail',
            message:
              'a Secret written through it lies in etcd in plain text: whoever reads etcd or its snapshots reads Secrets',
            next: 'see its --encryption-provider-config; `kbin control-plane deploy` brings the right one, and then every Secret has to be written again',
          };
    case 'encrypted':
      return judgedPrefix(stored.prefix, wanted);
  }
}

function judgedPrefix(
  prefix: string,
  wanted: ControlPlaneEvidence['subject']['encryption'],
): Omit<Check, 'id' | 'target'> {
  const [, , provider = '', , key = ''] = prefix.split(':');
  const found = `${provider} with the key ${key}`;
  if (wanted === undefined) {
    return {
      status: 'warn',
      message: `a Secret written through it is encrypted in etcd (${found}), and cluster.yaml says that encryption is off for Secrets`,
      next: 'keep the key: without it the Secrets cannot be read any more; `kbin plan` shows what differs',
    };
  }
  const right = provider === wanted.provider && (wanted.key === undefined || key === wanted.key);
  if (right) return { status: 'pass', message: `Secrets are encrypted in etcd (${found})` };
  return {
    status: 'fail',
    message: `a Secret written through it is encrypted in etcd by ${found}; it should be ${wanted.provider}${wanted.key === undefined ? '' : ` with the key ${wanted.key}`}`,
    next: 'its encryption configuration is another than the store has: `kbin plan` shows what differs; keep every key that Secrets were written with',
  };
}

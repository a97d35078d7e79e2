import { type CertificateFinding, day } from './assess-findings.ts';
import type { ObservedEntry } from './observed-store.ts';
import type { ObservedRevocations } from './revocation.ts';
import type { Reason, StoreDiff } from './store-changes.ts';
import type { StoreFiles } from './store-files.ts';

/** Of a key, a list, or something that is not there. */
export type OtherFinding = CertificateFinding & { readonly name: string };

/** What has a finding of its own is not said twice. */
const saidElsewhere: ReadonlySet<string> = new Set([
  'expired',
  'ca-expired',
  'other-ca',
  'not-a-ca',
  'revoked',
  'key-mode',
  'crl-expires',
]);

/** What `kbin pki init` would do about it, or what keeps it from that. */
export function differences(
  name: string,
  entry: Pick<ObservedEntry, 'key' | 'leftBehind'> | undefined,
  { changes, problems }: StoreDiff,
): CertificateFinding[] {
  // That a key is kept elsewhere is no fault: checks are made in CI too.
  const elsewhere = entry?.key.state === 'absent' && entry.leftBehind;
  const stops = problems.filter(
    (problem) => problem.id === name && !saidElsewhere.has(problem.code) && problem.code !== 'ca-key-missing',
  );
  const reasons = changes.filter(({ id }) => id === name).flatMap((change) => change.reasons);
  return [
    ...openKey(entry),
    ...stops.map(
      ({ code, message, why, next }): CertificateFinding => ({
        code,
        severity: mayBeElsewhere.test(code) ? 'warn' : 'fail',
        message: `${message}: ${why}`,
        next,
      }),
    ),
    ...reasons
      .filter(({ code }) => !saidElsewhere.has(code) && !(elsewhere && code === 'key-missing'))
      .map(fromReason),
  ];
}

/** Every one, also of what is retired, or waits for its certificate. */
export function openKeyFiles(files: StoreFiles): { path: string; mode: number }[] {
  return files.list().flatMap((path) => {
    const reading = path.endsWith('.key') ? files.read(path) : undefined;
    return reading?.state === 'read' && (reading.mode & 0o077) !== 0 ? [{ path, mode: reading.mode }] : [];
  });
}

/** Said whatever else is wrong with it. */
function openKey(entry: Pick<ObservedEntry, 'key'> | undefined): CertificateFinding[] {
  const key = entry?.key;
  if (key?.state !== 'read' && key?.state !== 'encrypted') return [];
  if ((key.mode & 0o077) === 0) return [];
  return [keyOpen(key.mode)];
}

export function keyOpen(mode: number): CertificateFinding {
  const message = `its key is open to other users (mode ${mode.toString(8).padStart(4, '0')})`;
  const next = 'chmod 600, and think of who may have read it';
  return { code: 'key-open', severity: 'fail', message, next };
}

/** Nothing is wrong with a key that others keep, or that only opens for them. */
const mayBeElsewhere = /-closed$|^key-pair-lost$|^encryption-key-lost$/;

const harmless: ReadonlySet<string> = new Set(['key-digest', 'public-key', 'key-order', 'key-record']);

function fromReason({ code, message }: Reason): CertificateFinding {
  const plain = code === 'new' || code.startsWith('crl-');
  return {
    code: code === 'new' ? 'not-made' : plain ? code : 'not-as-planned',
    severity: harmless.has(code) ? 'warn' : 'fail',
    message: plain ? message : `not what cluster.yaml wants: ${message}`,
    next: '`kbin pki init` puts it right',
  };
}

/** etcd goes by a list however old it is; others (OpenSSL) let nobody in by one that has expired. */
export function listAge(authority: string, list: ObservedRevocations['list'], now: Date): OtherFinding[] {
  if (list.state !== 'read') return [];
  const { thisUpdate, nextUpdate } = list.info;
  if (nextUpdate === undefined) return [];
  const left = nextUpdate.getTime() - now.getTime();
  if (left >= (nextUpdate.getTime() - thisUpdate.getTime()) / 2) return [];
  const about = {
    name: `${authority}/crl`,
    next: '`kbin pki init` or `kbin pki crl` signs it anew, then deploy',
  };
  return left <= 0
    ? [{ ...about, code: 'crl-expired', severity: 'fail', message: `it expired on ${day(nextUpdate)}` }]
    : [
        {
          ...about,
          code: 'crl-expires',
          severity: 'warn',
          message: `more than half of its time is over: it expires on ${day(nextUpdate)}`,
        },
      ];
}

/** Of keys without a certificate, and of certificates that are not there. */
export function others(diff: StoreDiff, present: ReadonlySet<string>): OtherFinding[] {
  const names = [...diff.changes, ...diff.problems].map(({ id }) => id);
  const without = new Set(names.filter((name) => !present.has(name)));
  return [...without].flatMap((name) =>
    differences(name, undefined, diff).map((finding) => ({ name, ...finding })),
  );
}

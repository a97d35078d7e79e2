import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { assess, type CertificateFinding, day } from './assess.ts';
import type { KnownAuthority } from './certificate-path.ts';
import { certificatesOf } from './chain.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import type { Role } from './lint.ts';
import type { ObservedEntry } from './observed-store.ts';
import { pemBlocks } from './pem.ts';
import { compareStore } from './reconcile.ts';
import { type ObservedRevocations, observeRevocations, type Revoked } from './revocation.ts';
import type { SeenCertificate } from './seen.ts';
import type { Reason, StoreDiff } from './store-changes.ts';
import { readConsistently, type StoreFiles } from './store-files.ts';
import { strayCertificates } from './strays.ts';

type OtherFinding = CertificateFinding & { readonly name: string };

export interface StoreCheck {
  readonly certificates: readonly SeenCertificate[];
  /** What is wrong with keys that have no certificate, and with the store as a whole: by name. */
  readonly others: readonly OtherFinding[];
  /** The CAs that are trusted: those in use, and the next and the previous one of a rotation. */
  readonly authorities: readonly KnownAuthority[];
  /** What stays as it is, and should be known: in sentences. */
  readonly notes: readonly string[];
  /** What was revoked, by the CA's id. */
  readonly revoked: ReadonlyMap<string, readonly Revoked[]>;
}

export interface StoreCheckOptions {
  readonly now: Date;
  readonly withinHours: number;
  readonly passphrase?: string | undefined;
}

/** Everything in pki/ that is in use, comes next, or is still trusted; and whether it is what cluster.yaml wants. */
export async function checkStore(
  plan: CertificatePlan,
  folder: string,
  options: StoreCheckOptions,
): Promise<StoreCheck> {
  const { observed, diff } = await compareStore(plan, folder, options);
  const listed = plannedCertificates(plan);
  const { files, openKeys, revocations } = readConsistently(folder, (store) => ({
    files: readPems(store, listed),
    openKeys: openKeyFiles(store),
    revocations: plan.authorities.map(({ id }) => ({ id, ...observeRevocations(store, id) })),
  }));
  const revoked = new Map(revocations.map(({ id, revoked: entries }) => [id, entries]));
  const authorities = listed
    .filter(({ roles }) => roles.includes('ca'))
    .flatMap(({ name, path }) => knownAuthority(name, files.get(path)));
  const certificates = listed.flatMap((one): SeenCertificate[] => {
    const pem = files.get(one.path);
    if (pem === undefined) return [];
    const blocks = dersOf(pem);
    const [der, ...sent] = blocks ?? [];
    const base = { seen: 'store', where: `pki/${one.path}`, name: one.name } as const;
    const entry = one.beside === undefined ? observed.get(one.name) : undefined;
    const own = one.beside === undefined ? differences(one.name, entry, diff) : [];
    if (der === undefined) return [{ ...base, findings: own.length > 0 ? own : [noCertificate] }];
    const known = authorities.filter(({ name }) => baseOf(name) === one.authority);
    const { roles } = one;
    const found = assess(der, {
      ...options,
      roles,
      sent,
      authorities: known,
      revoked: revoked.get(one.authority) ?? [],
      idle: one.beside === 'previous',
    });
    return [{ ...base, ...found, findings: [...found.findings, ...own] }];
  });
  return {
    certificates: [...certificates, ...strays(plan, folder, authorities, options)],
    others: [
      ...others(diff, new Set(certificates.map(({ name }) => name ?? ''))),
      ...revocations.flatMap(({ id, list }) => listAge(id, list, options.now)),
      ...openKeys
        .filter(({ path }) => !listed.some((one) => one.beside === undefined && keyPath(one) === path))
        .map(({ path, mode }) => ({ name: path, ...keyOpen(mode) })),
    ],
    notes: diff.notes.map(({ message }) => message),
    authorities,
    revoked,
  };
}

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly roles: readonly Role[];
  /** Id of the CA that it leads to. */
  readonly authority: string;
  readonly beside?: 'next' | 'previous';
}

function plannedCertificates(plan: CertificatePlan): readonly Listed[] {
  return plan.authorities.flatMap((authority) => {
    const { id, leaves } = authority;
    const ca = { roles: ['ca'] as const, authority: id };
    return [
      ...inUse(id).map((one) => ({ ...one, ...ca })),
      ...beside(id).map((one) => ({ ...one, ...ca })),
      ...leaves.flatMap((leaf) =>
        inUse(leaf.id).map((one) => ({ ...one, roles: rolesOf(leaf.usages), authority: id })),
      ),
    ];
  });
}

function inUse(id: string): { name: string; path: string }[] {
  const { certificate } = pathsOf(id);
  return certificate === undefined ? [] : [{ name: id, path: certificate }];
}

function beside(id: string): { name: string; path: string; beside: 'next' | 'previous' }[] {
  return (['next', 'previous'] as const).flatMap((where) => {
    const { certificate } = pathsBeside(where, id);
    return certificate === undefined ? [] : [{ name: `${where}/${id}`, path: certificate, beside: where }];
  });
}

const baseOf = (name: string): string => name.replace(/^(next|previous)\//, '');

export function rolesOf(usages: readonly string[]): readonly Role[] {
  return [
    ...(usages.includes('server auth') ? (['server'] as const) : []),
    ...(usages.includes('client auth') ? (['client'] as const) : []),
  ];
}

function readPems(files: StoreFiles, listed: readonly Listed[]): ReadonlyMap<string, string> {
  return new Map(
    listed.flatMap(({ path }): [string, string][] => {
      const reading = files.read(path);
      return reading.state === 'read' ? [[path, reading.content.toString('utf8')]] : [];
    }),
  );
}

/** Its own certificate alone: those above it are nobody's anchor. */
function knownAuthority(name: string, pem: string | undefined): KnownAuthority[] {
  try {
    const [certificate] = pem === undefined ? [] : certificatesOf(pem);
    return certificate === undefined ? [] : [{ name, certificate }];
  } catch {
    return [];
  }
}

function dersOf(pem: string): readonly Buffer[] | undefined {
  try {
    return pemBlocks(pem, 'it')
      .filter(({ label }) => label.endsWith('CERTIFICATE'))
      .map(({ der }) => der);
  } catch {
    return undefined;
  }
}

const noCertificate: CertificateFinding = {
  code: 'unreadable',
  severity: 'fail',
  message: 'there is no certificate in it that can be read',
  next: 'restore it from a backup, or remove it and run `kbin pki init`',
};

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
function differences(
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

const keyPath = ({ path }: Listed): string => path.replace(/\.crt$/, '.key');

/** Every one, also of what is retired, or waits for its certificate. */
function openKeyFiles(files: StoreFiles): { path: string; mode: number }[] {
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

function keyOpen(mode: number): CertificateFinding {
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
function listAge(authority: string, list: ObservedRevocations['list'], now: Date): OtherFinding[] {
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
function others(diff: StoreDiff, present: ReadonlySet<string>): OtherFinding[] {
  const names = [...diff.changes, ...diff.problems].map(({ id }) => id);
  const without = new Set(names.filter((name) => !present.has(name)));
  return [...without].flatMap((name) =>
    differences(name, undefined, diff).map((finding) => ({ name, ...finding })),
  );
}

/** Of hosts that have left cluster.yaml. Nobody uses them. */
function strays(
  plan: CertificatePlan,
  folder: string,
  authorities: readonly KnownAuthority[],
  options: StoreCheckOptions,
): SeenCertificate[] {
  return strayCertificates(plan, folder).flatMap(({ id, file, info }): SeenCertificate[] => {
    const base = { seen: 'store', where: `pki/${file}`, name: id } as const;
    const [der] = info === undefined ? [] : (dersOf(info.pem) ?? []);
    if (der === undefined) return [{ ...base, findings: [{ ...noCertificate, severity: 'warn' }] }];
    const found = assess(der, { ...options, authorities, idle: true });
    const left: CertificateFinding = {
      code: 'not-in-plan',
      severity: 'warn',
      message: 'nothing in cluster.yaml wants it any more',
      next: 'remove it and its key once its host is gone for good',
    };
    return [{ ...base, ...found, findings: [...found.findings, left] }];
  });
}

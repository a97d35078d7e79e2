import { type CertificateInfo, daysLeft } from '../../ca/inspect.ts';
import { type IssuedCertificate, issuedBy } from '../../ca/issued.ts';
import { type KeyRing, keyMistake, keyRingPaths, type RingKey } from '../../ca/key-ring.ts';
import { storePaths } from '../../ca/layout.ts';
import { type ObservedEntry, type ObservedKey, ringOf } from '../../ca/observed-store.ts';
import { compareStore } from '../../ca/reconcile.ts';
import { rotationsUnderWay } from '../../ca/rotation-kinds.ts';
import type { StoreDiff } from '../../ca/store-changes.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { strayCertificates } from '../../ca/strays.ts';
import type { CertificatePlan } from '../../desired/certificate-plan.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import type { CliContext } from '../context.ts';
import { type Cell, printJson, printTable } from '../output.ts';

type KeyFileState = 'here' | 'encrypted' | 'elsewhere' | 'missing' | 'closed' | 'malformed';

/** A line of the list. */
interface Listed {
  readonly name: string;
  readonly purpose?: string;
  /** Path below pki/. */
  readonly file?: string;
  readonly certificate?: CertificateInfo & { readonly daysLeft: number };
  /** The key's algorithm, or the names in a key ring; undefined where neither certificate nor key can be read. */
  readonly key?: string;
  readonly keyFile: KeyFileState;
  /** Of a key ring: the first one encrypts. `file`: below pki/. */
  readonly keys?: readonly { readonly name: string; readonly file: string; readonly keyFile: KeyFileState }[];
  /** Of what was signed on the spot. */
  readonly issued?: IssuedCertificate & { readonly daysLeft: number };
  /** It is being replaced. */
  readonly rotation?: { readonly phase: string; readonly says: string };
  readonly status: string;
}

export async function pkiList(context: CliContext): Promise<void> {
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const folder = `${cluster.folder}/pki`;
  const now = new Date();
  const { observed, diff } = await compareStore(plan, folder, { now });
  const listed = [
    ...planned(plan).map(({ id, purpose }) => listedEntry(id, purpose, observed.get(id), diff, now)),
    ...plan.keyRings.map(({ id, purpose }) => listedRing(id, purpose, ringOf(observed, id), diff)),
    ...strayCertificates(plan, folder).map(({ id, file, info, keyIsHere }) => ({
      name: id,
      file,
      ...(info === undefined
        ? {}
        : { certificate: { ...info, daysLeft: daysLeft(info, now) }, key: info.key }),
      keyFile: keyIsHere ? ('here' as const) : ('elsewhere' as const),
      status: info === undefined ? 'cannot be read' : 'not in cluster.yaml any more',
    })),
    ...issuedElsewhere(plan, folder, now),
  ].map(withRotation(folder));
  if (context.json) printJson(context.io, listed);
  else printTable(context.io, header, listed.map(row));
}

/** Of a CA or key that is being replaced: how far that is, as far as pki/ knows. */
function withRotation(folder: string): (listed: Listed) => Listed {
  const rotations = rotationsUnderWay(folder);
  return (listed) => {
    const rotation = rotations.find(({ id }) => id === listed.name);
    if (rotation === undefined) return listed;
    const { phase, says } = rotation;
    return {
      ...listed,
      rotation: { phase, says },
      status: `${listed.status}; being rotated, phase ${phase}`,
    };
  };
}

/** What was signed for somebody, and is not in the store; until it ends. */
function issuedElsewhere(plan: CertificatePlan, folder: string, now: Date): Listed[] {
  const issued = readConsistently(folder, (files) =>
    plan.authorities.flatMap(({ id }) => issuedBy(files, id)),
  );
  return issued
    .filter(({ notAfter }) => notAfter > now)
    .map((entry) => ({
      name: `${entry.purpose}:${entry.serial}`,
      issued: { ...entry, daysLeft: daysLeft(entry, now) },
      keyFile: 'elsewhere' as const,
      status: 'issued, not kept here',
    }));
}

function planned(plan: CertificatePlan): readonly { readonly id: string; readonly purpose: string }[] {
  return [...plan.authorities.flatMap((authority) => [authority, ...authority.leaves]), ...plan.keyPairs];
}

function listedEntry(
  id: string,
  purpose: string,
  entry: ObservedEntry | undefined,
  diff: StoreDiff,
  now: Date,
): Listed {
  const paths = storePaths(id);
  const file = paths?.certificate ?? paths?.publicKey;
  const certificate = entry?.certificate;
  return {
    name: id,
    purpose,
    ...(file === undefined ? {} : { file }),
    ...(certificate?.state === 'read'
      ? { certificate: { ...certificate.info, daysLeft: daysLeft(certificate.info, now) } }
      : {}),
    ...keyAlgorithm(entry),
    keyFile: keyState(entry),
    status:
      entry?.waiting === undefined
        ? status(id, entry?.key.state === 'absent' && entry.leftBehind, diff)
        : 'waits for an answer to its request',
  };
}

function keyAlgorithm(entry: ObservedEntry | undefined): Pick<Listed, 'key'> {
  if (entry?.certificate.state === 'read') return { key: entry.certificate.info.key };
  return entry?.key.state === 'read' ? { key: entry.key.algorithm } : {};
}

const keyStates: Record<ObservedKey['state'], KeyFileState> = {
  read: 'here',
  closed: 'closed',
  encrypted: 'encrypted',
  malformed: 'malformed',
  absent: 'missing',
};

function keyState(entry: ObservedEntry | undefined): KeyFileState {
  if (entry === undefined) return 'missing';
  // Nobody needs a CA's key but who signs: where it is not, it is kept elsewhere.
  if (entry.key.state === 'absent' && entry.certificate.state === 'read' && entry.certificate.info.isCa) {
    return 'elsewhere';
  }
  return entry.key.state === 'absent' && entry.leftBehind ? 'elsewhere' : keyStates[entry.key.state];
}

/** One line for all keys of a ring; --json names each. */
function listedRing(id: string, purpose: string, ring: KeyRing, diff: StoreDiff): Listed {
  const keys = ring.keys.map((key) => ({
    name: key.name,
    file: keyRingPaths.key(id, key.name),
    keyFile: ringKeyState(key),
  }));
  const keyFile = keys.find((key) => key.keyFile !== 'here')?.keyFile ?? 'here';
  return {
    name: id,
    purpose,
    ...(keys.length === 0 ? {} : { key: keys.map(({ name }) => name).join(', '), keys }),
    keyFile: keys.length === 0 ? 'missing' : keyFile,
    status: status(id, keyFile === 'elsewhere', diff),
  };
}

function ringKeyState({ file, digest }: RingKey): KeyFileState {
  if (file.state === 'read') return keyMistake(file.content) === undefined ? 'here' : 'malformed';
  if (file.state === 'closed') return 'closed';
  return digest === undefined ? 'missing' : 'elsewhere';
}

/** That a key is kept elsewhere is no fault: lists are made in CI too. */
function status(id: string, elsewhere: boolean, { changes, problems }: StoreDiff): string {
  const faults = [
    ...problems.filter((problem) => problem.id === id && !(elsewhere && keptElsewhere.has(problem.code))),
    ...changes.filter((change) => change.id === id).flatMap(({ reasons }) => reasons),
  ].filter(({ code }) => !(elsewhere && code === 'key-missing'));
  return faults.length === 0 ? 'ok' : faults.map(({ message }) => message).join('; ');
}

const keptElsewhere: ReadonlySet<string> = new Set([
  'ca-key-missing',
  'key-pair-lost',
  'encryption-key-lost',
]);

const header = ['name', 'subject', 'issuer', 'key', 'key file', 'valid until', 'days left', 'status'];

function row({ name, certificate, issued, key, keyFile, status: text }: Listed): Cell[] {
  const signed = certificate ?? issued;
  return [
    name,
    signed?.subject,
    certificate?.issuer ?? issued?.authority,
    key,
    keyFile,
    signed?.notAfter.toISOString().slice(0, 10),
    signed?.daysLeft,
    text,
  ];
}

import type { KeyObject } from 'node:crypto';
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyAlgorithm } from '../cluster/cluster.ts';
import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { digestIn, sha256 } from './digest.ts';
import type { CertificateInfo } from './inspect.ts';
import { type KeyRing, readKeyRing } from './key-ring.ts';
import { algorithmOf, publicPartOf, readPrivateKey } from './keys.ts';
import { clusterIdFile, pathsOf, type StorePaths } from './layout.ts';
import type { FileReading, StoreFiles } from './store-files.ts';

/** What the store holds of what the plan wants, by id, with every check that needs cryptography already made. */
export interface ObservedStore {
  readonly get: (id: string) => ObservedEntry | undefined;
  readonly ring: (id: string) => KeyRing | undefined;
}

export interface ObservedEntry {
  readonly certificate: ObservedCertificate;
  readonly key: ObservedKey;
  /** The key's digest file. `unknown` where the key cannot be read. */
  readonly keyDigest: 'absent' | 'fits' | 'differs' | 'unknown';
  /** The key is gone, but its digest or public key is still there: it is kept elsewhere, or lost. */
  readonly leftBehind: boolean;
  /** The public key file of a pair that has no certificate. `unknown` where the key cannot be read. */
  readonly publicKey: 'absent' | 'fits' | 'differs' | 'unknown';
  /** What shows that this CA has been in use, apart from what the plan knows: in a clause. CAs only. */
  readonly inUse?: InUse;
}

export interface InUse {
  /** `a cluster` cannot be given new certificates by a new CA. */
  readonly by: 'a cluster' | 'a certificate';
  /** Path below pki/ of the file that says so. */
  readonly file: string;
}

export type ObservedCertificate =
  | { readonly state: 'absent' }
  | { readonly state: 'unreadable'; readonly reason: string }
  /** `signedByCa` compares name, key identifier and signature with the CA of the plan; true for a CA itself. */
  | { readonly state: 'read'; readonly info: CertificateInfo; readonly signedByCa: boolean };

export type ObservedKey =
  | { readonly state: 'absent' }
  /** There, and closed to us: permissions, or a passphrase that we do not have. */
  | { readonly state: 'closed'; readonly reason: string }
  | { readonly state: 'malformed'; readonly reason: string }
  /** `fits`: it is the certificate's key; undefined when there is no certificate to compare with. */
  | {
      readonly state: 'read';
      readonly key: KeyObject;
      /** As it stands in the file. */
      readonly pem: string;
      readonly algorithm: KeyAlgorithm | string;
      readonly fits: boolean | undefined;
      readonly mode: number;
    };

/** The files of one entry as they were at one moment. */
type EntryFiles = { readonly [Part in keyof StorePaths]: FileReading };

export interface RawStore {
  readonly entries: ReadonlyMap<string, EntryFiles>;
  readonly inUse: ReadonlyMap<string, InUse>;
  readonly rings: ReadonlyMap<string, KeyRing>;
}

/** Reads the files of every entry of the plan. Does not wait, so that it can run within readConsistently. */
export function readRaw(plan: CertificatePlan, files: StoreFiles): RawStore {
  const ids = idsWithPaths(plan);
  const planned = new Set(ids.flatMap((id) => Object.values(pathsOf(id))));
  const others = files.list().filter((path) => !planned.has(path) && /\.(crt|key|key\.sha256)$/.test(path));
  return {
    entries: new Map(
      ids.map((id) => {
        const parts = Object.entries(pathsOf(id)).map(([part, path]) => [part, files.read(path)]);
        return [id, Object.fromEntries(parts) as EntryFiles];
      }),
    ),
    inUse: new Map(
      plan.authorities.flatMap(({ id }): [string, InUse][] => {
        if (id === etcdAuthority && files.read(clusterIdFile).state !== 'absent') {
          return [[id, { by: 'a cluster', file: clusterIdFile }]];
        }
        // Of a host that has left cluster.yaml.
        const file = others.find((path) => path.startsWith(`${id}/`));
        return file === undefined ? [] : [[id, { by: 'a certificate', file }]];
      }),
    ),
    rings: new Map(plan.keyRings.map(({ id }) => [id, readKeyRing(id, files)])),
  };
}

/** The CA of the cluster whose id the store keeps. */
const etcdAuthority = 'etcd-ca';

export function planIds(plan: CertificatePlan): readonly string[] {
  return [...idsWithPaths(plan), ...plan.keyRings.map(({ id }) => id)];
}

/** Of what has one key and knows its files (`pathsOf`). */
export function idsWithPaths(plan: CertificatePlan): readonly string[] {
  return [
    ...plan.authorities.flatMap((authority) => [authority.id, ...authority.leaves.map(({ id }) => id)]),
    ...plan.keyPairs.map(({ id }) => id),
  ];
}

/** `passphrase` opens encrypted keys. */
export async function observeStore(
  plan: CertificatePlan,
  raw: RawStore,
  passphrase: string | undefined,
): Promise<ObservedStore> {
  const anyCertificate = [...raw.entries.values()].some(({ certificate }) => certificate?.state === 'read');
  // @peculiar/x509 takes long to load, and a new store has nothing to read.
  const inspect = anyCertificate ? (await import('./inspect.ts')).inspectPem : undefined;
  const store = new Map<string, ObservedEntry>();
  const observe = (id: string, ca: CertificateInfo | undefined): ObservedEntry => {
    const files = raw.entries.get(id);
    const inUse = raw.inUse.get(id);
    if (files === undefined) throw new Error(`${id} was not read`);
    const certificate = observeCertificate(files.certificate, inspect, ca);
    const key = observeKey(files.key, certificate, passphrase);
    const entry = {
      certificate,
      key,
      leftBehind:
        key.state === 'absent' && [files.keyDigest, files.publicKey].some((file) => file?.state === 'read'),
      keyDigest: compareDigest(files.keyDigest, files.key),
      publicKey: comparePublicKey(files.publicKey, key),
      ...(inUse === undefined ? {} : { inUse }),
    };
    store.set(id, entry);
    return entry;
  };
  for (const authority of plan.authorities) {
    const { certificate } = observe(authority.id, undefined);
    const ca = certificate.state === 'read' ? certificate.info : undefined;
    for (const { id } of authority.leaves) observe(id, ca);
  }
  for (const { id } of plan.keyPairs) observe(id, undefined);
  return { get: (id) => store.get(id), ring: (id) => raw.rings.get(id) };
}

/**
 * Not one private key is here, though they were made: this folder was made or copied without them, for a CI job or a
 * second operator. Then a missing key is nothing to be mended.
 */
export function isWithoutKeys(plan: CertificatePlan, store: ObservedStore): boolean {
  const entries = idsWithPaths(plan).flatMap((id) => store.get(id) ?? []);
  const ringKeys = plan.keyRings.flatMap(({ id }) => store.ring(id)?.keys ?? []);
  const none =
    entries.every(({ key }) => key.state === 'absent') &&
    ringKeys.every(({ file }) => file.state === 'absent');
  return none && entries.some(({ leftBehind }) => leftBehind);
}

export function ringOf({ ring }: ObservedStore, id: string): KeyRing {
  const found = ring(id);
  if (found === undefined) throw new Error(`${id} was not observed`);
  return found;
}

function observeCertificate(
  file: FileReading | undefined,
  inspect: ((pem: string) => CertificateInfo[]) | undefined,
  ca: CertificateInfo | undefined,
): ObservedCertificate {
  if (file === undefined || file.state === 'absent' || inspect === undefined) return { state: 'absent' };
  if (file.state === 'closed') return { state: 'unreadable', reason: file.reason };
  try {
    // A CA's file may go on with the certificates it trusts besides; the first is its own.
    const info = inspect(file.content.toString('utf8'))[0];
    if (info === undefined) return { state: 'unreadable', reason: 'it holds no certificate' };
    return { state: 'read', info, signedByCa: ca === undefined || isSignedBy(info, ca) };
  } catch (error) {
    return { state: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Names, key identifiers and the signature itself. */
function isSignedBy(leaf: CertificateInfo, ca: CertificateInfo): boolean {
  const authority = new X509Certificate(ca.pem);
  const certificate = new X509Certificate(leaf.pem);
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function observeKey(
  file: FileReading,
  certificate: ObservedCertificate,
  passphrase: string | undefined,
): ObservedKey {
  if (file.state !== 'read') return file;
  const pem = file.content.toString('utf8');
  const reading = readPrivateKey(pem, passphrase);
  if (reading.state === 'encrypted') return { state: 'closed', reason: reading.reason };
  if (reading.state === 'malformed') return reading;
  const { key } = reading;
  const fits = certificate.state === 'read' ? belongsTo(key, certificate.info) : undefined;
  return { state: 'read', key, pem, algorithm: algorithmOf(key), fits, mode: file.mode };
}

function belongsTo(key: KeyObject, { pem }: CertificateInfo): boolean {
  const wanted = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return publicPartOf(key).equals(wanted);
}

function compareDigest(file: FileReading, key: FileReading): ObservedEntry['keyDigest'] {
  if (key.state !== 'read') return 'unknown';
  if (file.state !== 'read') return 'absent';
  return digestIn(file.content.toString('utf8')) === sha256(key.content) ? 'fits' : 'differs';
}

function comparePublicKey(file: FileReading | undefined, key: ObservedKey): ObservedEntry['publicKey'] {
  if (file === undefined || key.state !== 'read') return 'unknown';
  if (file.state !== 'read') return 'absent';
  try {
    const spki = createPublicKey(file.content).export({ type: 'spki', format: 'der' });
    return spki.equals(publicPartOf(key.key)) ? 'fits' : 'differs';
  } catch {
    return 'differs';
  }
}

import type { KeyObject } from 'node:crypto';
import { createPublicKey, X509Certificate } from 'node:crypto';
import type { KeyAlgorithm } from '../cluster/cluster.ts';
import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { type Adopted, adoptedCertificates } from './adopted.ts';
import { chainWanted, hasChain } from './chain.ts';
import { digestIn, sha256 } from './digest.ts';
import type { CertificateInfo } from './inspect.ts';
import { type KeyRing, readKeyRing } from './key-ring.ts';
import { algorithmOf, isEncrypted, plainPem, publicPartOf, readPrivateKey } from './keys.ts';
import { clusterIdFile, pathsOf, type StorePaths } from './layout.ts';
import { type ObservedRevocations, observeRevocations } from './revocation.ts';
import type { FileReading, StoreFiles } from './store-files.ts';
import { waitingRequests } from './waiting.ts';

/** What the store holds of what the plan wants, by id, with every check that needs cryptography already made. */
export interface ObservedStore {
  readonly get: (id: string) => ObservedEntry | undefined;
  readonly ring: (id: string) => KeyRing | undefined;
  /** Of a CA. */
  readonly revocations: (id: string) => ObservedRevocations | undefined;
}

export interface ObservedEntry {
  readonly certificate: ObservedCertificate;
  readonly key: ObservedKey;
  /** The key's digest file, which is of the key as hosts get it. `unknown` where the key cannot be read. */
  readonly keyDigest: 'absent' | 'fits' | 'differs' | 'unknown';
  /** The key is gone, but its digest or public key is still there: it is kept elsewhere, or lost. */
  readonly leftBehind: boolean;
  /** The public key file of a pair that has no certificate. `unknown` where the key cannot be read. */
  readonly publicKey: 'absent' | 'fits' | 'differs' | 'unknown';
  /** It was made elsewhere, and stays for as long as it does its job. */
  readonly adopted: boolean;
  /** Path below pki/ of a request that is to be answered: its key waits beside it. */
  readonly waiting?: string;
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
  | {
      readonly state: 'read';
      readonly info: CertificateInfo;
      /** The whole file, PEM. */
      readonly text: string;
      /** Compares name, key identifier and signature with the CA of the plan; true for a CA itself. */
      readonly signedByCa: boolean;
      /** What should follow the certificate in its file (PEM), when that is not what follows it. */
      readonly chainWanted?: string;
    };

export type ObservedKey =
  | { readonly state: 'absent' }
  /** There, and closed to us: permissions, or a passphrase that does not open it. */
  | { readonly state: 'closed'; readonly reason: string }
  /** There, and nobody has tried to open it: that takes the passphrase. `pem` as it stands in the file. */
  | { readonly state: 'encrypted'; readonly pem: string; readonly mode: number }
  | { readonly state: 'malformed'; readonly reason: string }
  /** `fits`: it is the certificate's key; undefined when there is no certificate to compare with. */
  | {
      readonly state: 'read';
      readonly key: KeyObject;
      /** As it stands in the file. */
      readonly pem: string;
      /** As it is written to hosts: not encrypted. */
      readonly plain: string;
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
  readonly adopted: readonly Adopted[];
  /** By id: where its request is. */
  readonly waiting: ReadonlyMap<string, string>;
  /** By CA. */
  readonly revocations: ReadonlyMap<string, ObservedRevocations>;
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
    adopted: adoptedCertificates(files),
    waiting: waitingRequests(ids, files),
    revocations: new Map(plan.authorities.map(({ id }) => [id, observeRevocations(files, id)])),
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

/** `passphrase` opens encrypted keys; without one they stay as they are. */
export async function observeStore(
  plan: CertificatePlan,
  raw: RawStore,
  passphrase: string | undefined,
): Promise<ObservedStore> {
  const anyCertificate = [...raw.entries.values()].some(({ certificate }) => certificate?.state === 'read');
  // @peculiar/x509 takes long to load, and a new store has nothing to read.
  const inspect = anyCertificate ? (await import('./inspect.ts')).inspectPem : undefined;
  const store = new Map<string, ObservedEntry>();
  const observe = (id: string, ca: string | undefined): ObservedEntry => {
    const files = raw.entries.get(id);
    const inUse = raw.inUse.get(id);
    const waiting = raw.waiting.get(id);
    if (files === undefined) throw new Error(`${id} was not read`);
    const certificate = observeCertificate(files.certificate, inspect, ca);
    const key = observeKey(files.key, certificate, passphrase);
    const entry = {
      certificate,
      key,
      leftBehind:
        key.state === 'absent' && [files.keyDigest, files.publicKey].some((file) => file?.state === 'read'),
      keyDigest: compareDigest(files.keyDigest, key),
      publicKey: comparePublicKey(files.publicKey, key),
      adopted: raw.adopted.some((record) => record.id === id && isThat(record, certificate)),
      ...(waiting === undefined ? {} : { waiting }),
      ...(inUse === undefined ? {} : { inUse }),
    };
    store.set(id, entry);
    return entry;
  };
  for (const authority of plan.authorities) {
    const { certificate } = observe(authority.id, undefined);
    const ca = certificate.state === 'read' ? certificate.text : undefined;
    for (const { id } of authority.leaves) observe(id, ca);
  }
  for (const { id } of plan.keyPairs) observe(id, undefined);
  return {
    get: (id) => store.get(id),
    ring: (id) => raw.rings.get(id),
    revocations: (id) => raw.revocations.get(id),
  };
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
  ca: string | undefined,
): ObservedCertificate {
  if (file === undefined || file.state === 'absent' || inspect === undefined) return { state: 'absent' };
  if (file.state === 'closed') return { state: 'unreadable', reason: file.reason };
  try {
    const text = file.content.toString('utf8');
    // A chain may follow; the first is its own.
    const info = inspect(text)[0];
    if (info === undefined) return { state: 'unreadable', reason: 'it holds no certificate' };
    if (ca === undefined) return { state: 'read', info, text, signedByCa: true };
    const chain = chainWanted(text, ca);
    if (chain === undefined) return { state: 'read', info, text, signedByCa: false };
    return {
      state: 'read',
      info,
      text,
      signedByCa: true,
      ...(hasChain(text, chain) ? {} : { chainWanted: chain }),
    };
  } catch (error) {
    return { state: 'unreadable', reason: error instanceof Error ? error.message : String(error) };
  }
}

function isThat({ sha256: fingerprint }: Adopted, certificate: ObservedCertificate): boolean {
  return certificate.state === 'read' && certificate.info.fingerprints.sha256 === fingerprint;
}

function observeKey(
  file: FileReading,
  certificate: ObservedCertificate,
  passphrase: string | undefined,
): ObservedKey {
  if (file.state !== 'read') return file;
  const pem = file.content.toString('utf8');
  if (isEncrypted(pem) && passphrase === undefined) return { state: 'encrypted', pem, mode: file.mode };
  const reading = readPrivateKey(pem, passphrase);
  if (reading.state === 'encrypted') return { state: 'closed', reason: reading.reason };
  if (reading.state === 'malformed') return reading;
  const { key } = reading;
  const fits = certificate.state === 'read' ? belongsTo(key, certificate.info) : undefined;
  const plain = isEncrypted(pem) ? plainPem(key) : pem;
  return { state: 'read', key, pem, plain, algorithm: algorithmOf(key), fits, mode: file.mode };
}

function belongsTo(key: KeyObject, { pem }: CertificateInfo): boolean {
  const wanted = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return publicPartOf(key).equals(wanted);
}

function compareDigest(file: FileReading, key: ObservedKey): ObservedEntry['keyDigest'] {
  if (key.state !== 'read' && key.state !== 'encrypted') return 'unknown';
  if (file.state !== 'read') return 'absent';
  if (key.state === 'encrypted') return 'unknown';
  return digestIn(file.content.toString('utf8')) === sha256(key.plain) ? 'fits' : 'differs';
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

import { createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { basename } from 'node:path/posix';
import type {
  CertificatePlan,
  PlannedAuthority,
  PlannedKeyPair,
  PlannedLeaf,
} from '../desired/certificate-plan.ts';
import { certificateParts } from './certificate-parts.ts';
import { chainBelow } from './chain.ts';
import { rawSubject } from './der-read.ts';
import { digestLine } from './digest.ts';
import { keyIdentifier } from './encode.ts';
import type { CertificateInfo } from './inspect.ts';
import { type Issued, type Issuer, issueAuthority, issueCertificate, renewAuthority } from './issue.ts';
import { firstKey, keyRecord, keyRingPaths, orderText } from './key-ring.ts';
import { generateKeyPair, type KeyPair, publicKeyPem, publicPartOf } from './keys.ts';
import { pathsOf } from './layout.ts';
import { type ObservedEntry, type ObservedStore, ringOf } from './observed-store.ts';
import { pemBlocks } from './pem.ts';
import { makeList } from './revocation-apply.ts';
import { listId } from './revocation-diff.ts';
import type { StoreChange } from './store-changes.ts';
import type { StoreFile } from './transaction.ts';

/** A change that was carried out. */
export interface AppliedChange extends StoreChange {
  readonly notAfter?: Date;
  /** The certificate ends with its CA, earlier than `pki.validity.leaf` would have it. */
  readonly clamped?: boolean;
}

interface Work {
  readonly now: Date;
  readonly store: ObservedStore;
  readonly stage: (file: StoreFile) => void;
  /** How the key of a new CA is written: encrypted or, by default, as it is. */
  readonly seal?: (pem: string) => string;
}

/**
 * Makes what `changes` name and hands each file to `stage`. All keys are started at once, and each certificate is made
 * as soon as its key and its CA are there.
 */
export function applyChanges(
  plan: CertificatePlan,
  changes: readonly StoreChange[],
  work: Work,
): Promise<AppliedChange[]> {
  const byId = new Map(changes.map((change) => [change.id, change]));
  const applied: Promise<AppliedChange>[] = [];
  for (const authority of plan.authorities) {
    const change = byId.get(authority.id);
    let issuer: Promise<Issuer> | undefined;
    if (change !== undefined && change.action !== 'repair') {
      const made =
        change.action === 'create' ? makeAuthority(authority, work) : remakeAuthority(authority, work);
      issuer = made.then((issued) => issued.issuer);
      applied.push(made.then((issued) => withValidity(change, issued)));
    } else if (change !== undefined) applied.push(repair(change, work));
    for (const leaf of authority.leaves) {
      const leafChange = byId.get(leaf.id);
      if (leafChange === undefined) continue;
      if (leafChange.action === 'repair') {
        applied.push(repair(leafChange, work));
        continue;
      }
      issuer ??= Promise.resolve(existingIssuer(entryOf(work, authority.id)));
      const pair = leafChange.keepsKey ? presentKey(work, leaf.id) : generateKeyPair(leaf.key);
      applied.push(makeLeaf(leaf, pair, issuer, work).then((issued) => withValidity(leafChange, issued)));
    }
    const listChange = byId.get(listId(authority.id));
    if (listChange !== undefined) {
      issuer ??= Promise.resolve(existingIssuer(entryOf(work, authority.id)));
      applied.push(issuer.then((signer) => makeList(authority, listChange, signer, work)));
    }
  }
  for (const pair of plan.keyPairs) {
    const change = byId.get(pair.id);
    if (change === undefined) continue;
    applied.push(change.action === 'repair' ? repair(change, work) : makeKeyPair(pair, change, work));
  }
  for (const { id } of plan.keyRings) {
    const change = byId.get(id);
    if (change !== undefined) applied.push(Promise.resolve(makeKeyRing(change, work)));
  }
  return Promise.all(applied);
}

const withValidity = (change: StoreChange, { notAfter, clamped }: Issued): AppliedChange => ({
  ...change,
  notAfter,
  clamped,
});

async function makeAuthority(
  authority: PlannedAuthority,
  { now, stage, seal }: Work,
): Promise<Issued & { readonly issuer: Issuer }> {
  const pair = await generateKeyPair(authority.key);
  const issued = issueAuthority({ ...authority, spki: pair.spki, now }, createPrivateKey(pair.pem));
  const { pem } = pair;
  stageCertificate(authority.id, issued, seal === undefined ? pair : { pem: seal(pem), plain: pem }, stage);
  return issued;
}

/** The same CA for a time that begins now. Whatever it is called and says of itself stays, as does its key. */
async function remakeAuthority(
  { id, validityHours }: PlannedAuthority,
  work: Work,
): Promise<Issued & { readonly issuer: Issuer }> {
  const { certificate, key } = entryOf(work, id);
  if (certificate.state !== 'read' || key.state !== 'read') throw new Error(`${id} cannot sign itself`);
  const parts = certificateParts(derOf(certificate.info));
  const issued = renewAuthority(parts, { validityHours, now: work.now }, key.key);
  stageCertificate(id, issued, key, work.stage);
  return issued;
}

async function makeLeaf(
  leaf: PlannedLeaf,
  key: (KeyPair & KeyFile) | Promise<KeyPair & KeyFile>,
  issuer: Promise<Issuer>,
  { now, stage }: Work,
): Promise<Issued> {
  const [pair, signer] = await Promise.all([key, issuer]);
  const issued = issueCertificate({ ...leaf, spki: pair.spki, now }, signer);
  stageCertificate(leaf.id, issued, pair, stage);
  return issued;
}

async function makeKeyPair(
  { id, key }: PlannedKeyPair,
  change: StoreChange,
  { stage }: Work,
): Promise<AppliedChange> {
  const pair = await generateKeyPair(key);
  stageKey(id, pair, stage);
  stagePublicKey(id, pair.spki, stage);
  return change;
}

/** A new ring has one key. Those that are there stay byte for byte; what follows from them is written again. */
function makeKeyRing(change: StoreChange, { store, stage }: Work): StoreChange {
  const { id } = change;
  const present = ringOf(store, id).keys.flatMap(({ name, file }) =>
    file.state === 'read' ? [{ name, text: file.content.toString('utf8') }] : [],
  );
  const keys =
    change.action === 'create'
      ? [{ name: firstKey, text: `${randomBytes(32).toString('base64')}\n` }]
      : present;
  for (const { name, text } of keys) {
    const path = keyRingPaths.key(id, name);
    stage({ path, content: text, mode: 0o600 });
    stage({ path: keyRingPaths.keyDigest(id, name), content: digestLine(text, basename(path)), mode: 0o644 });
  }
  const order = orderText(keys.map(({ name }) => name));
  stage({ path: keyRingPaths.order(id), content: order, mode: 0o644 });
  stage({ path: keyRecord(id), content: order, mode: 0o644 });
  return change;
}

/** A private key as it stands in its file and, where that is encrypted, as hosts get it. */
interface KeyFile {
  readonly pem: string;
  readonly plain?: string;
}

function presentKey(work: Work, id: string): KeyPair & KeyFile {
  const { key } = entryOf(work, id);
  if (key.state !== 'read') throw new Error(`the key of ${id} was not read`);
  return { pem: key.pem, plain: key.plain, spki: publicPartOf(key.key) };
}

function stageCertificate(id: string, { pem }: Issued, key: KeyFile, stage: Work['stage']): void {
  const { certificate } = pathsOf(id);
  if (certificate === undefined) throw new Error(`${id} has no certificate`);
  stage({ path: certificate, content: pem, mode: 0o644 });
  stageKey(id, key, stage);
}

/** The digest is of what hosts get. */
function stageKey(id: string, { pem, plain = pem }: KeyFile, stage: Work['stage']): void {
  const { key, keyDigest } = pathsOf(id);
  stage({ path: key, content: pem, mode: 0o600 });
  stage({ path: keyDigest, content: digestLine(plain, basename(key)), mode: 0o644 });
}

function stagePublicKey(id: string, spki: Buffer, stage: Work['stage']): void {
  const { publicKey } = pathsOf(id);
  if (publicKey !== undefined) stage({ path: publicKey, content: publicKeyPem(spki), mode: 0o644 });
}

/** The key stays byte for byte; its file is written again with the right mode, and what follows from it. */
async function repair(change: StoreChange, work: Work): Promise<AppliedChange> {
  const { key, certificate } = entryOf(work, change.id);
  const path = pathsOf(change.id).certificate;
  if (path !== undefined && certificate.state === 'read' && certificate.chainWanted !== undefined) {
    work.stage({ path, content: certificate.info.pem + certificate.chainWanted, mode: 0o644 });
  }
  if (!change.reasons.some(({ code }) => code !== 'chain')) return change;
  if (key.state === 'encrypted' && change.reasons.every(({ code }) => code === 'key-mode')) {
    work.stage({ path: pathsOf(change.id).key, content: key.pem, mode: 0o600 });
    return change;
  }
  if (key.state !== 'read') throw new Error(`the key of ${change.id} was not read`);
  stageKey(change.id, key, work.stage);
  stagePublicKey(change.id, publicPartOf(key.key), work.stage);
  return change;
}

function entryOf({ store }: Work, id: string): ObservedEntry {
  const entry = store.get(id);
  if (entry === undefined) throw new Error(`${id} was not observed`);
  return entry;
}

function existingIssuer({ certificate, key }: ObservedEntry): Issuer {
  if (certificate.state !== 'read' || key.state !== 'read')
    throw new Error('a CA without its key cannot sign');
  return issuerOf(certificate.info, key.key, chainBelow(certificate.text));
}

/**
 * Subject and key identifier as they stand in the CA's certificate, so that what it signs chains to it exactly. `chain`:
 * chainBelow of its whole file.
 */
export function issuerOf(info: CertificateInfo, privateKey: KeyObject, chain: string): Issuer {
  return {
    privateKey,
    subject: rawSubject(derOf(info)),
    subjectKeyId:
      info.subjectKeyId === undefined
        ? keyIdentifier(publicPartOf(privateKey))
        : Buffer.from(info.subjectKeyId, 'hex'),
    notBefore: info.notBefore,
    notAfter: info.notAfter,
    chain,
  };
}

function derOf(info: CertificateInfo): Buffer {
  const der = pemBlocks(info.pem, info.subject)[0]?.der;
  if (der === undefined) throw new Error(`no certificate in the PEM of ${info.subject}`);
  return der;
}

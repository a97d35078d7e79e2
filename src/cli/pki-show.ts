import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findEntry, keyPairs, keyRings } from '../../pki/index.ts';
import { sha256 } from '../ca/digest.ts';
import { fileFailure } from '../ca/file-failure.ts';
import { type CertificateInfo, daysLeft, inspectPem } from '../ca/inspect.ts';
import { keyRingPaths, readKeyRing, ringKeyDigest } from '../ca/key-ring.ts';
import { algorithmOf } from '../ca/keys.ts';
import { storePaths } from '../ca/layout.ts';
import { planIds } from '../ca/observed-store.ts';
import { pemText } from '../ca/pem.ts';
import { readConsistently } from '../ca/store-files.ts';
import { certificatePlan } from '../desired/certificates.ts';
import { KbinError } from '../errors.ts';
import type { CliContext } from './context.ts';
import { type Cell, printJson, printTable } from './output.ts';

type Shown = { readonly file: string; readonly daysLeft: number } & CertificateInfo;

interface ShownKey {
  readonly file: string;
  readonly key: string;
  /** Of the SubjectPublicKeyInfo, hex. */
  readonly publicKeySha256: string;
}

/** Of a key ring, whose keys nobody may see. */
interface ShownSecret {
  readonly file: string;
  readonly name: string;
  readonly use: 'encrypts' | 'decrypts' | 'unknown';
  /** Of the key file, hex. */
  readonly fileSha256?: string;
}

/** `what`: a name of the plan, else a file. */
export async function pkiShow(context: CliContext, what: string): Promise<void> {
  const shown = await shownOf(context, what);
  if (context.json) {
    printJson(context.io, shown);
    return;
  }
  shown.forEach((entry, index) => {
    if (index > 0) context.io.out('\n');
    printTable(context.io, ['field', 'value'], rowsOf(entry));
  });
}

async function shownOf(
  context: CliContext,
  what: string,
): Promise<readonly (Shown | ShownKey | ShownSecret)[]> {
  if (keyPairs.some(({ id }) => id === what)) {
    return [showPublicKey(`${(await context.cluster()).folder}/pki/${storePaths(what)?.publicKey}`)];
  }
  if (keyRings.some(({ id }) => id === what))
    return showRing(`${(await context.cluster()).folder}/pki`, what);
  return (await filesOf(context, what)).flatMap((file) => showFile(file, new Date()));
}

async function filesOf(context: CliContext, what: string): Promise<readonly string[]> {
  if (findEntry(what) === undefined) return [resolve(context.io.cwd, what)];
  const cluster = await context.cluster();
  const ids = planIds(certificatePlan(cluster));
  const meant = ids.includes(what) ? [what] : ids.filter((id) => id.startsWith(`${what}@`));
  // A certificate of a host that has left cluster.yaml can still be shown.
  const found = meant.length > 0 ? meant : [what];
  return found.map((id) => `${cluster.folder}/pki/${storePaths(id)?.certificate}`);
}

function showFile(file: string, now: Date): Shown[] {
  const content = read(file);
  // DER begins with a SEQUENCE, which no text does.
  const pem =
    content[0] === 0x30 && content[1] !== 0x0a ? pemText('CERTIFICATE', content) : content.toString('utf8');
  return inspectPem(pem, file).map((info) => ({ file, daysLeft: daysLeft(info, now), ...info }));
}

function showPublicKey(file: string): ShownKey {
  const key = createPublicKey(read(file));
  const spki = key.export({ type: 'spki', format: 'der' });
  return { file, key: algorithmOf(key), publicKeySha256: sha256(spki) };
}

function showRing(folder: string, id: string): ShownSecret[] {
  const { order, keys } = readConsistently(folder, (files) => readKeyRing(id, files));
  if (keys.length === 0) {
    throw new KbinError(`there is no ${id} in ${folder}`, {
      step: 'showing a key',
      next: 'run `kbin pki init`: it makes what is missing',
    });
  }
  const known = order === 'read' || order === 'guessed';
  return keys.map((key, index) => {
    const digest = ringKeyDigest(key);
    return {
      file: `${folder}/${keyRingPaths.key(id, key.name)}`,
      name: key.name,
      use: known ? (index === 0 ? 'encrypts' : 'decrypts') : 'unknown',
      ...(digest === undefined ? {} : { fileSha256: digest }),
    };
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fileFailure(`cannot read ${file}`, 'showing a certificate', error);
  }
}

function rowsOf(entry: Shown | ShownKey | ShownSecret): Cell[][] {
  if ('subject' in entry) return certificateRows(entry);
  return 'use' in entry ? secretRows(entry) : keyRows(entry);
}

function secretRows({ file, name, use, fileSha256 }: ShownSecret): Cell[][] {
  return [
    ['file', file],
    ['name', name],
    ['use', use],
    ['file sha256', fileSha256],
  ];
}

function keyRows({ file, key, publicKeySha256 }: ShownKey): Cell[][] {
  return [
    ['file', file],
    ['key', key],
    ['public key sha256', publicKeySha256],
  ];
}

function certificateRows(shown: Shown): Cell[][] {
  const authority = shown.pathLength === undefined ? 'yes' : `yes, path length ${shown.pathLength}`;
  return [
    ['file', shown.file],
    ['subject', shown.subject],
    ['issuer', shown.issuer],
    ['SANs', shown.sans.map(({ type, value }) => (type === 'dns' ? value : `${type}:${value}`)).join(', ')],
    ['usages', shown.usages.join(', ')],
    ['CA', shown.isCa ? authority : 'no'],
    ['key', shown.key],
    ['signature', shown.signature],
    ['serial', shown.serial],
    ['valid from', shown.notBefore.toISOString()],
    ['valid until', shown.notAfter.toISOString()],
    ['days left', shown.daysLeft],
    ['sha256', shown.fingerprints.sha256],
    ['sha1', shown.fingerprints.sha1],
    ['subject key id', shown.subjectKeyId],
    ['authority key id', shown.authorityKeyId],
  ];
}

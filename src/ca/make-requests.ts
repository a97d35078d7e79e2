import { createPrivateKey } from 'node:crypto';
import type { CertificatePlan, PlannedAuthority, PlannedLeaf } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { keyFiles } from './adopt-files.ts';
import { sealing } from './authority-keys.ts';
import { rawSubject } from './der-read.ts';
import {
  basicConstraints,
  encodeExtension,
  encodeSans,
  extendedKeyUsage,
  extensionOids,
  keyUsage,
} from './extensions.ts';
import { closeFolders } from './folders.ts';
import { generateKeyPair, isEncrypted, publicPartOf, readPrivateKey } from './keys.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import { encodeName } from './names.ts';
import { pemBlocks, pemText } from './pem.ts';
import { encodeRequest } from './request.ts';
import { type Store, stageIgnoreFile } from './store.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';

export interface MadeRequest {
  readonly id: string;
  /** PEM. */
  readonly pem: string;
  /** `waiting`: that of an earlier request, which is made once more. `present`: the one in use. */
  readonly key: 'new' | 'present' | 'waiting';
  /** Path below pki/. */
  readonly request: string;
}

const step = 'certificate request';

/**
 * A request for each of `ids`, with its key, in next/: there they wait for the answer. The key is the one that waits
 * already, else the one in use, else a new one; always a new one with `newKeys`. All of them or none.
 */
export function makeRequests(
  plan: CertificatePlan,
  store: Store,
  ids: readonly string[],
  { newKeys, onWait }: { readonly newKeys: boolean; readonly onWait: (holder: string) => void },
): Promise<readonly MadeRequest[]> {
  return store.withLock(
    async (transaction) => {
      const files = diskFiles(store.folder);
      closeFolders(store.folder);
      stageIgnoreFile(store.folder, transaction);
      const entries = plan.authorities.flatMap((authority) => [authority, ...authority.leaves]);
      const made: MadeRequest[] = [];
      for (const entry of entries.filter(({ id }) => ids.includes(id))) {
        const { text, key, origin } = await keyFor(entry, store, files, newKeys);
        const der = requestFor(entry, createPrivateKey(key), files);
        const pem = pemText('CERTIFICATE REQUEST', der);
        const paths = pathsBeside('next', entry.id);
        if ('leaves' in entry && files.read(paths.certificate ?? '').state !== 'absent')
          throw nextIsThere(entry.id, files);
        for (const file of keyFiles(paths, { text, key: createPrivateKey(key) })) transaction.stage(file);
        transaction.stage({ path: paths.request, content: pem, mode: 0o644 });
        made.push({ id: entry.id, pem, key: origin, request: paths.request });
      }
      return made;
    },
    { command: 'kbin pki csr', onWait },
  );
}

interface RequestKey {
  /** As it lies in the store. */
  readonly text: string;
  /** PEM, not encrypted. */
  readonly key: string;
  readonly origin: MadeRequest['key'];
}

async function keyFor(
  entry: PlannedAuthority | PlannedLeaf,
  store: Store,
  files: StoreFiles,
  newKey: boolean,
): Promise<RequestKey> {
  const { id } = entry;
  if (!newKey) {
    const waiting = await readKey(pathsBeside('next', id).key, store, files);
    if (waiting !== undefined) return { ...waiting, origin: 'waiting' };
    const present = await readKey(pathsOf(id).key, store, files);
    if (present !== undefined) return { ...present, origin: 'present' };
    if (files.read(pathsOf(id).keyDigest).state !== 'absent') {
      throw new KbinError(`the key of ${id} is not here`, {
        step,
        why: `${files.place(pathsOf(id).key)} is missing, though its digest is there: it is kept elsewhere`,
        next: 'work where it is, or ask for a certificate for a new one: --new-key',
      });
    }
  }
  const { pem } = await generateKeyPair(entry.key);
  const text = 'leaves' in entry ? (await sealing(files, store.passphrase))(pem) : pem;
  return { text, key: pem, origin: 'new' };
}

async function readKey(
  path: string,
  store: Store,
  files: StoreFiles,
): Promise<Pick<RequestKey, 'text' | 'key'> | undefined> {
  const reading = files.read(path);
  if (reading.state === 'absent') return undefined;
  const fail = (why: string): KbinError =>
    new KbinError(`${files.place(path)} cannot be read`, {
      step,
      why,
      next: 'restore it from a backup, or ask with a new key: --new-key',
    });
  if (reading.state === 'closed') throw fail(reading.reason);
  const text = reading.content.toString('utf8');
  const passphrase = isEncrypted(text) ? (await store.passphrase()).value : undefined;
  const opened = readPrivateKey(text, passphrase);
  if (opened.state !== 'read') throw fail(opened.reason);
  return { text, key: opened.key.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function requestFor(
  entry: PlannedAuthority | PlannedLeaf,
  key: ReturnType<typeof createPrivateKey>,
  files: StoreFiles,
): Buffer {
  const sans =
    'leaves' in entry || entry.sans.length === 0
      ? []
      : [encodeExtension(extensionOids.subjectAltName, false, encodeSans(entry.sans))];
  const extensions = [
    ...keyUsage(entry.usages),
    ...extendedKeyUsage(entry.usages),
    // It signs leaves and nothing else.
    basicConstraints('leaves' in entry ? { pathLength: 0 } : undefined),
    ...sans,
  ];
  return encodeRequest({ subject: subjectOf(entry, key, files), spki: publicPartOf(key), extensions }, key);
}

/** A CA that keeps its key keeps its name too, byte for byte: then all that it has signed goes on chaining to it. */
function subjectOf(
  entry: PlannedAuthority | PlannedLeaf,
  key: ReturnType<typeof createPrivateKey>,
  files: StoreFiles,
): Buffer {
  const present = 'leaves' in entry ? files.read(pathsOf(entry.id).certificate ?? '') : undefined;
  const der =
    present?.state === 'read'
      ? pemBlocks(present.content.toString('utf8'), files.place(entry.id))[0]?.der
      : undefined;
  if (der === undefined || !hasKey(der, key)) return encodeName(entry.subject);
  return rawSubject(der);
}

function hasKey(certificate: Buffer, key: ReturnType<typeof createPrivateKey>): boolean {
  return certificate.includes(publicPartOf(key));
}

function nextIsThere(id: string, files: StoreFiles): KbinError {
  return new KbinError(`the next ${id} is there already`, {
    step,
    why: `${files.place(pathsBeside('next', id).certificate ?? '')} is part of a rotation under way`,
    next: `see "kbin pki rotate status ${id}", and ask when it is over`,
  });
}

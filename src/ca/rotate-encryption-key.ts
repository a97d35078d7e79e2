import { randomBytes } from 'node:crypto';
import { basename } from 'node:path/posix';
import { encryptionKey } from '../../pki/encryption-key.ts';
import { KbinError } from '../errors.ts';
import { digestLine } from './digest.ts';
import {
  archivedKeyPaths,
  type KeyRing,
  keyNumber,
  keyRecord,
  keyRingPaths,
  nextKeyName,
  orderText,
  readKeyRing,
  retiredNames,
} from './key-ring.ts';
import { atRest, type RotationKind } from './rotation.ts';
import type { Store } from './store.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';
import type { StoreFile, Transaction } from './transaction.ts';

export const read = 0;
export const write = 1;
export const rewrite = 2;

const { id } = encryptionKey;

/** That all that the old keys have encrypted is being written again; a second line, once that was proven. With times. */
const rewritingFile = `${id}/rewriting`;
const ended = /^ended \S+$/m;

/**
 * The key that encrypts Secrets in etcd, and the one that follows it: the one with the highest number. In the store:
 *
 *     read     `order` names it, and not as the first: everyone can read what it would encrypt
 *     write    `order` names it first: it encrypts
 *     rewrite  encryption-key/rewriting is there too: what others had encrypted in etcd is written again
 *     rest     `order` names it alone; the others are in archive/encryption-key/, for snapshots of etcd
 *
 * A key that is put back out of the archive, below the others in `order`, is at `write` again: what was restored from a
 * snapshot is rewritten and the key retired as before.
 */
export const encryptionKeyRotation: RotationKind = {
  id,
  phases: [
    { name: 'read', says: 'everyone can read what the new key encrypts, and the old one encrypts' },
    { name: 'write', says: 'the new key encrypts, and what the old one encrypted can be read' },
    {
      name: 'rewrite',
      says: 'nothing in etcd is encrypted with the old key any more, and it is known still',
    },
  ],
  phase: phaseOf,
  since: lastRetired,
  advance: ({ store, from, command, now }) =>
    store.withLock(
      async (transaction) => {
        const files = diskFiles(store.folder);
        if (phaseOf(files) !== from) return;
        const ring = usableRing(files);
        const names = ring.keys.map(({ name }) => name);
        const newest = newestOf(names);
        const others = names.filter((name) => name !== newest);
        if (from === atRest) stageNewKey(names, nextKeyName(id, files), transaction);
        else if (from === read) stageOrder([newest, ...others], transaction);
        else if (from === write) {
          transaction.stage({ path: rewritingFile, content: `begun ${now.toISOString()}\n`, mode: 0o644 });
        } else retire(others, newest, { files, transaction, now });
      },
      { command },
    ),
};

export function phaseOf(files: StoreFiles): number {
  const { order, keys } = readKeyRing(id, files);
  const [first, ...rest] = keys.map(({ name }) => name);
  if (order !== 'read' || first === undefined || rest.length === 0) return atRest;
  if (newestOf([first, ...rest]) !== first) return read;
  return files.read(rewritingFile).state === 'absent' ? write : rewrite;
}

/** Names of those that are to be retired, and of the one that stays; undefined where no rotation is under way. */
export function retiringKeys(
  files: StoreFiles,
): { readonly newest: string; readonly others: readonly string[] } | undefined {
  if (phaseOf(files) === atRest) return undefined;
  const names = readKeyRing(id, files).keys.map(({ name }) => name);
  const newest = newestOf(names);
  return { newest, others: names.filter((name) => name !== newest) };
}

/** Notes that nothing in etcd used the old keys any more. */
export function recordRewritten(store: Store, now: Date, command: string): Promise<void> {
  return store.withLock(
    async (transaction) => {
      const note = diskFiles(store.folder).read(rewritingFile);
      if (note.state !== 'read' || ended.test(note.content.toString())) return;
      const content = `${note.content.toString().trimEnd()}\nended ${now.toISOString()}\n`;
      transaction.stage({ path: rewritingFile, content, mode: 0o644 });
    },
    { command },
  );
}

/** That was proven once: what uses an old key now was written since. */
export function wasRewritten(files: StoreFiles): boolean {
  const note = files.read(rewritingFile);
  return note.state === 'read' && ended.test(note.content.toString());
}

/** The highest number; those that kbin has not named come first of all. */
export function newestOf(names: readonly string[]): string {
  const [newest] = names.toSorted((one, other) => keyNumber(other) - keyNumber(one));
  if (newest === undefined) throw new Error('a key ring without keys');
  return newest;
}

function stageNewKey(names: readonly string[], name: string, transaction: Transaction): void {
  const text = `${randomBytes(32).toString('base64')}\n`;
  for (const file of keyFiles(keyRingPaths.key(id, name), keyRingPaths.keyDigest(id, name), text)) {
    transaction.stage(file);
  }
  stageOrder([...names, name], transaction);
}

function stageOrder(names: readonly string[], transaction: Transaction): void {
  for (const path of [keyRingPaths.order(id), keyRecord(id)]) {
    transaction.stage({ path, content: orderText(names), mode: 0o644 });
  }
}

function retire(
  names: readonly string[],
  newest: string,
  { files, transaction, now }: { files: StoreFiles; transaction: Transaction; now: Date },
): void {
  for (const name of names) {
    const text = textOf(files, keyRingPaths.key(id, name));
    const archived = archivedKeyPaths(id, name);
    refuseAnother(files, archived.key, text);
    for (const file of keyFiles(archived.key, archived.keyDigest, text)) transaction.stage(file);
    transaction.stage({ path: archived.retired, content: `${now.toISOString()}\n`, mode: 0o644 });
    transaction.remove(keyRingPaths.key(id, name));
    transaction.remove(keyRingPaths.keyDigest(id, name));
  }
  transaction.remove(rewritingFile);
  stageOrder([newest], transaction);
}

function keyFiles(path: string, digestPath: string, text: string): StoreFile[] {
  return [
    { path, content: text, mode: 0o600 },
    { path: digestPath, content: digestLine(text, basename(path)), mode: 0o644 },
  ];
}

function lastRetired(files: StoreFiles): Date | undefined {
  const times = retiredNames(id, files).flatMap((name) => {
    const note = files.read(archivedKeyPaths(id, name).retired);
    const date = new Date(note.state === 'read' ? note.content.toString('utf8').trim() : '');
    return Number.isNaN(date.getTime()) ? [] : [date.getTime()];
  });
  return times.length === 0 ? undefined : new Date(Math.max(...times));
}

/** It was put back out of the archive, where it still is; anything else there would be lost. */
function refuseAnother(files: StoreFiles, path: string, text: string): void {
  const present = files.read(path);
  if (present.state === 'absent' || (present.state === 'read' && present.content.toString() === text)) return;
  throw stop(`${files.place(path)} is there already, and is another key`, {
    why: 'a name is given to one key only: what is stored in etcd begins with it',
    next: 'move one of the two to a safe place: snapshots of etcd may need both',
  });
}

function textOf(files: StoreFiles, path: string): string {
  const reading = files.read(path);
  if (reading.state === 'read') return reading.content.toString('utf8');
  throw stop(`${files.place(path)} ${reading.state === 'absent' ? 'is missing' : 'cannot be read'}`, {
    why: reading.state === 'absent' ? 'this pki folder was made or copied without it' : reading.reason,
    next: 'rotate where the keys are kept',
  });
}

/** Whether the ring is whole is `pki init`'s to say in full; here it is enough that nothing is done with one that is not. */
function usableRing(files: StoreFiles): KeyRing {
  const ring = readKeyRing(id, files);
  if ((ring.order !== 'read' && ring.order !== 'guessed') || ring.keys.length === 0) {
    throw stop(`${files.place(id)} has no keys in an order that can be read`, {
      why: 'there is nothing to rotate, or it is damaged',
      next: 'run `kbin pki init`: it makes the first key, or says what is wrong',
    });
  }
  for (const { name } of ring.keys) textOf(files, keyRingPaths.key(id, name));
  return ring;
}

function stop(what: string, { why, next }: { why: string; next: string }): KbinError {
  return new KbinError(what, { step: `rotate ${id}, nothing was changed`, why, next });
}

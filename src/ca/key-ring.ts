import { digestIn, sha256 } from './digest.ts';
import type { FileReading, StoreFiles } from './store-files.ts';

/**
 * A key ring in the store, the keys that encrypt Secrets: a folder with
 *
 *     key1.key         256 random bits as base64, one line
 *     key1.key.sha256  its digest, as for every other key
 *     order            the names of the keys in use, one a line: the first encrypts, all of them decrypt
 *
 * `order` alone decides, and is written in one transaction with the keys it names. A rotation makes the key with the
 * next number and moves its name from line to line: last (everyone can read with it), then first (it encrypts), then
 * alone. A key that is in no line any more is retired to archive/, where it stays, since old snapshots of etcd need it.
 */
export const keyRingPaths = {
  order: (id: string): string => `${id}/order`,
  key: (id: string, name: string): string => `${id}/${name}.key`,
  keyDigest: (id: string, name: string): string => `${id}/${name}.key.sha256`,
};

/** Of a retired key; `retired` says when it was (ISO 8601, UTC): snapshots of etcd from before may need it. */
export function archivedKeyPaths(
  id: string,
  name: string,
): { readonly key: string; readonly keyDigest: string; readonly retired: string } {
  const stem = `archive/${id}/${name}`;
  return { key: `${stem}.key`, keyDigest: `${stem}.key.sha256`, retired: `${stem}.retired` };
}

/** Beside the folder: that keys were made once. A folder that was lost with all in it is then not taken for a new one. */
export const keyRecord = (id: string): string => `${id}-made`;

export const firstKey = 'key1';

export interface KeyRing {
  /** `guessed`: there is no such file, and one key only. */
  readonly order: 'absent' | 'guessed' | 'read' | 'malformed' | 'closed';
  /** Those in use: the first encrypts. Of `absent`, `malformed` and `closed` all that there are, by number. */
  readonly keys: readonly RingKey[];
  /** Keys were made once, says the record beside the folder. */
  readonly recorded: boolean;
}

export interface RingKey {
  readonly name: string;
  readonly file: FileReading;
  /** Hex, out of its digest file. */
  readonly digest: string | undefined;
}

export function readKeyRing(id: string, files: StoreFiles): KeyRing {
  const present = namesPresent(id, files);
  const keysOf = (names: readonly string[]): readonly RingKey[] =>
    names.map((name) => {
      const digest = files.read(keyRingPaths.keyDigest(id, name));
      return {
        name,
        file: files.read(keyRingPaths.key(id, name)),
        digest: digest.state === 'read' ? digestIn(digest.content.toString('utf8')) : undefined,
      };
    });
  const recorded = files.read(keyRecord(id)).state !== 'absent';
  const order = files.read(keyRingPaths.order(id));
  if (order.state === 'closed') return { order: 'closed', keys: keysOf(present), recorded };
  if (order.state === 'absent') {
    return { order: present.length === 1 ? 'guessed' : 'absent', keys: keysOf(present), recorded };
  }
  const names = order.content.toString('utf8').trimEnd().split('\n');
  const isOrder = names.every((name) => isRingKeyName(name)) && new Set(names).size === names.length;
  return isOrder
    ? { order: 'read', keys: keysOf(names), recorded }
    : { order: 'malformed', keys: keysOf(present), recorded };
}

export function orderText(names: readonly string[]): string {
  return names.map((name) => `${name}\n`).join('');
}

/**
 * What is stored in etcd has its key's name before it, so a name is never given a second time. kbin's own are key1, key2,
 * …; those of an adopted cluster are kept, as far as they can be the name of a file.
 */
export const isRingKeyName = (name: string): boolean =>
  /^key\d*$/.test(name) ? keyNumber(name) > 0 : /^[A-Za-z0-9]([A-Za-z0-9._-]{0,60}[A-Za-z0-9])?$/.test(name);

/** 0 for one that is not kbin's own. */
export const keyNumber = (name: string): number => Number(/^key([1-9]\d{0,5})$/.exec(name)?.[1] ?? 0);

/** Of those whose files, or whose digests, lie in that folder, by number. */
function namesPresent(folder: string, files: StoreFiles): readonly string[] {
  const names = files.list().flatMap((path) => {
    const name = path.startsWith(`${folder}/`)
      ? /^(.+)\.key(\.sha256)?$/.exec(path.slice(folder.length + 1))?.[1]
      : '';
    return name !== undefined && isRingKeyName(name) ? [name] : [];
  });
  return [...new Set(names)].sort((a, b) => keyNumber(a) - keyNumber(b));
}

/** Of keys in archive/. */
export function retiredNames(id: string, files: StoreFiles): readonly string[] {
  return namesPresent(`archive/${id}`, files);
}

/** One that no key of this ring has ever had, as far as the store knows. */
export function nextKeyName(id: string, files: StoreFiles): string {
  const inUse = readKeyRing(id, files).keys.map(({ name }) => name);
  const known = [...inUse, ...namesPresent(id, files), ...retiredNames(id, files)];
  return `key${Math.max(0, ...known.map(keyNumber)) + 1}`;
}

/** What is wrong with the bytes of such a key, or undefined. Never quotes them. */
export function keyMistake(content: Buffer): string | undefined {
  const text = content.toString('utf8').replace(/\r?\n$/, '');
  if (/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  return 'it is not one line with 32 bytes as base64';
}

/** Where the key is not, what its digest file says. */
export function ringKeyDigest({ file, digest }: RingKey): string | undefined {
  return file.state === 'read' ? sha256(file.content) : digest;
}

/** Whether there is anything at all: then it was made once, and is never made a second time. */
export function isMade({ order, keys }: KeyRing): boolean {
  return order !== 'absent' || keys.length > 0;
}

import type { StoreFiles } from './store-files.ts';
import type { StoreFile } from './transaction.ts';

/** The store's files as they will be with these in place and those gone: what follows from a change, before it is made. */
export function overlay(
  files: StoreFiles,
  put: readonly StoreFile[],
  removed: readonly string[],
): StoreFiles {
  const staged = new Map(put.map((file) => [file.path, file]));
  const isGone = (path: string): boolean => removed.includes(path) && !staged.has(path);
  return {
    read(path) {
      if (isGone(path)) return { state: 'absent' };
      const file = staged.get(path);
      if (file === undefined) return files.read(path);
      return { state: 'read', content: Buffer.from(file.content), mode: file.mode };
    },
    list: () => [...new Set([...files.list(), ...staged.keys()])].filter((path) => !isGone(path)),
    place: (path) => files.place(path),
  };
}

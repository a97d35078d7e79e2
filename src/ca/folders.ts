import { chmodSync, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileFailure } from './file-failure.ts';
import { storeFolders } from './layout.ts';
import { lockFile } from './lock.ts';

/** The certificate store that a path lies in or is, whichever cluster's; links are followed. The path need not exist. */
export function storeAround(path: string): string | undefined {
  for (let folder = realPath(path); ; folder = dirname(folder)) {
    if (isStore(folder)) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Its usual name and the lock tell it from a folder of somebody who calls his CAs alike. */
function isStore(folder: string): boolean {
  if (basename(folder) !== 'pki' && !existsSync(join(folder, lockFile))) return false;
  return storeFolders.some((name) => existsSync(join(folder, name)));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}

/** Takes other users' rights away from the store's folders, as a copy or a checkout leaves them; returns which. */
export function closeFolders(folder: string): string[] {
  return ['', ...storeFolders]
    .map((name) => join(folder, name))
    .filter((path) => {
      try {
        const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
        if ((mode & 0o077) === 0) return false;
        chmodSync(path, 0o700);
      } catch (error) {
        throw fileFailure(`cannot close ${path} to other users`, 'certificate store', error);
      }
      return true;
    });
}

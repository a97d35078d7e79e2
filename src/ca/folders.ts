import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileFailure } from './file-failure.ts';
import { storeFolders } from './layout.ts';

/** Takes other users' rights away from the store's folders, as a copy or a checkout leaves them; returns which. */
export function closeFolders(folder: string): string[] {
  return ['', ...storeFolders]
    .map((name) => join(folder, name))
    .filter((path) => {
      const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
      if ((mode & 0o077) === 0) return false;
      try {
        chmodSync(path, 0o700);
      } catch (error) {
        throw fileFailure(`cannot close ${path} to other users`, 'certificate store', error);
      }
      return true;
    });
}

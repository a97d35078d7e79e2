/** `node change-files.ts FOLDER`: changes and removes several files of a store in one transaction. */
import { openStore } from '../../../src/ca/store.ts';
import { changedFiles, removedFiles } from './changed-files.ts';

const store = await openStore(process.argv[2] ?? '');
await store.withLock(async (transaction) => {
  for (const path of changedFiles) {
    transaction.stage({
      path,
      content: `new content of ${path}\n`,
      mode: path.endsWith('.key') ? 0o600 : 0o644,
    });
  }
  for (const path of removedFiles) transaction.remove(path);
});

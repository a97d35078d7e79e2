/** `node hold-lock.ts FOLDER`: takes the store's lock, says so, and keeps it until it is killed. */
import { openStore } from '../../../src/ca/store.ts';

const store = await openStore(process.argv[2] ?? '');
await store.withLock(
  () =>
    new Promise(() => {
      process.stdout.write('held\n');
      setInterval(() => undefined, 1000);
    }),
  { command: 'kbin pki init' },
);

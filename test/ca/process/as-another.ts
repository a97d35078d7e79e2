// The store's lock as another user than root gets it; prints what stood in the way. argv: folder.
import { openStore } from '../../../src/ca/store.ts';

const nobody = 65_534;
if (process.getuid?.() === 0) {
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
}
const store = await openStore(process.argv[2] ?? '');
const said = await store.withLock(async () => 'locked', { patience: 0 }).catch((error: unknown) => error);
const { message = '', details = {} } = Object(said) as { message?: string; details?: object };
process.stdout.write(JSON.stringify({ message, details }));

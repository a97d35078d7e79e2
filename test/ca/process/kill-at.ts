/**
 * Loaded with `node --import`: kills its own process, as kill -9 does, at the KILL_AT-th time that it touches the file
 * system, before the effect; a write is cut in half. KILL_AT=0 only counts; the count goes to file descriptor 3.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env.KILL_AT);
let count = 0;

const effects = [
  'mkdirSync',
  'openSync',
  'fchmodSync',
  'writeFileSync',
  'fsync',
  'fsyncSync',
  'renameSync',
  'rmSync',
] as const;
const real = { writeSync: fs.writeSync };

for (const name of effects) {
  const original = fs[name] as (...args: unknown[]) => unknown;
  const counted = (...args: unknown[]): unknown => {
    count++;
    if (count === killAt) {
      const [descriptor, content] = args;
      if (name === 'writeFileSync' && content instanceof Uint8Array) {
        real.writeSync(descriptor as number, content.subarray(0, content.length / 2));
      }
      process.kill(process.pid, 'SIGKILL');
    }
    return original(...args);
  };
  Object.assign(fs, { [name]: counted });
}
syncBuiltinESMExports();

process.on('exit', () => {
  if (killAt === 0) real.writeSync(3, String(count));
});

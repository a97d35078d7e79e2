import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { programFolder } from './transcript.ts';

it('tells what is thrown where nobody waits for it, and ends', { timeout: 60_000 }, async () => {
  const program = join(await programFolder(), 'kbin.cjs');
  const folder = mkdtempSync(join(tmpdir(), 'kbin-main-'));
  const thrower = join(folder, 'thrower.cjs');
  writeFileSync(
    thrower,
    `process.on('newListener', (name) => {
       if (name === 'uncaughtException') process.nextTick(() => { throw new Error('nobody waited'); });
     });`,
  );
  const { status, stderr } = spawnSync(process.execPath, ['--require', thrower, program, 'plan'], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 30_000,
  });
  rmSync(folder, { recursive: true });
  expect(stderr.split('\n').slice(0, 3)).toEqual([
    'error: this is a defect of kbin, not of your input',
    '  next:  report it with the lines below; running the command again is safe',
    '  | Error: nobody waited',
  ]);
  expect(status).toBe(1);
});

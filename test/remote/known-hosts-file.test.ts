import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hostKey } from '../../src/remote/host-key.ts';
import { judge } from '../../src/remote/known-hosts.ts';
import { appendKnownHost, readKnownHosts } from '../../src/remote/known-hosts-file.ts';
import { temporaryFolder } from './temporary-folder.ts';

const blob = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIB6dD8dYDLbhW1xZ5PFk0mnQgWZ3gC6BmB8tZ9ApfyQW', 'base64');
const key = hostKey(blob);

test('makes the folder and the file for their owner alone', () => {
  const file = join(temporaryFolder(), '.ssh', 'known_hosts');
  appendKnownHost(file, { name: 'Node1', port: 2222 }, key, false);
  expect(readFileSync(file, 'utf8')).toBe(`[node1]:2222 ssh-ed25519 ${blob.toString('base64')}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
});

test('what it hashes, ssh-keygen finds, and so does kbin', () => {
  const file = join(temporaryFolder(), 'known_hosts');
  appendKnownHost(file, { name: '10.0.0.1', port: 22 }, key, true);
  expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
  expect(execFileSync('ssh-keygen', ['-F', '10.0.0.1', '-f', file]).toString()).toContain('found');
  expect(judge(readKnownHosts([file]), { name: '10.0.0.1', port: 22 }, key).kind).toBe('known');
});

test('a last line without its end is left whole', () => {
  const file = join(temporaryFolder(), 'known_hosts');
  writeFileSync(file, `other ssh-ed25519 ${blob.toString('base64')}`);
  appendKnownHost(file, { name: 'node1', port: 22 }, key, false);
  expect(readKnownHosts([file]).map((entry) => entry.names)).toEqual([['other'], ['node1']]);
});

test('several processes at once lose nothing', async () => {
  const file = join(temporaryFolder(), 'known_hosts');
  const script = `
    import { appendKnownHost } from '${new URL('../../src/remote/known-hosts-file.ts', import.meta.url).pathname}';
    const key = { type: 'ssh-ed25519', blob: Buffer.from('${blob.toString('base64')}', 'base64') };
    for (let i = 0; i < 50; i++) appendKnownHost('${file}', { name: process.argv[1] + i, port: 22 }, key, false);`;
  await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, name]),
    ),
  );
  const names = readKnownHosts([file]).map((entry) => entry.names[0]);
  expect(new Set(names).size).toBe(200);
  expect(names.length).toBe(200);
});

test('files are read in order, missing ones passed over, unreadable ones an error', () => {
  const folder = temporaryFolder();
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  appendKnownHost(second, { name: 'b', port: 22 }, key, false);
  appendKnownHost(first, { name: 'a', port: 22 }, key, false);
  const entries = readKnownHosts([first, join(folder, 'missing'), second]);
  expect(entries.map((entry) => entry.place)).toEqual([`${first}:1`, `${second}:1`]);
  mkdirSync(join(folder, 'directory'));
  expect(() => readKnownHosts([join(folder, 'directory')])).toThrow(/cannot read .*directory/);
});

test('says which file could not be written', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  chmodSync(join(folder, 'file'), 0o400);
  expect(() =>
    appendKnownHost(join(folder, 'file', 'known_hosts'), { name: 'a', port: 22 }, key, false),
  ).toThrow(/cannot write the host key of a to/);
});

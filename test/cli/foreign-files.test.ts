import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../ca/stores.ts';
import { kbin } from './in-process.ts';

test.each([
  ['x: *hunter9secret\n', 'an alias in it has no anchor'],
  [`${'hunter9secret '.repeat(4000)}\n"hunter9secret: [\n`, ' at line '],
])('pki show of a file that is nothing says where it stops, and quotes none of it', async (content, says) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'random'), content);
  const { code, out, err } = await kbin(folder, ['pki', 'show', 'random']);
  expect([code, err]).toEqual([1, expect.stringContaining('it is neither PEM nor DER nor YAML')]);
  expect(out + err).not.toContain('hunter9');
  expect(err).toContain(says);
});

test('pki revoke of a CA of somebody else names no rotation, for there is none', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'cluster.yaml'),
    'name: prod\nhosts: [{ name: m1, address: 10.0.0.1, roles: [etcd] }]\netcd: { version: 3.5.16 }\n',
  );
  await kbin(folder, ['pki', 'init']);
  const make = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout z.key -out z.crt';
  execFileSync('openssl', [...make.split(' '), '-subj', '/CN=kubernetes'], { cwd: folder, stdio: 'pipe' });
  const { code, err } = await kbin(folder, ['pki', 'revoke', 'z.crt']);
  expect([code, err]).toEqual([2, expect.stringContaining('is not a certificate of this cluster')]);
  expect(err).not.toContain('kbin pki rotate');
  const own = await kbin(folder, ['pki', 'revoke', 'pki/etcd-ca/ca.crt']);
  expect([own.code, own.err]).toEqual([2, expect.stringContaining('kbin pki rotate etcd-ca')]);
});

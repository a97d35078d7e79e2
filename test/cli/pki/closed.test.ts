import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kbin, type Said } from '../in-process.ts';

const nobody = 65_534;

let folder: string;
beforeAll(async () => {
  folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  chmodSync(folder, 0o755);
  writeFileSync(
    join(folder, 'cluster.yaml'),
    'name: prod\nhosts: [{ name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }]\netcd: { version: 3.5.16 }\nkubernetes: { version: 1.20.2 }\n',
  );
  execFileSync(
    'openssl',
    'req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout x.key -out x.csr -subj /CN=x'.split(
      ' ',
    ),
    { cwd: folder, stdio: 'pipe' },
  );
  await kbin(folder, ['pki', 'init']);
});
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+rwX', folder]);
  execFileSync('rm', ['-r', folder]);
});

/**
 * Root may read and write whatever the mode says: then it is another user who runs the command. What access(2) says is of
 * the real user, who cannot be changed back: test/ca/lock.test.ts.
 */
async function asAnother(argv: readonly string[]): Promise<Said> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(nobody);
  try {
    return await kbin(folder, argv, { KBIN_NEW_CA_PASSPHRASE: 'a passphrase of some length' });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

const reading = [
  ['pki', 'list'],
  ['pki', 'check', '--no-hosts'],
  ['pki', 'export', 'apiserver@m1'],
  ['pki', 'show', 'etcd-ca'],
];
const writing = [
  ['pki', 'init'],
  ['pki', 'renew', '--all'],
  ['pki', 'revoke', 'apiserver@m1'],
  ['pki', 'crl', 'etcd-ca'],
  ['pki', 'csr', 'etcd-ca', '--new-key'],
  ['pki', 'passphrase'],
  ['pki', 'sign', 'x.csr', '--profile', 'client', '--yes'],
];

const named = (commands: readonly string[][]) => commands.map((argv) => [argv.join(' '), argv] as const);

/** Octal modes of pki/ and of the folders in it. */
describe.each([
  ['the folders in it are closed', '755', '000', [...reading, ...writing]],
  ['all of it is closed', '000', '000', reading],
])('pki/ of somebody else: %s', (_name, own, below, commands) => {
  beforeAll(() => {
    execFileSync('sh', ['-c', `chmod ${below} pki/*/ && chmod ${own} pki`], { cwd: folder });
  });
  afterAll(() => {
    execFileSync('chmod', ['-R', 'u+rwX', join(folder, 'pki')]);
  });

  test.each(named(commands))('%s', async (_text, argv) => {
    const { code, err } = await asAnother(argv);
    expect(err).toMatch(
      /error: .*\n {2}where: .*\n {2}why: +(permission denied|you may not read it)\n {2}next: +run kbin as the user that owns the folder/,
    );
    expect([code, err]).toEqual([1, expect.not.stringContaining('defect')]);
  });
});

test.each(named(reading))('pki/ that may be read and not written: %s', async (_text, argv) => {
  execFileSync('chmod', ['-R', 'a+rX,a-w', join(folder, 'pki')]);
  const { code, err } = await asAnother(argv);
  expect([code === 0 || code === 3, err]).toEqual([true, expect.not.stringContaining('error:')]);
});

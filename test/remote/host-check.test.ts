import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprint } from '../../src/remote/host-key.ts';
import { refusal, setting } from './connected.ts';
import { keyPair } from './ssh-server.ts';

test('a known host is let through, and hashed entries count', async () => {
  const { connect, knownHosts, warnings } = await setting();
  await connect();
  execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'pipe' });
  expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/);
  await connect();
  expect(warnings).toEqual([]);
});

test('an unknown host is refused, with its fingerprint and the way to accept it; nobody logs in', async () => {
  const { connect, knownHosts, server } = await setting();
  writeFileSync(knownHosts, '');
  const error = await refusal(connect());
  const [hostKey] = server.hostKeys;
  expect(error.what).toBe(
    `the host key of node1 is unknown: ssh-ed25519 ${fingerprint(hostKey?.blob as Buffer)}`,
  );
  expect(error.next).toContain('--accept-new-host-keys');
  expect(error.next).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1 >>${knownHosts}`);
  expect(server.offers).toEqual([]);
});

test('without any known_hosts file a host is unknown', async () => {
  const { connect, knownHosts, server } = await setting();
  rmSync(knownHosts);
  expect((await refusal(connect())).what).toMatch(/is unknown/);
  expect(server.offers).toEqual([]);
});

test('--accept-new-host-keys writes the key down, once, and checks it from then on', async () => {
  const { connect, knownHosts, server, warnings } = await setting();
  rmSync(knownHosts);
  await connect({}, { acceptNewHostKeys: true });
  expect(readFileSync(knownHosts, 'utf8')).toBe(server.knownHosts);
  expect(statSync(knownHosts).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual([expect.stringContaining('accepted the new host key ssh-ed25519 SHA256:')]);
  await connect({}, { acceptNewHostKeys: true });
  expect(readFileSync(knownHosts, 'utf8')).toBe(server.knownHosts);
});

test('several new hosts at once are all written down', async () => {
  const first = await setting();
  const others = await Promise.all([1, 2, 3, 4].map(() => setting({ authorised: [first.key] })));
  writeFileSync(first.knownHosts, '');
  const hosts = Object.fromEntries(others.map(({ server }, index) => [`n${index}`, { port: server.port }]));
  const connect = first.connector(hosts, { acceptNewHostKeys: true });
  await Promise.all(Object.keys(hosts).map(connect));
  const lines = readFileSync(first.knownHosts, 'utf8').trim().split('\n');
  expect(lines.sort()).toEqual(others.map(({ server }) => server.knownHosts.trim()).sort());
});

test.each([false, true])(
  'a changed key is refused (--accept-new-host-keys %s), with file and line',
  async (accept) => {
    const { connect, knownHosts, server } = await setting();
    const old = keyPair();
    writeFileSync(knownHosts, `# mine\n[127.0.0.1]:${server.port} ${old.line}\n`);
    const error = await refusal(connect({}, { acceptNewHostKeys: accept }));
    expect(error.what).toMatch(/^THE HOST KEY OF node1 HAS CHANGED: ssh-ed25519 SHA256:/);
    expect(error.why).toContain(`${fingerprint(old.blob)} (${knownHosts}:2)`);
    expect(error.next).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}' -f ${knownHosts}`);
    expect(server.offers).toEqual([]);
    expect(readFileSync(knownHosts, 'utf8')).toContain(old.line);
  },
);

test('a host known by a key of another type than it shows has changed too', async () => {
  const { connect, knownHosts, server } = await setting();
  writeFileSync(knownHosts, `[127.0.0.1]:${server.port} ${keyPair('ecdsa').line}\n`);
  expect((await refusal(connect({}, { acceptNewHostKeys: true }))).what).toMatch(/HAS CHANGED/);
  expect(server.offers).toEqual([]);
});

test('a revoked key is refused even where it is known', async () => {
  const { connect, knownHosts, server } = await setting();
  appendFileSync(knownHosts, `@revoked * ${server.hostKeys[0]?.line}\n`);
  const error = await refusal(connect({}, { acceptNewHostKeys: true }));
  expect(error.what).toMatch(/is revoked/);
  expect(error.why).toContain(`${knownHosts}:2`);
  expect(server.offers).toEqual([]);
});

test('a certificate authority is no key: refused, and named', async () => {
  const { connect, knownHosts, server } = await setting();
  writeFileSync(knownHosts, `@cert-authority * ${server.hostKeys[0]?.line}\n`);
  const error = await refusal(connect());
  expect(error.what).toMatch(/is unknown/);
  expect(error.why).toMatch(
    /known_hosts:1 trusts a certificate authority .* does not check host certificates/,
  );
  expect(server.offers).toEqual([]);
});

test.each(['rsa', 'ecdsa', 'ed25519'] as const)(
  'of several keys the server shows the known one: %s',
  async (type) => {
    const hostKeys = [keyPair('ed25519'), keyPair('ecdsa'), keyPair('rsa')];
    const { connect, knownHosts, server } = await setting({ hostKeys });
    const known = hostKeys.find(({ file }) => file.endsWith(type));
    writeFileSync(knownHosts, `[127.0.0.1]:${server.port} ${known?.line}\n`);
    await connect();
  },
);

test('~/.ssh/config: UserKnownHostsFile, HostKeyAlias, accept-new, HashKnownHosts', async () => {
  const { connect, home, server, knownHosts } = await setting();
  mkdirSync(join(home, '.ssh'));
  const file = join(home, 'other known hosts');
  writeFileSync(
    join(home, '.ssh', 'config'),
    `Host 127.0.0.1
  UserKnownHostsFile "${file}"
  HostKeyAlias cluster-node
  StrictHostKeyChecking accept-new
  HashKnownHosts yes
`,
  );
  const own = { knownHosts: undefined } as never;
  await connect(own);
  expect(execFileSync('ssh-keygen', ['-F', 'cluster-node', '-f', file]).toString()).toContain(
    server.hostKeys[0]?.line,
  );
  expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
  writeFileSync(file, `cluster-node ${keyPair().line}\n`);
  expect((await refusal(connect(own))).what).toMatch(/HAS CHANGED/);
  expect(readFileSync(knownHosts, 'utf8')).toBe(server.knownHosts);
});

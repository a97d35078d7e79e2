import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SshSettings } from '../../src/cluster/cluster.ts';
import { parseJumps } from '../../src/remote/jump-spec.ts';
import { expandTokens } from '../../src/remote/ssh-tokens.ts';
import { type Target, targetOf } from '../../src/remote/target.ts';
import { clusterHost } from './cluster-of.ts';
import { temporaryFolder } from './temporary-folder.ts';

const HOME = '/home/me';

/** The target that node1 comes to with this ~/.ssh/config. */
function target(config: string, ssh: Partial<SshSettings> = {}, env: Record<string, string> = {}): Target {
  const folder = temporaryFolder();
  mkdirSync(join(folder, '.ssh'));
  writeFileSync(join(folder, '.ssh', 'config'), config);
  const files = { user: join(folder, '.ssh', 'config'), home: HOME, localUser: 'me' };
  return targetOf(clusterHost('node1', { host: 'node1', ...ssh }), { files, env, acceptNewHostKeys: false });
}

describe('targetOf', () => {
  test('without any configuration: what OpenSSH does', () => {
    expect(target('')).toEqual({
      name: 'node1',
      host: 'node1',
      port: 22,
      user: 'me',
      identity: {
        otherFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => `${HOME}/.ssh/${name}`),
        only: false,
      },
      hostKeys: {
        known: { name: 'node1', port: 22 },
        newKeysTo: `${HOME}/.ssh/known_hosts`,
        files: [
          `${HOME}/.ssh/known_hosts`,
          `${HOME}/.ssh/known_hosts2`,
          '/etc/ssh/ssh_known_hosts',
          '/etc/ssh/ssh_known_hosts2',
        ],
        acceptNew: false,
        hashNames: false,
      },
      connectTimeout: 30,
      keepAlive: 10,
      jumps: [],
    });
  });

  test('cluster.yaml wins over ~/.ssh/config', () => {
    const config = `User theirs
Port 2200
IdentityFile ~/.ssh/theirs
UserKnownHostsFile ~/.ssh/their_hosts
ProxyJump theirs
ConnectTimeout 5
`;
    const own = {
      user: 'ops',
      port: 2222,
      identityFile: '/keys/mine',
      knownHosts: '/keys/known_hosts',
      jumpHost: 'none',
    };
    const found = target(config, own);
    expect(found).toMatchObject({ user: 'ops', port: 2222, jumps: [], connectTimeout: 30 });
    expect(found.identity).toEqual({ file: '/keys/mine', otherFiles: [`${HOME}/.ssh/theirs`], only: false });
    expect(found.hostKeys.files[0]).toBe('/keys/known_hosts');
    expect(found.hostKeys.newKeysTo).toBe('/keys/known_hosts');
  });

  test('a longer ConnectTimeout than the one of cluster.yaml counts', () => {
    expect(target('ConnectTimeout 2m').connectTimeout).toBe(120);
    expect(target('ConnectTimeout 3').connectTimeout).toBe(30);
  });

  test('tokens in paths, aliases, and IPv6 addresses', () => {
    const found = target(
      `Host node1
  HostName fd00::%h
  Port 2222
  User ops
  IdentityFile ~/.ssh/%r@%h-%n
  UserKnownHostsFile %d/known/\${CLUSTER}-%p "~/with space"
  HostKeyAlias the-node
`,
      {},
      { CLUSTER: 'prod' },
    );
    expect(found.host).toBe('fd00::node1');
    expect(found.identity.otherFiles).toEqual([`${HOME}/.ssh/ops@fd00::node1-node1`]);
    expect(found.hostKeys.files.slice(0, 2)).toEqual([`${HOME}/known/prod-2222`, `${HOME}/with space`]);
    expect(found.hostKeys.known).toEqual({ name: 'the-node', port: 22 });
  });

  test('the agent: of the environment, of the configuration, or none', () => {
    const env = { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' };
    const socket = (config: string, agent = true) => target(config, { agent }, env).identity.agentSocket;
    expect(socket('')).toBe('/run/agent');
    expect(socket('IdentityAgent SSH_AUTH_SOCK')).toBe('/run/agent');
    expect(socket('IdentityAgent $OTHER')).toBe('/run/other');
    expect(socket('IdentityAgent ~/agent.sock')).toBe(`${HOME}/agent.sock`);
    expect(socket('IdentityAgent none')).toBeUndefined();
    expect(socket('', false)).toBeUndefined();
  });

  test.each([
    ['yes', false],
    ['ask', false],
    ['accept-new', true],
    ['no', true],
  ])('StrictHostKeyChecking %s: new keys accepted %s', (value, accepted) => {
    expect(target(`StrictHostKeyChecking ${value}`).hostKeys.acceptNew).toBe(accepted);
  });

  test('without a known_hosts file of the user, the global ones are read and none is written', () => {
    const { hostKeys } = target('UserKnownHostsFile none');
    expect(hostKeys.newKeysTo).toBeUndefined();
    expect(hostKeys.files).toEqual(['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']);
  });

  test('jump hosts of jump hosts, each with its own settings', () => {
    const config = `Host outer
  HostName 192.0.2.1
  User gate
Host middle
  Port 2222
  ProxyJump outer
Host node1
  ProxyJump middle,inner
`;
    const found = target(config, { user: 'ops' });
    expect(
      found.jumps.map(({ name, user, host, port, jumps }) => ({ name, user, host, port, jumps })),
    ).toEqual([
      { name: 'outer', user: 'gate', host: '192.0.2.1', port: 22, jumps: [] },
      { name: 'middle', user: 'ops', host: 'middle', port: 2222, jumps: [] },
      { name: 'inner', user: 'ops', host: 'inner', port: 22, jumps: [] },
    ]);
  });

  test('a circle of jump hosts is an error', () => {
    const config = 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost node1\n  ProxyJump a\n';
    expect(() => target(config)).toThrow('the way to node1 leads through more than 8 jump hosts');
  });
});

describe('parseJumps', () => {
  test.each([
    ['none', []],
    ['bastion', [{ text: 'bastion', host: 'bastion' }]],
    [
      'ops@bastion:2222, 10.0.0.1',
      [
        { text: 'ops@bastion:2222', host: 'bastion', user: 'ops', port: 2222 },
        { text: '10.0.0.1', host: '10.0.0.1' },
      ],
    ],
    ['a@b@[fd00::1]:22', [{ text: 'a@b@[fd00::1]:22', host: 'fd00::1', user: 'a@b', port: 22 }]],
    ['fd00::1', [{ text: 'fd00::1', host: 'fd00::1' }]],
    [
      'ssh://ops@bastion:2200/',
      [{ text: 'ssh://ops@bastion:2200/', host: 'bastion', user: 'ops', port: 2200 }],
    ],
  ])('%s', (text, expected) => {
    expect(parseJumps(text)).toEqual(expected);
  });

  test.each(['', '@host', 'host:', 'host:0', 'host:70000', 'a b', '[fd00::1'])('%j is none', (text) => {
    expect(() => parseJumps(text)).toThrow('is no jump host');
  });
});

test('expandTokens knows all of them, and leaves others alone', () => {
  const values = {
    home: '/h',
    localUser: 'me',
    originalHost: 'alias',
    host: 'real',
    port: 2222,
    user: 'ops',
    jump: 'j',
  };
  const expand = (text: string) => expandTokens(text, values, { VAR: 'value' });
  expect(expand('%%-%d-%h-%j-%k-%l-%n-%p-%r-%u-%z')).toBe(
    `%-/h-real-j-alias-${hostname()}-alias-2222-ops-me-%z`,
  );
  expect(expand('%L.%i')).toBe(`${hostname().split('.')[0]}.${process.getuid?.()}`);
  expect(expand(`\${VAR}-\${MISSING}`)).toBe('value-');
  expect(expand('~/x')).toBe('/h/x');
  expect(expand('a~/x')).toBe('a~/x');
  expect(expand('%C')).toMatch(/^[0-9a-f]{40}$/);
});

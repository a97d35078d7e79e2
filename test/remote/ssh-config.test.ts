import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSshConfig, type SshOptions } from '../../src/remote/ssh-config.ts';
import { temporaryFolder } from './temporary-folder.ts';

const keywords = [
  'connecttimeout',
  'hashknownhosts',
  'hostkeyalias',
  'hostname',
  'identitiesonly',
  'identityagent',
  'identityfile',
  'port',
  'proxycommand',
  'proxyjump',
  'stricthostkeychecking',
  'user',
  'userknownhostsfile',
];

/** What ssh itself makes of a configuration: its keywords, each value as one string. */
function realSsh(file: string, host: string, ...flags: string[]): Map<string, string[]> {
  const output = execFileSync('ssh', ['-G', '-F', file, ...flags, host], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const found = new Map<string, string[]>();
  for (const line of output.toString().trim().split('\n')) {
    const [keyword = '', ...rest] = line.split(' ');
    found.set(keyword, [...(found.get(keyword) ?? []), rest.join(' ')]);
  }
  return found;
}

function compare(options: SshOptions, real: Map<string, string[]>, defaults: Map<string, string[]>): void {
  for (const keyword of keywords) {
    const own = options.get(keyword);
    let said = own && (keyword === 'identityfile' ? [...own] : [own.join(' ')]);
    if (keyword === 'hostname')
      said = said?.map((name) => name.replaceAll('%h', real.get('host')?.[0] ?? ''));
    // ssh -G prints these expanded; kbin expands them later (target.ts).
    if (keyword === 'userknownhostsfile') said = said?.map((files) => files.replaceAll('~', homedir()));
    expect([keyword, said ?? defaults.get(keyword)]).toEqual([keyword, real.get(keyword)]);
  }
}

const corpus: Record<string, string> = {
  'aliases, first value wins, defaults last': `
Host node1
  HostName 192.168.31.71
  User ops
  Port 2222
Host node? !node3
  User second
  IdentityFile ~/.ssh/cluster
  IdentityFile "/keys/with space"
Host *
  User last
  IdentityFile ~/.ssh/id_ed25519
  IdentityFile ~/.ssh/cluster
  ConnectTimeout 7
`,
  'before any Host': `
Port=2200
User = early
Host node1
  Port 1
`,
  'odd spelling': `
host NODE1 node1
\thOSTnAME  10.0.0.9   # the first
\tidentitiesonly yes
\tPROXYJUMP ops@bastion:2222,inner
\tStrictHostKeyChecking accept-new
`,
  'known hosts and agent': `
Host *.example.org
  UserKnownHostsFile ~/.ssh/kh1 ~/.ssh/kh2
  IdentityAgent /run/agent.sock
  HostKeyAlias cluster-node
  HashKnownHosts yes
  HostName %h.internal
Host node2
  ProxyCommand ssh -W "%h:%p" -q bastion
  ProxyJump ignored
Host node3
  ProxyJump first
  ProxyCommand ssh -W %h:%p second
`,
  match: `
Match user ops
  Port 2001
Match host 10.0.*,node3
  Port 2002
Match originalhost node2 exec "test %n = node2"
  User fromexec
Match !host node1 exec "false"
  User never
Match !originalhost node1,node2
  IdentityFile ~/.ssh/others
Match localuser ${userInfo().username}
  IdentitiesOnly yes
Match all
  ConnectTimeout 3
`,
  'match final': `
Host short
  HostName long.example.org
Host long.example.org
  Port 2003
Match final host *.example.org
  User final
`,
};

describe('as `ssh -G`', () => {
  const empty = '/dev/null';
  const hosts = ['node1', 'node2', 'node3', 'node12', 'node', 'a.example.org', '10.0.0.1', 'short'];
  for (const [name, text] of Object.entries(corpus)) {
    test(name, () => {
      const file = join(temporaryFolder(), 'config');
      writeFileSync(file, text);
      const files = { user: file, home: homedir(), localUser: userInfo().username };
      for (const host of hosts) {
        compare(readSshConfig(files, { host }), realSsh(file, host), realSsh(empty, host));
        const asOps = readSshConfig(files, { host, user: 'ops', port: 22 });
        compare(asOps, realSsh(file, host, '-l', 'ops', '-p', '22'), realSsh(empty, host));
      }
    });
  }

  test('Include, with globs, within a Host section and nested', () => {
    const parts = temporaryFolder();
    writeFileSync(join(parts, '10-a.conf'), 'Host node1\n  Port 2010\nHost *\n  User included\n');
    writeFileSync(join(parts, '20-b.conf'), 'Host node1\n  Port 2020\n  IdentityFile ~/.ssh/b\n');
    writeFileSync(join(parts, 'only-node2'), `ConnectTimeout 9\nInclude ${join(parts, 'deeper')}\n`);
    writeFileSync(join(parts, 'deeper'), 'Host *\n  HostKeyAlias deep\n');
    const file = join(parts, 'config');
    writeFileSync(
      file,
      `Include ${join(parts, '*.conf')} ${join(parts, 'missing')}
Host node2
  Include ${join(parts, 'only-node2')}
  Port 2030
Host *
  Port 2040
`,
    );
    const files = { user: file, home: homedir(), localUser: userInfo().username };
    for (const host of ['node1', 'node2', 'node3']) {
      compare(readSshConfig(files, { host }), realSsh(file, host), realSsh(empty, host));
    }
  });
});

test('relative Includes are below ~/.ssh, those of the system file beside it', () => {
  const home = temporaryFolder();
  const etc = temporaryFolder();
  mkdirSync(join(home, '.ssh', 'conf.d'), { recursive: true });
  mkdirSync(join(etc, 'ssh_config.d'));
  writeFileSync(join(home, '.ssh', 'config'), 'Include conf.d/*\n');
  writeFileSync(join(home, '.ssh', 'conf.d', 'one'), 'User mine\n');
  writeFileSync(join(etc, 'ssh_config'), 'Include ssh_config.d/*.conf\nUser theirs\n');
  writeFileSync(join(etc, 'ssh_config.d', 'a.conf'), 'Port 2222\n');
  const files = {
    user: join(home, '.ssh', 'config'),
    system: join(etc, 'ssh_config'),
    home,
    localUser: 'me',
  };
  expect(Object.fromEntries(readSshConfig(files, { host: 'x' }))).toEqual({ user: ['mine'], port: ['2222'] });
});

test('no files, no settings', () => {
  const files = {
    user: '/nonexistent/config',
    system: '/nonexistent/ssh_config',
    home: '/',
    localUser: 'me',
  };
  expect(readSshConfig(files, { host: 'x' }).size).toBe(0);
});

test('a file that includes itself, and one that cannot be read, are errors', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'config');
  writeFileSync(file, `Include ${file}\n`);
  const files = { user: file, home: folder, localUser: 'me' };
  expect(() => readSshConfig(files, { host: 'x' })).toThrow(/includes itself/);
  writeFileSync(file, 'IdentityFile "/never/closed\n');
  expect(() => readSshConfig(files, { host: 'x' })).toThrow(/cannot read the SSH configuration/);
});

import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, open, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KbinError } from '../../src/errors.ts';
import { parseProbe } from '../../src/observe/parse.ts';
import { probe } from '../../src/observe/probe.ts';
import type { ProbeRequest } from '../../src/observe/request.ts';
import { LocalHost } from '../remote/local-host.ts';

const nothing: ProbeRequest = {
  paths: [],
  texts: [],
  ownedFolders: [],
  units: [],
  states: [],
  ports: [],
  users: [],
  groups: [],
  folders: [],
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const me = userInfo().username;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kbin probe's "));
});
afterEach(() => rm(root, { recursive: true }));

const look = (request: Partial<ProbeRequest>, host = new LocalHost()) =>
  probe(host, { ...nothing, ...request }, Date.now);

test('files, folders and links as they are, whatever their names', async () => {
  const odd = join(root, `it's "odd" $HOME *`);
  const [folder, link, dangling, missing] = ['folder', 'link', 'dangling', 'missing'].map((name) =>
    join(root, name),
  ) as [string, string, string, string];
  await writeFile(odd, 'a\n');
  await chmod(odd, 0o4640);
  await mkdir(folder, { mode: 0o700 });
  await symlink(odd, link);
  await symlink('no where', dangling);

  const { paths } = await look({ paths: [missing, odd, folder, link, dangling], texts: [odd, missing] });
  const owner = { owner: me, group: expect.any(String) };
  expect(Object.fromEntries(paths)).toEqual({
    [odd]: { type: 'file', mode: 0o4640, ...owner, size: 2, sha256: sha256('a\n'), text: 'a\n' },
    [folder]: { type: 'directory', mode: 0o700, ...owner },
    [link]: { type: 'link', mode: 0o777, ...owner, target: odd, sha256: sha256('a\n') },
    [dangling]: { type: 'link', mode: 0o777, ...owner, target: 'no where' },
  });
});

test('digests are computed: the same size and modification time hide nothing', async () => {
  const file = join(root, 'file');
  const digestOf = async (text: string) => {
    await writeFile(file, text);
    await utimes(file, 1_000_000_000, 1_000_000_000);
    return (await look({ paths: [file] })).paths.get(file)?.sha256;
  };
  expect(await digestOf('before')).toBe(sha256('before'));
  expect(await digestOf('behind')).toBe(sha256('behind'));
});

test('a file that cannot be read is an error, not a difference', async () => {
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'bin/sha256sum'), '#!/bin/sh\necho Permission denied >&2; exit 1\n', {
    mode: 0o755,
  });
  const host = new LocalHost('local', { PATH: `${join(root, 'bin')}:${process.env.PATH}` });
  await expect(look({ paths: ['/etc/passwd'] }, host)).rejects.toThrow(KbinError);
});

test('what kind of data directory, and whose', async () => {
  const wal = Buffer.from(
    '040000000000008408041000000000001e00000000000082080110bcf7e7f4051a1408a0bddda3b2bbac9b4010bbceb381a8e2acb22200000e',
    'hex',
  );
  const at = (name: string) => ({
    directory: join(root, name),
    wal: join(root, name, 'member/wal'),
    marker: join(root, `${name}.json`),
  });
  await mkdir(join(root, 'empty/lost+found'), { recursive: true });
  await mkdir(join(root, 'foreign'));
  await writeFile(join(root, 'foreign/postgresql.conf'), '');
  await mkdir(join(root, 'begun/member/snap'), { recursive: true });
  await mkdir(join(root, 'begun/member/wal.tmp'), { recursive: true });
  await writeFile(join(root, 'begun/member/wal.tmp/0.tmp'), '');
  await writeFile(join(root, 'begun/member/snap/db'), Buffer.alloc(20 * 1024));
  // What people type: rm -rf /var/lib/etcd/member/wal.
  await mkdir(join(root, 'logless/member/snap'), { recursive: true });
  await writeFile(join(root, 'logless/member/snap/db'), Buffer.alloc(1024 * 1024));
  // While a first start writes its log, on a slow disk: what bbolt sets aside, and no key in it.
  const reserved = 16 * 1024 * 1024 + 24 * 1024;
  for (const [name, size] of [
    ['starting', reserved],
    ['restored', reserved + 4096],
  ] as const) {
    await mkdir(join(root, name, 'member/wal.tmp'), { recursive: true });
    await writeFile(join(root, name, 'member/wal.tmp/0000000000000000-0000000000000000.wal'), '');
    await mkdir(join(root, name, 'member/snap'));
    await writeFile(join(root, name, 'member/snap/db'), Buffer.alloc(size));
  }
  await mkdir(join(root, 'data/member/wal'), { recursive: true });
  await writeFile(join(root, 'data/member/wal/0000000000000000-0000000000000000.wal'), wal);
  const marker = { clusterId: '2264b312802ce73b', memberId: '4036b1db24775ea0', name: 'node1' };
  await writeFile(join(root, 'data.json'), JSON.stringify(marker));

  const states = ['absent', 'empty', 'foreign', 'begun', 'logless', 'starting', 'restored', 'data'].map(at);
  const { dataDirectories } = await look({ states });
  expect([...dataDirectories.values()]).toEqual([
    { state: 'absent' },
    { state: 'empty' },
    { state: 'foreign' },
    { state: 'empty' },
    { state: 'foreign' },
    { state: 'empty' },
    { state: 'foreign' },
    { state: 'data', identity: { clusterId: marker.clusterId, memberId: marker.memberId }, marker },
  ]);

  await writeFile(join(root, 'data.json'), '{}');
  await expect(look({ states })).rejects.toMatchObject({ details: { host: 'local' } });
});

test('a database that an etcd has open gets its log within moments: that is waited for', async () => {
  const directory = join(root, 'starting');
  const wal = join(directory, 'member/wal');
  const states = [{ directory, wal, marker: join(root, 'none.json') }];
  await mkdir(join(directory, 'member/snap'), { recursive: true });
  const db = await open(join(directory, 'member/snap/db'), 'w');
  try {
    await db.truncate(16_801_792);
    const begun = sleep(400).then(async () => {
      await mkdir(join(directory, 'log'));
      await writeFile(join(directory, 'log/0000000000000000-0000000000000000.wal'), '');
      await rename(join(directory, 'log'), wal);
    });
    const { dataDirectories } = await look({ states });
    expect(dataDirectories.get(directory)?.state).toBe('data');
    await begun;
  } finally {
    await db.close();
  }
  await rm(wal, { recursive: true });
  const { dataDirectories } = await look({ states });
  expect(dataDirectories.get(directory)?.state).toBe('foreign');
});

test('facts of the host, with its clock compared', async () => {
  const { facts } = await look({ folders: [join(root, 'not yet/there')] });
  expect(facts).toMatchObject({
    hostName: hostname(),
    machine: expect.stringMatching(/^(x86_64|aarch64)$/),
    distribution: expect.stringMatching(/./),
    kernel: expect.stringMatching(/^\d/),
    init: expect.stringMatching(/./),
  });
  expect(Math.abs(facts.clockOffset)).toBeLessThan(0.1);
  expect(facts.freeBytes.get(join(root, 'not yet/there'))).toBeGreaterThan(0);

  const behind = await probe(new LocalHost(), nothing, () => Date.now() + 90_000);
  expect(behind.facts.clockOffset).toBeGreaterThan(-95);
  expect(behind.facts.clockOffset).toBeLessThan(-85);

  // Somebody types the password for sudo, a minute long, before the script begins: that says nothing about the clock.
  const asked = [Date.now() - 60_000];
  const slow = await probe(new LocalHost(), nothing, () => asked.pop() ?? Date.now());
  expect(Math.abs(slow.facts.clockOffset)).toBeLessThan(0.1);
});

test('who listens on a port, with ss and without', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const { listeners } = await look({ ports: [port] });
  expect(listeners).toMatchObject([{ port, address: '127.0.0.1' }]);
  server.close();

  const line = (keyword: string, rest: string) => `${keyword} ${rest}\n`;
  const { listeners: fromProc } = parseProbe(
    'h',
    { ...nothing, ports: [2379, 22] },
    bare(line('tcp', '0100007F:094B') + line('tcp', '00000000000000000000000001000000:0016')),
    { sent: 0, received: 0 },
  );
  expect(fromProc).toEqual([
    { port: 2379, address: '127.0.0.1' },
    { port: 22, address: '0:0:0:0:0:0:0:1' },
  ]);
});

test('accounts, leftovers of a cut-off run, and files of another owner', async () => {
  await mkdir(join(root, 'data'));
  await writeFile(join(root, 'data/file'), '');
  await writeFile(join(root, '.kbin-new-etcd'), '');
  const ownedFolders = ['daemon', me].map((owner) => ({ path: join(root, 'data'), owner }));
  const request = { users: [me, 'no-such-user'], groups: ['root', 'no-such-group'], folders: [root] };
  const mine = await look({ ...request, paths: [join(root, 'data')], ownedFolders: ownedFolders.slice(1) });
  expect(mine.accounts).toEqual([me, ':root']);
  expect(mine.leftovers).toEqual([join(root, '.kbin-new-etcd')]);
  expect(mine.paths.get(join(root, 'data'))?.foreignEntries).toBe(false);
  const theirs = await look({ paths: [join(root, 'data')], ownedFolders: ownedFolders.slice(0, 1) });
  expect(theirs.paths.get(join(root, 'data'))?.foreignEntries).toBe(true);
});

const bare = (more: string) =>
  `kbin-probe 1\nclock 1.5\nhostname h\nmachine x86_64\nkernel 6.1\ninit systemd\npresent \nhashed \n${more}clock 2\nend\n`;

test('units by systemctl, with what the running process was started with', () => {
  const unit = (properties: Record<string, string>) =>
    Object.entries(properties).map(([name, value]) => `unit ${name}=${value}\n`);
  const running = unit({
    MainPID: '42',
    Result: 'success',
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    DropInPaths: '/etc/systemd/system/etcd.service.d/a.conf /run/b.conf',
    UnitFileState: 'enabled',
    NeedDaemonReload: 'yes',
  });
  const missing = unit({ MainPID: '0', LoadState: 'not-found', ActiveState: 'inactive', SubState: 'dead' });
  const { units } = parseProbe(
    'h',
    { ...nothing, units: ['etcd.service', 'none.service'] },
    bare(
      [
        ...running,
        'unit \n',
        ...missing,
        'inherited ETCD_DEBUG\n',
        'process 0 1 abc123\n',
        `settings 0 ${Buffer.from('ETCD_NAME=h\nETCD_CORS=a=b "c" é\n').toString('hex')}\n`,
        `argv 0 ${Buffer.from('/opt/etcd\0--force\0').toString('hex')}\n`,
      ].join(''),
    ),
    { sent: 0, received: 0 },
  );
  expect(Object.fromEntries(units)).toEqual({
    'etcd.service': {
      loadState: 'loaded',
      activeState: 'active',
      subState: 'running',
      enabled: 'enabled',
      needDaemonReload: true,
      dropIns: ['/etc/systemd/system/etcd.service.d/a.conf', '/run/b.conf'],
      mainPid: 42,
      runningInputs: 'abc123',
      executableReplaced: true,
      result: 'success',
      process: {
        argv: ['/opt/etcd', '--force'],
        settings: { ETCD_NAME: 'h', ETCD_CORS: 'a=b "c" é' },
        inherited: ['ETCD_DEBUG'],
      },
    },
    'none.service': {
      loadState: 'not-found',
      activeState: 'inactive',
      subState: 'dead',
      enabled: '',
      needDaemonReload: false,
      dropIns: [],
      mainPid: 0,
      executableReplaced: false,
      result: '',
    },
  });
});

test.each([
  ['nothing', ''],
  ['a login message before it', `Welcome!\n${bare('')}`],
  ['its end cut off', bare('').slice(0, -4)],
  ['a line too few', bare('').replace('hashed \n', '')],
  ['a digest for no file', bare(`sha256 ${'0'.repeat(64)}\n`)],
  ['a present path without its status', bare('').replace('present ', 'present 1')],
  ['a clock that is none', bare('').replace('clock 2', 'clock two')],
  ['half a byte', bare('leftover abc\n')],
])('an answer that is malformed is an error: %s', (_, output) => {
  const parse = () => parseProbe('node1', nothing, output, { sent: 0, received: 0 });
  expect(parse).toThrow(KbinError);
  expect(parse).toThrow(expect.objectContaining({ details: expect.objectContaining({ host: 'node1' }) }));
});

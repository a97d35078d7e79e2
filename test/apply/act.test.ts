import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  act,
  clean,
  folder,
  type Operation,
  own,
  prune,
  rename,
  restore,
  setAside,
  switchTo,
  sync,
  write,
} from '../../src/apply/operations.ts';
import { KbinError } from '../../src/errors.ts';
import { LocalHost } from '../remote/local-host.ts';

const { uid, gid } = userInfo();
const mine = (mode: number) => ({ mode, owner: `${uid}`, group: `${gid}` });

let root: string;
let host: LocalHost;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kbin act's "));
  host = new LocalHost('node1', { KBIN_RUN: join(root, 'run') });
});
afterEach(() => rm(root, { recursive: true }));

const at = (...names: string[]) => join(root, ...names);
const doing = (...operations: Operation[]) => act(host, 'commit', operations);
const text = (path: string) => readFile(path, 'utf8');
const bundle = async (name: string, content: string) => {
  await mkdir(at(name));
  await writeFile(at(name, 'server.crt'), content);
};

test('folders, owners, modes and small files, again and again', async () => {
  for (const _ of ['once', 'twice']) {
    await doing(
      folder(at('a/b'), mine(0o700)),
      write(at('a/b/marker.json'), mine(0o640), '{"name":"it\'s"}'),
      own(at('a/b/marker.json'), mine(0o600)),
      sync(at('a/b')),
    );
  }
  expect((await stat(at('a/b'))).mode & 0o7777).toBe(0o700);
  expect((await stat(at('a/b/marker.json'))).mode & 0o7777).toBe(0o600);
  expect(await text(at('a/b/marker.json'))).toBe('{"name":"it\'s"}\n');
  expect(await readdir(at('a/b'))).toEqual(['marker.json']);
});

test('what is set aside stays as it was last, through all that comes after', async () => {
  for (const content of ['first', 'second']) {
    await writeFile(at('etcd.service'), content);
    await writeFile(at('.kbin-new-etcd.service'), 'kbin');
    const put = rename(at('.kbin-new-etcd.service'), at('etcd.service'));
    await doing(setAside(at('etcd.service')), put, clean(at('etcd.service')));
    expect(await text(at('etcd.service'))).toBe('kbin');
    expect(await text(at('etcd.service.before-kbin'))).toBe(content);
  }
});

test('a renamed file can be brought back, and a cleaned one not', async () => {
  await writeFile(at('etcd'), 'former');
  const put = async (content: string) => {
    await writeFile(at('.kbin-new-etcd'), content);
    await doing(rename(at('.kbin-new-etcd'), at('etcd')));
  };
  await put('new');
  expect(await text(at('etcd'))).toBe('new');
  await doing(restore(at('etcd')));
  expect(await text(at('etcd'))).toBe('former');
  expect((await readdir(root)).sort()).toEqual(['etcd', 'run']);

  await put('new');
  await doing(clean(at('etcd')), restore(at('etcd')));
  expect(await text(at('etcd'))).toBe('new');
});

test('what is cleaned is what belongs to that path: others may be in the middle of their work', async () => {
  const own = ['.kbin-old-etcd', '.kbin-new-etcd', '.kbin-link-etcd', '.kbin-0123456789ab-etcd'];
  const others = ['.kbin-old-kube-etcd', '.kbin-0123456789ab-etcdctl', '.kbin-new-tls'];
  for (const name of [...own, ...others, 'etcd']) await writeFile(at(name), '');
  await doing(clean(at('etcd')));
  expect((await readdir(root)).sort()).toEqual([...others, 'etcd', 'run'].sort());
});

test('what was kept stays the last proven state when two runs in a row fail', async () => {
  await writeFile(at('conf'), 'proven');
  for (const content of ['bad', 'worse']) {
    await writeFile(at('.kbin-new-conf'), content);
    await doing(rename(at('.kbin-new-conf'), at('conf')));
  }
  await doing(restore(at('conf')));
  expect(await text(at('conf'))).toBe('proven');
});

test('a bundle is switched as one, brought back as one, and its oldest folders go', async () => {
  const link = at('tls');
  for (const digest of ['a', 'b', 'c']) {
    await bundle('.kbin-new-tls', digest);
    await doing(switchTo(at('.kbin-new-tls'), link, at(`.tls-${digest.repeat(16)}`)));
    expect(await readlink(link)).toBe(`.tls-${digest.repeat(16)}`);
    expect(await text(join(link, 'server.crt'))).toBe(digest);
    if (digest !== 'c') await doing(prune(link), clean(link));
  }
  await doing(restore(link));
  expect(await text(join(link, 'server.crt'))).toBe('b');
  await bundle('.kbin-new-tls', 'c');
  await doing(switchTo(at('.kbin-new-tls'), link, at(`.tls-${'c'.repeat(16)}`)), prune(link), clean(link));
  expect((await readdir(root)).sort()).toEqual([
    `.tls-${'b'.repeat(16)}`,
    `.tls-${'c'.repeat(16)}`,
    'run',
    'tls',
  ]);
});

test('a bundle that was changed by hand is put right without its link ever leading nowhere', async () => {
  const target = `.tls-${'a'.repeat(16)}`;
  await bundle(target, 'changed by hand');
  await symlink(target, at('tls'));
  await bundle('.kbin-new-tls', 'right');
  await doing(switchTo(at('.kbin-new-tls'), at('tls'), at(target)), clean(at('tls')));
  expect(await readlink(at('tls'))).toBe(target);
  expect(await text(at('tls', 'server.crt'))).toBe('right');
});

test('a hand-made folder where a bundle belongs is moved aside and can be brought back', async () => {
  await bundle('tls', 'by hand');
  await bundle('.kbin-new-tls', 'by kbin');
  await doing(switchTo(at('.kbin-new-tls'), at('tls'), at('.tls-0123456789abcdef')));
  expect(await text(at('tls', 'server.crt'))).toBe('by kbin');
  expect(await text(at('tls.before-kbin', 'server.crt'))).toBe('by hand');
  await doing(restore(at('tls')));
  expect(await text(at('tls', 'server.crt'))).toBe('by hand');
  expect((await lstat(at('tls'))).isSymbolicLink()).toBe(true);
});

test('what else was in a folder that was moved aside is found by its former path, until it is removed', async () => {
  const bring = async (content: string, digest: string) => {
    await bundle('.kbin-new-tls', content);
    await doing(
      switchTo(at('.kbin-new-tls'), at('tls'), at(`.tls-${digest}`)),
      prune(at('tls')),
      clean(at('tls')),
    );
  };
  await bundle('tls', 'by hand');
  await writeFile(at('tls', "apiserver's.pem"), 'of another program');
  for (const digest of ['0123456789abcdef', '0123456789abcdef', 'fedcba9876543210']) {
    await bring(`by kbin: ${digest}`, digest);
    expect(await text(at('tls', 'server.crt'))).toBe(`by kbin: ${digest}`);
    expect(await text(at('tls', "apiserver's.pem"))).toBe('of another program');
  }
  await rm(at('tls.before-kbin'), { recursive: true });
  await bring('at last', 'aaaaaaaaaaaaaaaa');
  expect(await readdir(at('tls'))).toEqual(['server.crt']);
});

test('the first operation that fails ends it, and is named with the words of the host', async () => {
  await writeFile(at('etcd'), 'former');
  const failing = doing(rename(at('.kbin-new-etcd'), at('etcd')), write(at('never'), mine(0o600), ''));
  await expect(failing).rejects.toThrow(KbinError);
  await expect(failing).rejects.toMatchObject({
    details: {
      host: 'node1',
      step: `commit: rename ${at('.kbin-new-etcd')}`,
      output: expect.stringContaining('No such file or directory'),
    },
  });
  expect(await text(at('etcd'))).toBe('former');
  expect(await readdir(root)).not.toContain('never');
});

test('nothing to do costs no round trip', async () => {
  await doing();
  expect(host.commands).toEqual([]);
});

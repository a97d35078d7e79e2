import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/ca/store.ts';
import { compose } from '../../src/desired/compose.ts';
import type { SecretPart } from '../../src/desired/desired.ts';
import { KbinError } from '../../src/errors.ts';
import { filledStore, temporaryFolder } from './stores.ts';

const digest = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

describe('a view', () => {
  test('refers to certificates and keys by their path below pki/', async () => {
    const store = await filledStore();
    const view = store.view();
    const pem = readFileSync(join(store.folder, 'etcd-ca/etcd-server@m1.crt'), 'utf8');
    expect(view.certificate('etcd-server@m1')).toEqual({ ref: 'etcd-ca/etcd-server@m1.crt', pem });
    expect(view.certificate('kubernetes-ca')?.ref).toBe('kubernetes-ca/ca.crt');
    const key = view.key('etcd-server@m1');
    expect(key?.ref).toBe('etcd-ca/etcd-server@m1.key');
    expect(key?.sha256).toBe(digest(await store.readSecret('etcd-ca/etcd-server@m1.key')));
    expect(view.key('service-account')?.ref).toBe('service-account/sa.key');
    expect(view.certificate('service-account')).toBeUndefined();
    expect(view.etcdClusterId).toBeUndefined();
  });

  test('knows nothing of other hosts, unknown ids, or an id that would leave the folder', async () => {
    const view = (await filledStore()).view();
    for (const id of [
      'etcd-server@m2',
      'etcd-server',
      'nobody',
      '',
      'etcd-server@../ca',
      '../etcd-ca',
      'etcd-ca@m1',
    ]) {
      expect([id, view.certificate(id), view.key(id)]).toEqual([id, undefined, undefined]);
    }
  });

  test('of a store that does not exist is empty and makes nothing', async () => {
    const folder = join(temporaryFolder(), 'pki');
    const view = (await openStore(folder)).view();
    expect([view.certificate('etcd-ca'), view.key('etcd-ca'), view.etcdClusterId]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(existsSync(folder)).toBe(false);
  });

  test("has the service-account keys: the signing one's first, then those that only verify", async () => {
    const store = await filledStore();
    const own = readFileSync(join(store.folder, 'service-account/sa.pub'), 'utf8');
    expect(store.view().serviceAccountKeys()).toEqual([{ ref: 'service-account/sa.pub', pem: own }]);
    // As a rotation leaves them.
    for (const beside of ['archive', 'next', 'previous']) {
      mkdirSync(join(store.folder, beside, 'service-account'), { recursive: true });
      writeFileSync(join(store.folder, beside, 'service-account/sa.pub'), `${beside} key`);
    }
    expect(store.view().serviceAccountKeys()).toEqual([
      { ref: 'service-account/sa.pub', pem: own },
      { ref: 'next/service-account/sa.pub', pem: 'next key' },
      { ref: 'previous/service-account/sa.pub', pem: 'previous key' },
    ]);
    rmSync(store.folder, { recursive: true });
    expect(store.view().serviceAccountKeys()).toEqual([]);
  });

  test('a CA is the one that signs, and trusted are it and those of a rotation, each once, and none of a chain', async () => {
    const store = await filledStore();
    const file = join(store.folder, 'etcd-ca/ca.crt');
    const own = readFileSync(file, 'utf8');
    const other = readFileSync(join(store.folder, 'kubernetes-ca/ca.crt'), 'utf8');
    const third = readFileSync(join(store.folder, 'front-proxy-ca/ca.crt'), 'utf8');
    writeFileSync(file, `a note\n${own.trimEnd()}\r\n${third}`);
    expect(store.view().certificate('etcd-ca')?.pem).toBe(own);
    expect(store.view().trusted('etcd-ca')).toBe(own);
    for (const [beside, pem] of Object.entries({ archive: third, next: other, previous: own })) {
      mkdirSync(join(store.folder, beside, 'etcd-ca'), { recursive: true });
      writeFileSync(join(store.folder, beside, 'etcd-ca/ca.crt'), pem);
    }
    expect(store.view().trusted('etcd-ca')).toBe(own + other);
    expect(store.view().trusted('etcd-server@node1')).toBeUndefined();
  });

  test('tells the digest of a text with secrets in it, as it is put together for a host, and only where they are', async () => {
    const store = await filledStore();
    const part = (ref: string, as: SecretPart['as']): SecretPart => ({ ref, as, sha256: '' });
    const parts = [
      'key: ',
      part('encryption-key/key1.key', 'line'),
      '\ndata: ',
      part('kubernetes-ca/admin.key', 'base64'),
      '\n',
    ];
    const whole = await compose(parts, store.readSecret);
    const key = readFileSync(join(store.folder, 'encryption-key/key1.key'), 'utf8').trim();
    const admin = readFileSync(join(store.folder, 'kubernetes-ca/admin.key')).toString('base64');
    expect(Buffer.from(whole).toString('utf8')).toBe(`key: ${key}\ndata: ${admin}\n`);
    const view = store.view();
    expect(view.digestOf(parts)).toBe(digest(whole));
    expect(view.digestOf(['no ', 'secret'])).toBe(digest(Buffer.from('no secret')));
    expect(view.digestOf([])).toBe(digest(Buffer.of()));
    rmSync(join(store.folder, 'kubernetes-ca/admin.key'));
    expect(view.digestOf(parts)).toBe(digest(whole));
    expect(store.view().digestOf(parts)).toBeUndefined();
  });

  test('stays what it was when the store changes', async () => {
    const store = await filledStore();
    const view = store.view();
    rmSync(store.folder, { recursive: true });
    expect(view.certificate('etcd-ca')?.ref).toBe('etcd-ca/ca.crt');
  });
});

describe('readSecret', () => {
  test('says clearly when the file is not there', async () => {
    const store = await filledStore();
    rmSync(join(store.folder, 'etcd-ca/etcd-peer@m1.key'));
    const error = await store.readSecret('etcd-ca/etcd-peer@m1.key').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KbinError);
    expect((error as KbinError).message).toContain('etcd-ca/etcd-peer@m1.key');
  });

  test.each(['../cluster.yaml', 'etcd-ca/../../x', '..'])('never leaves the folder: %s', async (ref) => {
    const store = await filledStore();
    await expect(store.readSecret(ref)).rejects.toThrow('not a reference into the store');
  });
});

describe('the etcd cluster id', () => {
  test('is kept, may be said again, and never changes', async () => {
    const store = await openStore(join(temporaryFolder(), 'pki'));
    await store.recordEtcdClusterId('9a8b7c6d5e4f3a2b');
    await store.recordEtcdClusterId('9a8b7c6d5e4f3a2b');
    expect(store.view().etcdClusterId).toBe('9a8b7c6d5e4f3a2b');
    await expect(store.recordEtcdClusterId('1111111111111111')).rejects.toThrow(
      'this store belongs to the etcd cluster 9a8b7c6d5e4f3a2b, not to 1111111111111111',
    );
    expect(store.view().etcdClusterId).toBe('9a8b7c6d5e4f3a2b');
    expect(statSync(store.folder).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(store.folder, '.gitignore'), 'utf8')).toBe('*\n');
  });
});

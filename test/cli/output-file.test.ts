import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../ca/stores.ts';
import { kbin } from './in-process.ts';

let made: string;
beforeAll(async () => {
  made = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(made, 'cluster.yaml'),
    'name: prod\nhosts: [{ name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }]\netcd: { version: 3.5.16 }\nkubernetes: { version: 1.20.2 }\n',
  );
  await kbin(made, ['pki', 'init']);
  return () => execFileSync('rm', ['-r', made]);
});

/** A folder with cluster.yaml and its pki/, to be spoilt. */
function cluster(): string {
  const folder = temporaryFolder();
  cpSync(made, folder, { recursive: true });
  return folder;
}

const text = (folder: string, file: string): string => readFileSync(join(folder, file), 'utf8');

/** Of every command that writes where its user says. `FILE` stands for the place. */
const writers: readonly (readonly [string, readonly string[]])[] = [
  ['a request', ['pki', 'csr', 'etcd-ca', '--new-key', '-o', 'FILE']],
  ['a report about files', ['pki', 'check', 'pki/etcd-ca/ca.crt', '--junit', 'FILE']],
  ['a report about the cluster', ['pki', 'check', '--no-hosts', '--junit', 'FILE']],
  ['a report of verify', ['verify', '--junit', 'FILE']],
  ['an export, forced', ['pki', 'export', 'apiserver@m1', '--force', '-o', 'FILE']],
  ["kubeadm's tree", ['pki', 'export', 'm1', '--format', 'kubeadm', '-o', 'FILE']],
  ['a kubeconfig, forced', ['kubeconfig', 'jane', '--force', '-o', 'FILE']],
  ['all files', ['render', '-o', 'FILE']],
];

describe('nothing that a user names is written into the certificate store', () => {
  test.each(writers)('%s: not over a CA key', async (_name, argv) => {
    const folder = cluster();
    const key = text(folder, 'pki/kubernetes-ca/ca.key');
    const { code, err } = await kbin(
      folder,
      argv.map((word) => word.replace('FILE', 'pki/kubernetes-ca/ca.key')),
    );
    expect([code, err]).toEqual([2, expect.stringContaining('lies in the certificate store')]);
    expect(text(folder, 'pki/kubernetes-ca/ca.key')).toBe(key);
    expect(existsSync(join(folder, 'pki/next'))).toBe(false);
  });

  test.each(writers)('%s: not beside its files, where nothing is yet', async (_name, argv) => {
    const folder = cluster();
    const { code, err } = await kbin(
      folder,
      argv.map((word) => word.replace('FILE', 'pki/new/file')),
    );
    expect([code, err]).toEqual([2, expect.stringContaining('lies in the certificate store')]);
    expect(existsSync(join(folder, 'pki/new'))).toBe(false);
  });

  test('nor through links, nor into a store of another name', async () => {
    const folder = cluster();
    symlinkSync('pki/kubernetes-ca/ca.key', join(folder, 'report.xml'));
    const linked = await kbin(folder, ['pki', 'check', 'pki/etcd-ca/ca.crt', '--junit', 'report.xml']);
    expect([linked.code, linked.err]).toEqual([2, expect.stringContaining('lies in the certificate store')]);
    renameSync(join(folder, 'pki'), join(folder, 'safe'));
    symlinkSync('safe', join(folder, 'pki'));
    const other = await kbin(folder, ['pki', 'check', '--no-hosts', '--junit', 'pki/new.xml']);
    expect([other.code, existsSync(join(folder, 'safe/new.xml'))]).toEqual([2, false]);
  });

  test("what cfssl's commands make", async () => {
    const folder = cluster();
    writeFileSync(join(folder, 'csr.json'), '{"CN":"x","key":{"algo":"ecdsa","size":256}}');
    const { code, err } = await kbin(folder, ['cfssl', 'genkey', 'csr.json', '-bare', 'pki/etcd-ca/x']);
    expect([code, err]).toEqual([2, expect.stringContaining('lies in the certificate store')]);
  });
});

describe('a file that exists is replaced by one of its own kind alone', () => {
  const junit = (folder: string) =>
    kbin(folder, ['pki', 'check', 'pki/etcd-ca/ca.crt', '--junit', 'report.xml']);

  test('a report', async () => {
    const folder = cluster();
    expect([(await junit(folder)).code, (await junit(folder)).code]).toEqual([0, 0]);
    expect(text(folder, 'report.xml')).toMatch(/^<\?xml/);
    writeFileSync(join(folder, 'report.xml'), '');
    expect((await junit(folder)).code).toBe(0);
    for (const other of ['-----BEGIN PRIVATE KEY-----\n', '<?xml version="1.0"?>\n<project/>\n', 'x']) {
      writeFileSync(join(folder, 'report.xml'), other);
      const { code, err, out } = await junit(folder);
      expect([code, out, err]).toEqual([2, '', expect.stringContaining('report.xml exists already')]);
      expect(text(folder, 'report.xml')).toBe(other);
    }
  });

  test('a request; and what cannot be written has no key made for it', async () => {
    const folder = cluster();
    const csr = (...more: string[]) => kbin(folder, ['pki', 'csr', 'etcd-ca', ...more]);
    writeFileSync(join(folder, 'old.key'), text(folder, 'pki/etcd-ca/ca.key'));
    const refused = await csr('--new-key', '-o', 'old.key');
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('old.key exists already')]);
    expect(text(folder, 'old.key')).toBe(text(folder, 'pki/etcd-ca/ca.key'));
    expect(existsSync(join(folder, 'pki/next'))).toBe(false);
    expect([(await csr('-o', 'a.csr')).code, (await csr('-o', 'a.csr')).code]).toEqual([0, 0]);
    writeFileSync(join(folder, 'a.csr'), text(folder, 'a.csr') + text(folder, 'old.key'));
    expect((await csr('-o', 'a.csr')).code).toBe(2);
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out/etcd-ca.csr'), 'mine');
    expect((await csr('-o', 'out')).code).toBe(2);
    const nowhere = await csr('-o', 'none/a.csr');
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('there is no such folder')]);
  });

  test("what cfssl's commands make", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'csr.json'), '{"CN":"x","key":{"algo":"ecdsa","size":256}}');
    const make = () => kbin(folder, ['cfssl', 'genkey', 'csr.json', '-bare', 'x']);
    expect([(await make()).code, (await make()).code]).toEqual([0, 0]);
    writeFileSync(join(folder, 'x.csr'), text(folder, 'x-key.pem'));
    const key = text(folder, 'x-key.pem');
    const { code, err } = await make();
    expect([code, err]).toEqual([2, expect.stringContaining('x.csr exists already')]);
    expect([text(folder, 'x.csr'), text(folder, 'x-key.pem')]).toEqual([key, key]);
  });
});

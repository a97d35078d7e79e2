import { execFileSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectPem } from '../../src/ca/inspect.ts';
import { pathsOf } from '../../src/ca/layout.ts';
import { planIds } from '../../src/ca/observed-store.ts';
import { compareStore, reconcileStore } from '../../src/ca/reconcile.ts';
import type { Renew } from '../../src/ca/renewal-diff.ts';
import type { Store } from '../../src/ca/store.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { KbinError } from '../../src/errors.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { filledStore, init, smallCount, smallPlan, temporaryFolder } from './stores.ts';

const hour = 3_600_000;
const now = new Date();
const later = new Date(now.getTime() + 48 * hour);

const pem = (store: Store, id: string): string =>
  readFileSync(join(store.folder, pathsOf(id).certificate ?? ''), 'utf8');
const key = (store: Store, id: string): string => readFileSync(join(store.folder, pathsOf(id).key), 'utf8');
const info = (store: Store, id: string) => {
  const [first] = inspectPem(pem(store, id));
  if (first === undefined) throw new Error(id);
  return first;
};
const only =
  (wanted: Readonly<Record<string, 'new-key' | 'same-key'>>): Renew =>
  (id) =>
    wanted[id];
const renew = (store: Store, wanted: Renew, plan = smallPlan, at = later) =>
  reconcileStore(plan, store, { now: at, renew: wanted });
async function failure(work: Promise<unknown>): Promise<KbinError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KbinError)) throw new Error(`did not stop: ${error}`);
  return error;
}
/** What openssl says of every leaf of the store, each against its CA. */
function opensslVerifies(store: Store): void {
  const at = String(Math.floor(later.getTime() / 1000) + 60);
  for (const { id, leaves } of smallPlan.authorities) {
    const ca = join(store.folder, pathsOf(id).certificate ?? '');
    const files = leaves.map((leaf) => join(store.folder, pathsOf(leaf.id).certificate ?? ''));
    execFileSync('openssl', [
      'verify',
      '-x509_strict',
      '-check_ss_sig',
      '-attime',
      at,
      '-CAfile',
      ca,
      ca,
      ...files,
    ]);
  }
}

describe('a leaf', () => {
  test('gets a new key, and nothing else changes but serial and dates', async () => {
    const store = await filledStore();
    const before = info(store, 'apiserver@m1');
    const formerKey = key(store, 'apiserver@m1');
    const others = planIds(smallPlan).filter((id) => id !== 'apiserver@m1' && id !== 'encryption-key');
    const contents = () => others.map((id) => key(store, id));
    const untouched = contents();
    const { applied, kept } = await renew(store, only({ 'apiserver@m1': 'new-key' }));
    expect(applied).toMatchObject([
      {
        id: 'apiserver@m1',
        kind: 'leaf',
        action: 'reissue',
        reasons: [{ code: 'renewal', message: 'renewal asked for' }],
      },
    ]);
    expect(applied[0]?.keepsKey).toBeUndefined();
    expect(kept).toBe(smallCount - 1);
    expect(contents()).toEqual(untouched);
    expect(key(store, 'apiserver@m1')).not.toBe(formerKey);
    const after = info(store, 'apiserver@m1');
    const said = ({ subject, issuer, sans, usages, signature, authorityKeyId }: typeof after) => ({
      subject,
      issuer,
      sans,
      usages,
      signature,
      authorityKeyId,
    });
    expect(said(after)).toEqual(said(before));
    expect(after.serial).not.toBe(before.serial);
    expect(after.notBefore > before.notBefore).toBe(true);
    opensslVerifies(store);
    expect(await init(store)).toEqual({ applied: [], kept: smallCount, notes: [] });
  });

  test('keeps its key byte for byte where that is asked for', async () => {
    const store = await filledStore();
    const before = info(store, 'etcd-peer@m1');
    const formerKey = key(store, 'etcd-peer@m1');
    const { applied } = await renew(store, only({ 'etcd-peer@m1': 'same-key' }));
    expect(applied).toMatchObject([{ id: 'etcd-peer@m1', action: 'reissue', keepsKey: true }]);
    expect(key(store, 'etcd-peer@m1')).toBe(formerKey);
    const after = info(store, 'etcd-peer@m1');
    expect(after.subjectKeyId).toBe(before.subjectKeyId);
    expect(after.serial).not.toBe(before.serial);
    const paths = pathsOf('etcd-peer@m1');
    expect(statSync(join(store.folder, paths.key)).mode & 0o777).toBe(0o600);
    opensslVerifies(store);
  });

  test('keeps its key even when it is issued anew for another reason too', async () => {
    const store = await filledStore();
    const formerKey = key(store, 'apiserver@m1');
    const plan = certificatePlan(
      exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')], endpoint: { address: 'api.example.org' } }),
    );
    const { applied } = await renew(store, only({ 'apiserver@m1': 'same-key' }), plan);
    expect(applied[0]?.reasons.map(({ code }) => code)).toEqual(['san-added', 'san-removed', 'renewal']);
    expect(key(store, 'apiserver@m1')).toBe(formerKey);
    expect(info(store, 'apiserver@m1').sans.map(({ value }) => value)).toContain('api.example.org');
  });

  test('cannot keep a key that is of another type than cluster.yaml wants, or that is not there', async () => {
    const store = await filledStore();
    const plan = certificatePlan(
      exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')], pki: { key: 'rsa-2048' } }),
    );
    const wanted = only({ admin: 'same-key' });
    const typed = await failure(renew(store, wanted, plan));
    expect(typed.message).toBe('admin cannot keep its key');
    expect(typed.details.why).toContain('ecdsa-p256 → rsa-2048; nothing was changed');
    rmSync(join(store.folder, pathsOf('admin').key));
    const gone = await failure(renew(store, wanted));
    expect(gone.details.why).toContain('kubernetes-ca/admin.key is not there');
    expect(gone.details.next).toContain('without --same-key');
  });

  test('that is not made yet is made, and no renewal', async () => {
    const store = await filledStore();
    const plan = certificatePlan(
      exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1'), exampleHost('m2', '10.0.0.2')] }),
    );
    const { applied } = await renew(store, only({ 'etcd-server@m2': 'same-key' }), plan);
    expect(applied.find(({ id }) => id === 'etcd-server@m2')).toMatchObject({
      action: 'create',
      reasons: [{ code: 'new' }],
    });
  });

  test('ends with its CA, and that is said', async () => {
    const store = await filledStore();
    const ca = info(store, 'etcd-ca').notAfter;
    const nearTheEnd = new Date(ca.getTime() - 24 * hour);
    const { applied } = await renew(store, only({ 'etcd-server@m1': 'new-key' }), smallPlan, nearTheEnd);
    const server = applied.find(({ id }) => id === 'etcd-server@m1');
    expect(server).toMatchObject({ clamped: true, notAfter: ca });
    expect(info(store, 'etcd-server@m1').notAfter).toEqual(ca);
  });
});

describe('a CA', () => {
  const keptByRenewal = ({
    subject,
    issuer,
    subjectKeyId,
    usages,
    isCa,
    key: type,
    signature,
  }: ReturnType<typeof info>) => ({
    subject,
    issuer,
    subjectKeyId,
    usages,
    isCa,
    key: type,
    signature,
  });

  test('keeps name, key and key identifier, and all that it signed still chains to it', async () => {
    const store = await filledStore();
    const before = info(store, 'kubernetes-ca');
    const formerKey = key(store, 'kubernetes-ca');
    const admin = pem(store, 'admin');
    const { applied } = await renew(store, only({ 'kubernetes-ca': 'same-key' }));
    expect(applied).toMatchObject([
      { id: 'kubernetes-ca', kind: 'authority', action: 'reissue', keepsKey: true, clamped: false },
    ]);
    const after = info(store, 'kubernetes-ca');
    expect(keptByRenewal(after)).toEqual(keptByRenewal(before));
    expect(after.serial).not.toBe(before.serial);
    expect(after.notAfter > before.notAfter).toBe(true);
    expect(key(store, 'kubernetes-ca')).toBe(formerKey);
    expect(pem(store, 'admin')).toBe(admin);
    opensslVerifies(store);
    expect(await init(store, smallPlan, later)).toEqual({ applied: [], kept: smallCount, notes: [] });
  });

  test('never ends sooner than it did, and says so', async () => {
    const store = await filledStore();
    const [first] = smallPlan.authorities;
    const shorter = {
      ...smallPlan,
      authorities: smallPlan.authorities.map((one) => ({ ...one, validityHours: 24 * 365 })),
    };
    const id = first?.id ?? '';
    const before = info(store, id);
    const { applied } = await renew(store, only({ [id]: 'same-key' }), shorter);
    const after = info(store, id);
    expect(after.notAfter).toEqual(before.notAfter);
    expect(after.serial).not.toBe(before.serial);
    const change = applied.find((one) => one.id === id);
    expect(change?.notAfter).toEqual(before.notAfter);
    expect(change?.reasons.map(({ message }) => message).join('; ')).toContain(
      `it keeps its end, ${before.notAfter.toISOString().slice(0, 10)}, since pki.validity.ca`,
    );
  });

  test('gives the leaves renewed with it its new end', async () => {
    const store = await filledStore();
    const end = info(store, 'front-proxy-ca').notAfter;
    const nearTheEnd = new Date(end.getTime() - 24 * hour);
    const { applied } = await renew(
      store,
      only({ 'front-proxy-ca': 'same-key', 'front-proxy-client': 'new-key' }),
      smallPlan,
      nearTheEnd,
    );
    const client = applied.find(({ id }) => id === 'front-proxy-client');
    expect(client).toMatchObject({ clamped: false });
    expect((client?.notAfter ?? end) > end).toBe(true);
  });

  test('that has expired is mended by it; without, the message says so', async () => {
    const store = await filledStore();
    const after = new Date(info(store, 'etcd-ca').notAfter.getTime() + 24 * hour);
    const { diff } = await compareStore(smallPlan, store.folder, { now: after });
    expect(diff.problems.find(({ id }) => id === 'etcd-ca')).toMatchObject({
      code: 'ca-expired',
      next: 'renew it: kbin pki renew etcd-ca --same-key',
    });
    const all = Object.fromEntries(smallPlan.authorities.map(({ id }) => [id, 'same-key' as const]));
    const { applied } = await renew(store, only(all), smallPlan, after);
    expect(applied.filter(({ kind }) => kind === 'authority')).toHaveLength(3);
    expect(info(store, 'etcd-ca').notAfter > after).toBe(true);
  });

  test('cannot be renewed without its key', async () => {
    const store = await filledStore();
    rmSync(join(store.folder, pathsOf('etcd-ca').key));
    const former = pem(store, 'etcd-ca');
    const error = await failure(renew(store, only({ 'etcd-ca': 'same-key' })));
    expect(error.message).toMatch(/etcd-ca\/ca\.key is missing$/);
    expect(pem(store, 'etcd-ca')).toBe(former);
    const leaf = await failure(renew(store, only({ 'etcd-server@m1': 'new-key' })));
    expect(leaf.message).toMatch(/etcd-ca\/ca\.key is missing$/);
  });

  test('made by openssl keeps every extension, but names no serial any more', async () => {
    const folder = temporaryFolder();
    const config = join(folder, 'ca.cnf');
    writeFileSync(
      config,
      `[req]
distinguished_name = name
x509_extensions = ca
prompt = no
[name]
O = Example
CN = made elsewhere
[ca]
basicConstraints = critical, CA:true, pathlen:1
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always, issuer:always
nameConstraints = permitted;DNS:example.org
`,
    );
    const store = await filledStore();
    const at = (path: string | undefined): string => join(store.folder, path ?? '');
    const paths = pathsOf('front-proxy-ca');
    const openssl = (...words: string[]) =>
      execFileSync('openssl', words, { encoding: 'utf8', stdio: 'pipe' });
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-config', config, '-days', '30'],
      ...['-keyout', at(paths.key), '-out', at(paths.certificate)],
    );
    rmSync(at(pathsOf('front-proxy-client').certificate));
    rmSync(at(paths.keyDigest));
    await init(store);
    const extensions = () => {
      const text = openssl('x509', '-in', at(paths.certificate), '-noout', '-text');
      return text.slice(text.indexOf('X509v3 extensions'), text.indexOf('Signature Algorithm: ', 400));
    };
    const before = extensions();
    expect(before).toContain('DirName:');
    await renew(store, only({ 'front-proxy-ca': 'same-key' }), smallPlan, now);
    const withoutSerial = before.replace(/^ +DirName:.*\n +serial:.*\n/m, '').replace('keyid:', '');
    expect(extensions()).toBe(withoutSerial);
    openssl('verify', '-CAfile', at(paths.certificate), at(pathsOf('front-proxy-client').certificate));
    const spki = createPublicKey(key(store, 'front-proxy-ca')).export({ type: 'spki', format: 'der' });
    const ca = new X509Certificate(pem(store, 'front-proxy-ca'));
    expect(ca.publicKey.export({ type: 'spki', format: 'der' }).equals(spki)).toBe(true);
  });

  test('that another one signed is renewed there', async () => {
    const store = await filledStore();
    const at = (path: string | undefined): string => join(store.folder, path ?? '');
    const { key: keyFile, certificate } = pathsOf('front-proxy-ca');
    const folder = temporaryFolder();
    const file = (name: string): string => join(folder, name);
    const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'pipe' });
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=root', '-days', '9'],
      ...['-keyout', file('root.key'), '-out', file('root.crt')],
    );
    writeFileSync(file('ext'), 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n');
    openssl('req', '-new', '-key', at(keyFile), '-subj', '/CN=front-proxy-ca', '-out', file('ca.csr'));
    openssl(
      ...['x509', '-req', '-in', file('ca.csr'), '-CA', file('root.crt'), '-CAkey', file('root.key')],
      ...['-CAcreateserial', '-days', '8', '-extfile', file('ext'), '-out', at(certificate)],
    );
    const error = await failure(renew(store, only({ 'front-proxy-ca': 'same-key' })));
    expect(error.message).toBe('front-proxy-ca cannot be renewed here');
    expect(error.details.why).toContain('is signed by CN=root');
    expect(existsSync(at(certificate))).toBe(true);
  });
});

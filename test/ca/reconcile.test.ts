import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectPem } from '../../src/ca/inspect.ts';
import { pathsOf } from '../../src/ca/layout.ts';
import { idsWithPaths, planIds } from '../../src/ca/observed-store.ts';
import { compareStore } from '../../src/ca/reconcile.ts';
import type { Store } from '../../src/ca/store.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { KbinError } from '../../src/errors.ts';
import { exampleCluster, exampleHost, type Overrides } from '../cluster/fixture.ts';
import { filledStore, init, smallCount, smallPlan } from './stores.ts';

const planOf = (overrides: Overrides<Cluster>) =>
  certificatePlan(exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')], ...overrides }));

const file = (store: Store, path: string): string => join(store.folder, path);
const contents = (store: Store): Record<string, string> =>
  Object.fromEntries(
    idsWithPaths(smallPlan).flatMap((id) =>
      Object.values(pathsOf(id)).map((path) => {
        const name = file(store, path);
        return [path, existsSync(name) ? readFileSync(name, 'utf8') : 'absent'];
      }),
    ),
  );

/** Runs init expecting it to stop, and shows that it touched nothing. */
async function stops(
  store: Store,
  plan = smallPlan,
  now = new Date(),
): Promise<KbinError['details'] & { what: string }> {
  const before = contents(store);
  const error = await init(store, plan, now).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KbinError);
  expect(contents(store)).toEqual(before);
  const { message, details } = error as KbinError;
  return { ...details, what: message };
}

describe('a new store', () => {
  test('holds everything, closed to others, with digests that sha256sum confirms', async () => {
    const store = await filledStore();
    const mode = (path: string): string => (statSync(file(store, path)).mode & 0o777).toString(8);
    expect(mode('.')).toBe('700');
    for (const id of idsWithPaths(smallPlan)) {
      const { key, keyDigest, certificate, publicKey } = pathsOf(id);
      expect([id, mode(key), mode(keyDigest), mode(certificate ?? publicKey ?? '')]).toEqual([
        id,
        '600',
        '644',
        '644',
      ]);
    }
    for (const folder of ['etcd-ca', 'kubernetes-ca', 'front-proxy-ca', 'service-account']) {
      expect(mode(folder)).toBe('700');
      execFileSync('sh', ['-c', 'sha256sum --check --strict --quiet *.sha256'], { cwd: file(store, folder) });
    }
    expect(readFileSync(file(store, '.gitignore'), 'utf8')).toBe('*\n');
    expect(existsSync(file(store, '.commit'))).toBe(false);
  });

  test('is left alone by a second run', async () => {
    const store = await filledStore();
    const before = contents(store);
    expect(await init(store)).toEqual({ applied: [], kept: smallCount, notes: [] });
    expect(contents(store)).toEqual(before);
  });

  test('is made whatever the umask', async () => {
    const former = process.umask(0o077);
    try {
      const store = await filledStore();
      expect(statSync(file(store, 'etcd-ca/ca.crt')).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(former);
    }
  });
});

describe('a change of cluster.yaml issues only what it affects, and says why', () => {
  const made = async (store: Store, plan: typeof smallPlan): Promise<Record<string, string>> => {
    const { applied } = await init(store, plan);
    return Object.fromEntries(
      applied.map(({ id, action, reasons }) => [
        id,
        [action, ...reasons.map(({ message }) => message)].join('; '),
      ]),
    );
  };

  test('a new host', async () => {
    const store = await filledStore();
    const plan = planOf({ hosts: [exampleHost('m1', '10.0.0.1'), exampleHost('m2', '10.0.0.2')] });
    expect(await made(store, plan)).toEqual({
      'etcd-server@m2': 'create; not made yet',
      'etcd-peer@m2': 'create; not made yet',
      'apiserver@m2': 'create; not made yet',
      'controller-manager-server@m2': 'create; not made yet',
      'scheduler-server@m2': 'create; not made yet',
    });
    expect(await made(store, plan)).toEqual({});
  });

  test('other SANs', async () => {
    const store = await filledStore();
    const plan = planOf({ endpoint: { address: 'api.example.org' } });
    expect(await made(store, plan)).toEqual({
      'apiserver@m1': 'reissue; SAN added: api.example.org; SAN removed: 192.168.31.75',
    });
    expect(await made(store, plan)).toEqual({});
  });

  test('another key type: CAs and the service-account key stay, and that is said', async () => {
    const store = await filledStore();
    const plan = planOf({ pki: { key: 'ecdsa-p384' } });
    const { applied, notes } = await init(store, plan);
    expect(new Set(applied.map(({ kind }) => kind))).toEqual(new Set(['leaf']));
    expect(applied[0]?.reasons).toEqual([
      { code: 'key-type', message: 'key type changed: ecdsa-p256 → ecdsa-p384' },
    ]);
    expect(notes.map(({ message }) => message)).toEqual([
      'etcd-ca stays as it is: its key is ecdsa-p256, cluster.yaml says ecdsa-p384; an existing CA is never replaced',
      'kubernetes-ca stays as it is: its key is ecdsa-p256, cluster.yaml says ecdsa-p384; an existing CA is never replaced',
      'front-proxy-ca stays as it is: its key is ecdsa-p256, cluster.yaml says ecdsa-p384; an existing CA is never replaced',
      'service-account stays as it is: its key is ecdsa-p256, cluster.yaml says ecdsa-p384; tokens that it signed are in use',
    ]);
    expect(await made(store, plan)).toEqual({});
  });

  test('a subject field', async () => {
    const store = await filledStore();
    const plan = planOf({ pki: { subject: { OU: 'Ops' } } });
    const changes = await made(store, plan);
    expect(changes['etcd-server@m1']).toBe('reissue; subject changed: CN=m1 → OU=Ops, CN=m1');
    expect(Object.keys(changes)).not.toContain('etcd-ca');
  });

  test('a missing leaf key', async () => {
    const store = await filledStore();
    rmSync(file(store, 'kubernetes-ca/admin.key'));
    expect(await made(store, smallPlan)).toEqual({ admin: 'reissue; its private key is missing' });
  });

  test.each(['admin.key', 'admin.key.sha256', 'no other file'])(
    'a leaf whose certificate was removed, and %s: a new key comes with it',
    async (alsoGone) => {
      const store = await filledStore();
      const before = readFileSync(file(store, 'kubernetes-ca/admin.key'), 'utf8');
      rmSync(file(store, 'kubernetes-ca/admin.crt'));
      rmSync(file(store, `kubernetes-ca/${alsoGone}`), { force: true });
      expect(await made(store, smallPlan)).toEqual({ admin: 'reissue; its certificate is missing' });
      expect(readFileSync(file(store, 'kubernetes-ca/admin.key'), 'utf8')).not.toBe(before);
      expect(await made(store, smallPlan)).toEqual({});
    },
  );

  test('a leaf whose certificate was removed beside a key that is none', async () => {
    const store = await filledStore();
    rmSync(file(store, 'kubernetes-ca/admin.crt'));
    writeFileSync(file(store, 'kubernetes-ca/admin.key'), 'nonsense');
    expect(await made(store, smallPlan)).toEqual({ admin: 'reissue; its certificate is missing' });
  });

  test('an expired leaf', async () => {
    const store = await filledStore(planOf({ pki: { validity: { leaf: 24 } } }));
    const later = new Date(Date.now() + 25 * 3_600_000);
    const { applied } = await init(store, smallPlan, later);
    expect(applied).toHaveLength(smallCount - 5);
    expect(applied[0]?.reasons[0]).toMatchObject({ code: 'expired' });
  });

  test('a leaf that another CA of the same name signed', async () => {
    const store = await filledStore();
    const other = await filledStore();
    for (const end of ['crt', 'key', 'key.sha256']) {
      const content = readFileSync(file(other, `etcd-ca/etcd-peer@m1.${end}`));
      writeFileSync(file(store, `etcd-ca/etcd-peer@m1.${end}`), content);
    }
    expect(await made(store, smallPlan)).toEqual({
      'etcd-peer@m1': 'reissue; signed by another CA (CN=etcd-ca)',
    });
  });

  test('what follows from a key that stays: digest, mode, public key', async () => {
    const store = await filledStore();
    const key = readFileSync(file(store, 'kubernetes-ca/ca.key'), 'utf8');
    rmSync(file(store, 'kubernetes-ca/ca.key.sha256'));
    chmodSync(file(store, 'etcd-ca/ca.key'), 0o644);
    writeFileSync(file(store, 'service-account/sa.pub'), 'nonsense');
    expect(await made(store, smallPlan)).toEqual({
      'etcd-ca': 'repair; its key is open to other users (mode 0644)',
      'kubernetes-ca': 'repair; the digest file of its key is missing',
      'service-account': 'repair; its public key file is of another key',
    });
    expect(readFileSync(file(store, 'kubernetes-ca/ca.key'), 'utf8')).toBe(key);
    expect(await made(store, smallPlan)).toEqual({});
  });
});

test('folders that a checkout left open are closed again, and that is said', async () => {
  const store = await filledStore();
  for (const folder of ['.', 'etcd-ca']) chmodSync(file(store, folder), 0o755);
  const { applied, notes } = await init(store);
  expect(applied).toEqual([]);
  expect(notes.map(({ message }) => message)).toEqual([
    `${store.folder} was open to other users, and is not any more`,
    `${store.folder}/etcd-ca was open to other users, and is not any more`,
  ]);
  expect((await init(store)).notes).toEqual([]);
});

describe('validity', () => {
  test('a leaf ends with its CA, and that is reported', async () => {
    const plan = planOf({ pki: { validity: { ca: 48, leaf: 480 } } });
    const store = await filledStore();
    rmSync(store.folder, { recursive: true });
    const { applied } = await init(store, plan);
    const leaves = applied.filter(({ kind }) => kind === 'leaf');
    expect(leaves.every(({ clamped }) => clamped)).toBe(true);
    const [ca] = inspectPem(readFileSync(file(store, 'etcd-ca/ca.crt'), 'utf8'));
    const [leaf] = inspectPem(readFileSync(file(store, 'etcd-ca/etcd-peer@m1.crt'), 'utf8'));
    expect(leaf?.notAfter).toEqual(ca?.notAfter);
    expect(leaf?.notBefore).toEqual(ca?.notBefore);
  });

  test('is backdated by five minutes and lasts as long as asked for', async () => {
    const now = new Date('2030-01-01T12:00:00.500Z');
    const store = await filledStore();
    rmSync(store.folder, { recursive: true });
    await init(store, smallPlan, now);
    const [leaf] = inspectPem(readFileSync(file(store, 'etcd-ca/etcd-peer@m1.crt'), 'utf8'));
    expect(leaf?.notBefore).toEqual(new Date('2030-01-01T11:55:00Z'));
    expect(leaf?.notAfter).toEqual(new Date('2039-12-30T12:00:00Z'));
    const [ca] = inspectPem(readFileSync(file(store, 'etcd-ca/ca.crt'), 'utf8'));
    expect(ca?.notAfter).toEqual(new Date('2049-12-27T12:00:00Z'));
  });
});

describe('stops with a clear error and touches nothing', () => {
  const newHost = planOf({ hosts: [exampleHost('m1', '10.0.0.1'), exampleHost('m2', '10.0.0.2')] });

  test('a missing CA key, when something has to be signed', async () => {
    const store = await filledStore();
    rmSync(file(store, 'etcd-ca/ca.key'));
    expect((await init(store)).applied).toEqual([]);
    expect(await stops(store, newHost)).toMatchObject({
      what: `${file(store, 'etcd-ca/ca.key')} is missing`,
      why: 'it is needed: there are certificates to be signed with it; nothing was changed',
      next: 'run the command where the CA key is kept, put it back for the while, or have others sign: kbin pki csr --all',
    });
  });

  test('a CA key that is no key', async () => {
    const store = await filledStore();
    writeFileSync(
      file(store, 'etcd-ca/ca.key'),
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    );
    expect(await stops(store)).toMatchObject({
      what: `${file(store, 'etcd-ca/ca.key')} cannot be read`,
      why: 'it holds no private key that can be read; nothing was changed',
    });
  });

  test('keys that do not match their certificates, all told at once', async () => {
    const store = await filledStore();
    const admin = readFileSync(file(store, 'kubernetes-ca/admin.key'));
    writeFileSync(file(store, 'kubernetes-ca/scheduler.key'), admin);
    writeFileSync(file(store, 'front-proxy-ca/ca.key'), admin);
    const { what, output, next } = await stops(store);
    expect(what).toBe('the certificate store has 2 problems; nothing was changed');
    expect(output).toContain('scheduler.key is not the key of');
    expect(output).toContain('front-proxy-ca/ca.key is not the key of');
    expect(next).toBe('mend each as said below, and run the command again');
    expect(output).not.toContain(admin.toString().split('\n')[1]);
  });

  test('a CA that has expired', async () => {
    const store = await filledStore(planOf({ pki: { validity: { ca: 24, leaf: 24 } } }));
    const later = new Date(Date.now() + 25 * 3_600_000);
    const { output } = await stops(store, smallPlan, later);
    expect(output).toContain('etcd-ca has expired: it was valid until');
  });

  test('a CA that is none', async () => {
    const store = await filledStore();
    for (const end of ['crt', 'key', 'key.sha256']) {
      const content = readFileSync(file(store, `kubernetes-ca/admin.${end}`));
      writeFileSync(file(store, `kubernetes-ca/ca.${end}`), content);
    }
    expect(await stops(store)).toMatchObject({
      what: `${file(store, 'kubernetes-ca/ca.crt')} is not the certificate of a CA`,
      why: 'its basic constraints say so; nothing was changed',
    });
  });

  test('a CA certificate that is malformed, cut short or gone while its leaves are there', async () => {
    const store = await filledStore();
    const ca = file(store, 'etcd-ca/ca.crt');
    const whole = readFileSync(ca, 'utf8');
    for (const text of [
      'nonsense',
      whole.slice(0, 200),
      whole.replace(/M/g, '!'),
      whole.replace(/\n.{64}\n/, '\n'),
    ]) {
      writeFileSync(ca, text);
      expect(await stops(store)).toMatchObject({ what: `${ca} cannot be read` });
    }
    rmSync(ca);
    expect(await stops(store)).toMatchObject({
      what: `${ca} is missing`,
      why: 'the key of this CA is still there, or its digest; nothing was changed',
    });
    rmSync(file(store, 'etcd-ca/ca.key'));
    expect(await stops(store)).toMatchObject({
      why: 'the key of this CA is still there, or its digest; nothing was changed',
    });
    rmSync(file(store, 'etcd-ca/ca.key.sha256'));
    expect(await stops(store)).toMatchObject({
      why: 'the certificate or key etcd-server@m1 of this CA is still there; nothing was changed',
    });
    for (const id of idsWithPaths(smallPlan).filter((one) => pathsOf(one).key.startsWith('etcd-ca/'))) {
      for (const path of Object.values(pathsOf(id))) rmSync(file(store, path), { force: true });
    }
    writeFileSync(file(store, 'etcd-ca/etcd-peer@gone.key.sha256'), '');
    expect(await stops(store)).toMatchObject({
      why: `${file(store, 'etcd-ca/etcd-peer@gone.key.sha256')} of this CA is still there; nothing was changed`,
    });
    rmSync(file(store, 'etcd-ca/etcd-peer@gone.key.sha256'));
    expect((await init(store)).applied[0]).toMatchObject({ id: 'etcd-ca', action: 'create' });
  });

  test('a missing etcd CA, when a cluster runs with its certificates', async () => {
    const store = await filledStore();
    await store.recordEtcdClusterId('abc');
    rmSync(file(store, 'etcd-ca'), { recursive: true });
    const id = file(store, 'etcd-cluster-id');
    expect(await stops(store)).toMatchObject({
      what: `${file(store, 'etcd-ca/ca.crt')} is missing`,
      why: `${id} says that an etcd cluster runs with the certificates of this CA; nothing was changed`,
      next: `restore ${file(store, 'etcd-ca/ca.crt')} and its key from a backup; for a new CA, which no running cluster trusts, move the folder of etcd-ca and ${id} away`,
    });
    rmSync(id);
    expect((await init(store)).applied[0]).toMatchObject({ id: 'etcd-ca', action: 'create' });
  });

  test('but another CA that is not there yet is made although a cluster runs', async () => {
    const store = await filledStore();
    await store.recordEtcdClusterId('abc');
    rmSync(file(store, 'front-proxy-ca'), { recursive: true });
    expect((await init(store)).applied.map(({ id }) => id)).toEqual(['front-proxy-ca', 'front-proxy-client']);
  });

  test('a service-account key that is gone while its public key is there', async () => {
    const store = await filledStore();
    rmSync(file(store, 'service-account/sa.key'));
    expect(await stops(store)).toMatchObject({ what: `${file(store, 'service-account/sa.key')} is missing` });
  });

  test('something in the way of a file', async () => {
    const store = await filledStore();
    rmSync(file(store, 'etcd-ca/etcd-peer@m1.crt'));
    rmSync(file(store, 'etcd-ca/etcd-peer@m1.key'));
    mkdirSync(file(store, 'etcd-ca/etcd-peer@m1.key.new'));
    writeFileSync(file(store, 'etcd-ca/etcd-peer@m1.key.new/in-the-way'), '');
    const error = await init(store).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KbinError);
    expect(error).toMatchObject({ details: { why: 'there is a folder of that name' } });
    expect(existsSync(file(store, 'etcd-ca/etcd-peer@m1.crt'))).toBe(false);
    expect(existsSync(file(store, 'etcd-ca/etcd-peer@m1.crt.new'))).toBe(false);
  });
});

describe('a store without keys', () => {
  const withoutKeys = async (): Promise<Store> => {
    const store = await filledStore();
    for (const id of idsWithPaths(smallPlan)) rmSync(file(store, pathsOf(id).key));
    rmSync(file(store, 'encryption-key/key1.key'));
    return store;
  };
  const note =
    'there is no private key in this pki folder: they are kept elsewhere, or lost; what has to be made is made where they are';

  test('can be viewed, and lacks nothing: that is said', async () => {
    const store = await filledStore();
    const before = store.view();
    for (const id of idsWithPaths(smallPlan)) rmSync(file(store, pathsOf(id).key));
    rmSync(file(store, 'encryption-key/key1.key'));
    const after = store.view();
    for (const id of planIds(smallPlan)) expect(after.key(id)).toEqual(before.key(id));
    const { applied, kept, notes } = await init(store);
    expect([applied, kept, notes.map(({ message }) => message)]).toEqual([[], smallCount, [note]]);
  });

  test('says what cluster.yaml asks for besides, and that this has to be made elsewhere', async () => {
    const store = await withoutKeys();
    const plan = planOf({ endpoint: { address: 'api.example.org' } });
    const { diff } = await compareStore(plan, store.folder, { now: new Date() });
    expect(diff.changes.map(({ id, action }) => [id, action])).toEqual([['apiserver@m1', 'reissue']]);
    expect(diff.problems.map(({ id, code }) => [id, code])).toEqual([['kubernetes-ca', 'ca-key-missing']]);
  });

  test('and without a digest either has lost that key', async () => {
    const store = await withoutKeys();
    rmSync(file(store, 'kubernetes-ca/admin.key.sha256'));
    rmSync(file(store, 'encryption-key/key1.key.sha256'));
    const { diff } = await compareStore(smallPlan, store.folder, { now: new Date() });
    expect(diff.changes.map(({ id, reasons }) => [id, reasons[0]?.code])).toEqual([['admin', 'key-missing']]);
    expect(diff.problems.map(({ code }) => code)).toEqual(['ca-key-missing', 'encryption-key-lost']);
  });
});

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ApiClient, type ApiError, openApi } from '../../src/health/api-client.ts';
import { readApiservers, waitForReady } from '../../src/health/api-gates.ts';
import type { ApiCredentials, ApiTarget } from '../../src/health/api-target.ts';
import { dialDirect } from '../../src/health/dial.ts';
import { type LocalKubernetes, startKubernetes } from './local-kubernetes.ts';

let kubernetes: LocalKubernetes;
let credentials: ApiCredentials;
let first: ApiTarget;
let second: ApiTarget;
beforeAll(async () => {
  kubernetes = await startKubernetes({ apiservers: 2 });
  credentials = await kubernetes.credentials();
  [first, second] = kubernetes.targets as [ApiTarget, ApiTarget];
}, 180_000);
afterAll(() => kubernetes?.[Symbol.asyncDispose]());

function open(target: ApiTarget, as: ApiCredentials = credentials, deadlineMs = 10_000): ApiClient {
  const client = openApi(target, as, deadlineMs);
  onTestFinished(() => client.close());
  return client;
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: ApiError) => error,
  );

describe('a client', () => {
  test('reads, writes and deletes', async () => {
    const client = open(first);
    const path = '/api/v1/namespaces/kube-system/configmaps';
    const metadata = { name: 'a-test' };
    await client.send({ method: 'POST', path, body: { metadata, data: { a: 'ü' } } });
    expect(await client.getJson(`${path}/a-test`)).toMatchObject({ data: { a: 'ü' } });
    expect(await kubernetes.kubectl(['-n', 'kube-system', 'get', 'configmap', 'a-test', '-o', 'name'])).toBe(
      'configmap/a-test\n',
    );
    await client.send({ method: 'DELETE', path: `${path}/a-test` });
    const gone = await failureOf(client.getJson(`${path}/a-test`));
    expect(gone).toMatchObject({ status: 404, word: 'NotFound', reason: { code: 'rejected' } });
    expect(gone.message).toBe('apiserver m1 answers 404: configmaps "a-test" not found');
  });

  test('opens one connection for calls that follow each other, and none before', async () => {
    let dialled = 0;
    const client = open({
      ...first,
      dial: (...where) => {
        dialled++;
        return dialDirect(...where);
      },
    });
    expect(dialled).toBe(0);
    for (let call = 0; call < 3; call++) await client.get('/version');
    expect(dialled).toBe(1);
  });

  test('holds a certificate to the address that was dialled', async () => {
    const error = await failureOf(open({ ...first, address: 'localhost' }).get('/version'));
    expect(error.reason).toMatchObject({
      code: 'san-mismatch',
      message: expect.stringContaining('127.0.0.1'),
    });
  });

  test('holds a certificate to the CA', async () => {
    const ca = await kubernetes.etcd.authority.read('ca.crt');
    const error = await failureOf(open(first, { ...credentials, ca }).get('/version'));
    expect(error.reason.code).toBe('wrong-ca');
    expect(error.details).toMatchObject({ host: 'm1', step: 'GET /version' });
  });

  test('of another CA is told so', async () => {
    const stranger = await kubernetes.credentials('client', kubernetes.etcd.authority);
    const error = await failureOf(open(first, stranger).getJson('/api'));
    expect(error).toMatchObject({ status: 401, reason: { code: 'unauthorized' } });
    expect(error.details.next).toContain('client-ca-file');
  });

  test('without permission is told so', async () => {
    await kubernetes.authority.issue('nobody');
    const error = await failureOf(
      open(first, await kubernetes.credentials('nobody')).getJson('/api/v1/secrets'),
    );
    expect(error).toMatchObject({ status: 403, word: 'Forbidden', reason: { code: 'forbidden' } });
    expect(error.message).toContain('"nobody" cannot list');
  });

  test('says what else speaks on the port', async () => {
    const member = new URL(kubernetes.etcd.member(0).endpoint);
    const error = await failureOf(open({ ...first, port: Number(member.port) }).get('/version'));
    expect(error.reason.code).toBe('wrong-ca');
  });

  test('shows no key in what goes wrong', async () => {
    const key = 'not a key';
    const error = await failureOf(open(first, { ...credentials, key }).get('/version'));
    expect(error.reason.code).toBe('bad-credentials');
    expect(JSON.stringify([error.message, error.details])).not.toContain('not a key');
  });
});

describe('readings and gates', () => {
  test('of two healthy apiservers', async () => {
    const readings = await readApiservers(kubernetes.targets, credentials);
    for (const [index, reading] of readings.entries()) {
      expect(reading).toEqual({
        host: `m${index + 1}`,
        target: kubernetes.targets[index],
        reachable: true,
        ready: true,
        notReady: [],
        live: true,
        notLive: [],
        version: '1.20.2',
        latencyMs: expect.any(Number),
      });
    }
  });

  test('an apiserver knows who asks, or not', async () => {
    const stranger = await kubernetes.credentials('client', kubernetes.etcd.authority);
    const [reading] = await readApiservers([first], stranger);
    // Anonymous clients may ask for these; a certificate of nobody's is worse than none.
    expect(reading).toMatchObject({ reachable: true, failure: { code: 'unauthorized' } });
    expect(reading).not.toHaveProperty('ready');
  });

  test('one that has lost its etcd says which check fails, and what waits for it repeats that', async () => {
    const member = kubernetes.etcd.member(0);
    member.freeze();
    try {
      const waiting = waitForReady(second, credentials, { within: 8 });
      await expect(waiting).rejects.toMatchObject({
        message: 'waited 8 s for apiserver m2 to be ready',
        details: { why: expect.stringMatching(/m2: (not ready: etcd|does not answer)/) },
      });
    } finally {
      member.thaw();
    }
    await expect(waitForReady(second, credentials, { within: 60 })).resolves.toMatchObject({ ready: true });
  });

  test('one that is gone, one that hangs, and one that comes back', async () => {
    const apiserver = kubernetes.apiserver(1);
    apiserver.freeze();
    const [hanging] = await readApiservers([second], credentials, 1000);
    apiserver.thaw();
    expect(hanging).toMatchObject({ reachable: false, failure: { code: 'no-answer' } });
    await apiserver.stop();
    const [gone] = await readApiservers([second], credentials, 1000);
    expect(gone).toMatchObject({ reachable: false, failure: { code: 'refused' } });
    expect(gone?.failure?.next).toContain('systemctl status kube-apiserver');
    const seen: string[] = [];
    const waiting = waitForReady(second, credentials, { within: 60, onLast: (text) => seen.push(text) });
    await apiserver.start();
    expect(await waiting).toMatchObject({ host: 'm2', ready: true });
    expect(seen[0]).toBe('m2: refuses connections: nothing listens there');
  });

  test('waits for the version and the certificate that are expected', async () => {
    await expect(
      waitForReady(first, credentials, { within: 1 }, { version: '1.20.3' }),
    ).rejects.toMatchObject({ details: { why: 'last seen: m1: is ready, but runs 1.20.2 and not 1.20.3' } });
    await expect(
      waitForReady(first, credentials, { within: 1 }, { fingerprint: 'AA:BB' }),
    ).rejects.toMatchObject({
      details: { why: 'last seen: m1: does not serve the certificate that was issued for it yet' },
    });
  });

  test('ends at an interrupt', async () => {
    const signal = AbortSignal.abort(new Error('SIGINT'));
    await expect(waitForReady({ ...first, port: 1 }, credentials, { within: 60, signal })).rejects.toThrow(
      'SIGINT',
    );
  });

  test('an expired certificate is named', async () => {
    await kubernetes.authority.issue('apiserver', { sans: 'IP:127.0.0.1', from: -10, to: -1 });
    const apiserver = kubernetes.apiserver(1);
    await apiserver.stop();
    await apiserver.start();
    await expect(waitForReady(second, credentials, { within: 10 })).rejects.toMatchObject({
      details: { why: 'last seen: m2: serves a certificate that has expired' },
    });
  });
});

test('an authority of openssl makes subjects as Kubernetes reads them', async () => {
  expect(await kubernetes.kubectl(['auth', 'can-i', '*', '*'])).toBe('yes\n');
});

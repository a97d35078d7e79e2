/** On a real apiserver and a real etcd: what a new encryption key means for what lies there, and tokens signed anew. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keyIdOf } from '../../src/ca/rotate-service-account.ts';
import type { ApiClient } from '../../src/health/api-client.ts';
import { legacyTokens, signAnew } from '../../src/health/legacy-tokens.ts';
import { placeOf, rewriteStored } from '../../src/health/rewrite.ts';
import { readStoredWith } from '../../src/health/stored-form.ts';
import { readTokenKeys } from '../../src/health/token-keys.ts';
import { longestAskedFor } from '../../src/health/token-lives.ts';
import { until } from '../lab/until.ts';
import { type LocalKubernetes, startKubernetes } from './local-kubernetes.ts';

let kubernetes: LocalKubernetes;
let client: ApiClient;
const young = randomBytes(32);
let old: Buffer;

beforeAll(async () => {
  kubernetes = await startKubernetes();
  const text = await readFile(kubernetes.authority.path('encryption.yaml'), 'utf8');
  old = Buffer.from(/secret: (\S+)/.exec(text)?.[1] ?? '', 'base64');
  await use(['key1', old]);
  client = await kubernetes.client();
}, 180_000);
afterAll(async () => {
  client?.close();
  await kubernetes?.[Symbol.asyncDispose]();
});

/** Keys in their order, for Secrets and ConfigMaps; the apiserver is started with them. */
async function use(...keys: readonly (readonly [string, Buffer])[]): Promise<void> {
  const listed = keys.map(([name, key]) => `{ name: ${name}, secret: ${key.toString('base64')} }`);
  const text = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets, configmaps, clusterroles.rbac.authorization.k8s.io]
    providers:
      - secretbox: { keys: [${listed}] }
      - identity: {}
`;
  await writeFile(kubernetes.authority.path('encryption.yaml'), text);
  await restart();
}

async function restart(): Promise<void> {
  await kubernetes.apiserver(0).stop();
  await kubernetes.apiserver(0).start();
  await kubernetes.ready();
}

async function storedWith(...names: string[]): Promise<readonly string[]> {
  const { targets } = kubernetes.etcd;
  const stored = await readStoredWith(targets, await kubernetes.etcd.credentials(), '/registry', names, 5000);
  if (!('found' in stored)) throw new Error(stored.message);
  return stored.found;
}

test('all that the old key encrypted is written again, page by page, and nothing else is changed', {
  timeout: 240_000,
}, async () => {
  // More than one page of the API and of etcd.
  const names = Array.from({ length: 220 }, (_, index) => `secret-${index}`);
  for (let index = 0; index < names.length; index += 20) {
    await Promise.all(
      names.slice(index, index + 20).map((name) =>
        client.send({
          method: 'POST',
          path: '/api/v1/namespaces/default/secrets',
          body: { metadata: { name }, stringData: { of: name }, immutable: true },
        }),
      ),
    );
  }
  await kubernetes.kubectl(['create', 'clusterrole', 'some:role', '--verb=get', '--resource=pods']);
  await client.send({
    method: 'POST',
    path: '/api/v1/namespaces/default/configmaps',
    body: { metadata: { name: 'settings' }, data: { is: 'kept' } },
  });
  await use(['key2', young], ['key1', old]);
  const stored = await storedWith('key1');
  expect(stored).toEqual(
    expect.arrayContaining([
      ...names.map((name) => `secrets/default/${name}`),
      'configmaps/default/settings',
      'clusterroles/some:role',
    ]),
  );
  const before = await client.getJson<Secrets>('/api/v1/namespaces/default/secrets');

  const heard: number[] = [];
  const rewriting = { clients: [client], stored, onProgress: (written: number) => heard.push(written) };
  expect(await rewriteStored({ ...rewriting, resource: 'secrets' })).toBeGreaterThanOrEqual(220);
  expect(heard.at(-1)).toBe(heard.length);
  const left = await storedWith('key1');
  expect(left).toContain('configmaps/default/settings');
  expect(left.filter((key) => key.startsWith('secrets/'))).toEqual([]);
  for (const resource of ['configmaps', 'clusterroles.rbac.authorization.k8s.io', 'nothings.example.org'])
    await rewriteStored({ ...rewriting, stored: left, resource });
  expect(await storedWith('key1')).toEqual([]);
  expect(await storedWith('key2')).toHaveLength(stored.length);

  const after = await client.getJson<Secrets>('/api/v1/namespaces/default/secrets');
  expect(contents(after)).toEqual(contents(before));
  // Where nothing is left nothing is written.
  expect(await rewriteStored({ ...rewriting, stored: [], resource: 'secrets' })).toBe(0);
  // The old key is not needed any more: every Secret can be read without it.
  await use(['key2', young]);
  expect(contents(await client.getJson<Secrets>('/api/v1/namespaces/default/secrets'))).toEqual(
    contents(before),
  );
});

test('a resource is found in its group, and one that there is not is none', async () => {
  expect(await placeOf(client, 'secrets')).toEqual({ base: '/api/v1', plural: 'secrets' });
  expect(await placeOf(client, 'deployments.apps')).toEqual({ base: '/apis/apps/v1', plural: 'deployments' });
  for (const resource of ['deployments', 'nothings', 'nothings.apps', 'things.example.org', 'bindings'])
    expect(await placeOf(client, resource)).toBeUndefined();
});

test('a token in a Secret is signed anew, in its place, once the new key signs', {
  timeout: 180_000,
}, async () => {
  const manager = await kubernetes.startComponent('kube-controller-manager');
  const secretOf = async (account: string) =>
    (await legacyTokens(client)).find(({ name }) => name.startsWith(`${account}-token-`));
  await kubernetes.kubectl(['create', 'serviceaccount', 'worker']);
  const before = await until('its token', () => secretOf('worker'));
  const oldKid = keyIdOf(await readFile(kubernetes.authority.path('sa.pub'), 'utf8'));
  expect(before).toEqual({ namespace: 'default', name: before.name, isEmpty: false, kid: oldKid });
  await until('the account that every cluster has', async (saw) => {
    const { failure } = await readTokenKeys(client);
    return failure === undefined || saw(failure.message);
  });
  expect(await readTokenKeys(client)).toEqual({ verifies: [oldKid], signs: oldKid });
  expect(await longestAskedFor(client)).toBe(0);

  const next = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [file, publicFile] = [kubernetes.authority.path('sa2.key'), kubernetes.authority.path('sa.pub')];
  await writeFile(file, next.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const publicPem = next.publicKey.export({ type: 'spki', format: 'pem' }) as string;
  await writeFile(publicFile, `${publicPem}${await readFile(publicFile, 'utf8')}`);
  const kid = keyIdOf(publicPem);
  kubernetes.apiserver(0).set('service-account-signing-key-file', file);
  await restart();
  manager.set('service-account-private-key-file', file);
  await manager.stop();
  await manager.start();

  const keys = await readTokenKeys(client);
  expect(keys.signs).toBe(kid);
  expect(keys.verifies?.toSorted()).toEqual([kid, oldKid].toSorted());
  expect(await signAnew(client, before, kid, { within: 90 })).toBe(true);
  expect(await secretOf('worker')).toEqual({ ...before, kid });
  // One that is gone needs nothing.
  expect(await signAnew(client, { ...before, name: 'gone' }, kid, { within: 5 })).toBe(false);
  // With nobody to sign it, it is said where to look, and not waited for ever.
  await manager.stop();
  await expect(signAnew(client, before, 'another', { within: 1 })).rejects.toMatchObject({
    message: `waited 1 s for kube-controller-manager to sign the token of Secret default/${before.name} with the new key`,
    details: { why: expect.stringContaining('it has no token') },
  });
});

interface Secrets {
  readonly items: readonly { readonly metadata: { readonly name: string }; readonly data?: object }[];
}

const contents = ({ items }: Secrets) => items.map(({ metadata, data }) => [metadata.name, data]);

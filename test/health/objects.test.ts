import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ApiClient } from '../../src/health/api-client.ts';
import { applyObject, compareObjects } from '../../src/health/objects.ts';
import { type LocalKubernetes, startKubernetes } from './local-kubernetes.ts';

let kubernetes: LocalKubernetes;
let client: ApiClient;
beforeAll(async () => {
  kubernetes = await startKubernetes();
  client = await kubernetes.client();
}, 180_000);
afterAll(async () => {
  client?.close();
  await kubernetes?.[Symbol.asyncDispose]();
});

const role = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'kbin:test', labels: { made: 'here' } },
  rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }],
};
const binding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'kbin:test' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kbin:test' },
  // The server adds the apiGroup.
  subjects: [{ kind: 'Group', name: 'system:bootstrappers' }],
};
const namespaced = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'kbin-test', namespace: 'kube-system' },
  data: { a: '1' },
};
const wanted = [role, binding, namespaced];

beforeEach(async () => {
  for (const object of wanted) await applyObject(client, object);
});

test('what is not there is created, and then nothing differs', async () => {
  await kubernetes.kubectl(['delete', 'clusterrole,clusterrolebinding', 'kbin:test']);
  await kubernetes.kubectl(['delete', '-n', 'kube-system', 'configmap', 'kbin-test']);
  expect(await compareObjects(client, wanted)).toEqual([
    { kind: 'object', target: 'ClusterRole/kbin:test', action: 'create', reason: 'does not exist' },
    { kind: 'object', target: 'ClusterRoleBinding/kbin:test', action: 'create', reason: 'does not exist' },
    { kind: 'object', target: 'ConfigMap/kube-system/kbin-test', action: 'create', reason: 'does not exist' },
  ]);
  for (const object of wanted) await applyObject(client, object);
  expect(await compareObjects(client, wanted)).toEqual([]);
  const described = await kubernetes.kubectl(['describe', 'clusterrolebinding', 'kbin:test']);
  expect(described).toContain('system:bootstrappers');
});

test('what somebody changed is found, shown and put right; what they added stays', async () => {
  await kubernetes.kubectl(['label', 'clusterrole', 'kbin:test', 'theirs=yes']);
  expect(await compareObjects(client, wanted)).toEqual([]);
  await kubernetes.kubectl([
    'patch',
    'clusterrole',
    'kbin:test',
    '--type=json',
    '-p=[{"op":"add","path":"/rules/0/verbs/-","value":"delete"}]',
  ]);
  const changes = await compareObjects(client, wanted);
  expect(changes).toEqual([
    {
      kind: 'object',
      target: 'ClusterRole/kbin:test',
      action: 'update',
      reason: 'rules differs',
      diff: expect.stringMatching(/^-.*"delete"$/m),
    },
  ]);
  await applyObject(client, role);
  expect(await compareObjects(client, wanted)).toEqual([]);
  expect(await client.getJson('/apis/rbac.authorization.k8s.io/v1/clusterroles/kbin:test')).toMatchObject({
    metadata: { labels: { made: 'here', theirs: 'yes' } },
  });
});

test('a binding to another role is made anew', async () => {
  const other = { ...binding, roleRef: { ...binding.roleRef, name: 'view' } };
  expect(await compareObjects(client, [other])).toMatchObject([
    { action: 'update', reason: 'roleRef differs, so it is deleted and made anew' },
  ]);
  await applyObject(client, other);
  expect(await compareObjects(client, [other])).toEqual([]);
  await applyObject(client, binding);
  expect(await compareObjects(client, [binding])).toEqual([]);
});

test('an apiserver that does not answer is an error of its own', async () => {
  await kubernetes.apiserver(0).stop();
  await expect(compareObjects(client, wanted)).rejects.toMatchObject({ reason: { code: 'refused' } });
});

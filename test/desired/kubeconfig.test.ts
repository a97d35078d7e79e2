import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { compose } from '../../src/desired/compose.ts';
import { endpointUrl, kubeconfigParts, kubeconfigText } from '../../src/desired/kubeconfig.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';

const given = {
  clusterName: 'prod',
  server: 'https://[fd00::1]:6443',
  ca: 'the CA\n',
  user: 'me: "and" you',
  certificate: 'mine\n',
};
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('a kubeconfig reads back as what was put in', () => {
  expect(parse(kubeconfigText({ ...given, key: 'secret\n' }))).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'prod', cluster: { server: given.server, 'certificate-authority-data': base64('the CA\n') } },
    ],
    users: [
      {
        name: given.user,
        user: { 'client-certificate-data': base64('mine\n'), 'client-key-data': base64('secret\n') },
      },
    ],
    contexts: [{ name: `${given.user}@prod`, context: { cluster: 'prod', user: given.user } }],
    'current-context': `${given.user}@prod`,
  });
});

test('with a key in the store it is the same text, and the key is in no part of it', async () => {
  const key = { ref: 'a.key', sha256: '0'.repeat(64), as: 'base64' } as const;
  const parts = kubeconfigParts({ ...given, key });
  const text = await compose(parts, async () => Buffer.from('secret\n'));
  expect(Buffer.from(text).toString()).toBe(kubeconfigText({ ...given, key: 'secret\n' }));
  expect(parts.filter((part) => typeof part !== 'string')).toEqual([key]);
});

test('people go to the endpoint, else to the first control-plane host', () => {
  expect(endpointUrl(exampleCluster())).toBe('https://192.168.31.75:16443');
  const hosts = [
    exampleHost('etcd1', '10.0.0.1', ['etcd']),
    exampleHost('master1', '10.0.0.2', ['control-plane']),
  ];
  expect(endpointUrl(exampleCluster({ endpoint: undefined, hosts }))).toBe('https://10.0.0.2:6443');
  expect(endpointUrl(exampleCluster({ endpoint: undefined, hosts: hosts.slice(0, 1) }))).toBeUndefined();
});

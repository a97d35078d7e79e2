import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { desire, requireCertificates } from '../../../src/desired/desire.ts';
import type { DesiredComponent } from '../../../src/desired/desired.ts';
import type { StoreView } from '../../../src/desired/store-view.ts';
import { KbinError } from '../../../src/errors.ts';
import { exampleCluster } from '../../cluster/fixture.ts';
import { fullStore } from '../store.ts';

function apiserver(cluster: Cluster, store: StoreView = fullStore()): DesiredComponent {
  const [host] = cluster.hosts;
  const component = host && desire(cluster, host, { store, only: ['kube-apiserver'] }).components[0];
  if (component === undefined) throw new Error('no apiserver');
  return component;
}

function withFlags(flags: Record<string, readonly string[]>, version = '1.34.1'): DesiredComponent {
  return apiserver(exampleCluster({ kubernetes: { version, components: { 'kube-apiserver': { flags } } } }));
}

/** Values of one flag, in the order given. */
function values({ unit }: DesiredComponent, flag: string): string[] {
  const start = `--${flag}=`;
  return unit.process.argv.filter((word) => word.startsWith(start)).map((word) => word.slice(start.length));
}

const hasFile = ({ files }: DesiredComponent, name: string) =>
  files.some(({ path }) => path.endsWith(`/${name}`));

describe('who may ask without credentials', () => {
  test('from 1.32 on: who asks for its health, by a file that is there', () => {
    const component = withFlags({});
    expect(values(component, 'authentication-config')).toEqual([
      '/etc/kubernetes/kube-apiserver/authentication.yaml',
    ]);
    expect(hasFile(component, 'authentication.yaml')).toBe(true);
  });

  test.each([
    ['an older release', {}, '1.31.4'],
    ['anonymous-auth, which excludes the file', { 'anonymous-auth': ['false'] }, '1.34.1'],
    ['oidc-issuer-url, which excludes the file', { 'oidc-issuer-url': ['https://id.example.org'] }, '1.34.1'],
  ])('not with %s', (_what, flags, version) => {
    const component = withFlags(flags, version);
    expect(values(component, 'authentication-config')).toEqual([]);
    expect(hasFile(component, 'authentication.yaml')).toBe(false);
  });

  test('with a file of the user’s, kbin’s is not there', () => {
    const component = withFlags({ 'authentication-config': ['/srv/who.yaml'] });
    expect(values(component, 'authentication-config')).toEqual(['/srv/who.yaml']);
    expect(hasFile(component, 'authentication.yaml')).toBe(false);
  });
});

describe('flags of cluster.yaml', () => {
  test('NodeRestriction stays among the admission plugins, unless it is switched off', () => {
    const plugins = (flags: Record<string, readonly string[]>) =>
      values(withFlags(flags), 'enable-admission-plugins');
    expect(plugins({})).toEqual(['NodeRestriction']);
    expect(
      plugins({ 'enable-admission-plugins': ['AlwaysPullImages,NodeRestriction', 'PodNodeSelector'] }),
    ).toEqual(['NodeRestriction,AlwaysPullImages,PodNodeSelector']);
    expect(plugins({ 'disable-admission-plugins': ['NodeRestriction'] })).toEqual([]);
  });

  test('authorizers of a file take the place of the flag', () => {
    expect(values(withFlags({}), 'authorization-mode')).toEqual(['Node,RBAC']);
    expect(values(withFlags({ 'authorization-config': ['/srv/may.yaml'] }), 'authorization-mode')).toEqual(
      [],
    );
    expect(values(withFlags({ 'authorization-mode': ['Node,RBAC,Webhook'] }), 'authorization-mode')).toEqual([
      'Node,RBAC,Webhook',
    ]);
  });

  test('take the place of kbin’s, and may be given several times', () => {
    const issuers = ['https://new.example.org', 'https://old.example.org'];
    expect(values(withFlags({ 'service-account-issuer': issuers }), 'service-account-issuer')).toEqual(
      issuers,
    );
  });
});

describe('what needs a restart', () => {
  const inputs = (cluster: Cluster, store?: StoreView) => apiserver(cluster, store).unit.inputs;

  test.each([
    ['a flag', exampleCluster({ kubernetes: { shutdownDelay: 20 } })],
    ['the audit policy', exampleCluster({ kubernetes: { audit: { policy: 'kind: Policy\n' } } })],
    ['the encryption', exampleCluster({ kubernetes: { encryption: { provider: 'aesgcm' } } })],
    ['the version', exampleCluster({ kubernetes: { version: '1.34.2' } })],
  ])('%s', (_what, cluster) => {
    expect(inputs(cluster)).not.toBe(inputs(exampleCluster()));
  });

  test('not what people use, and not where the secrets are not', () => {
    const base = fullStore();
    const certificate: StoreView['certificate'] = (id) => {
      const found = base.certificate(id);
      return found && { ...found, pem: id === 'admin' ? `${found.pem}renewed\n` : found.pem };
    };
    expect(inputs(exampleCluster(), fullStore({ certificate }))).toBe(inputs(exampleCluster()));
    expect(inputs(exampleCluster(), fullStore({ digestOf: () => undefined }))).toBe(inputs(exampleCluster()));
  });
});

test('every key that verifies tokens is in one file, the present one first', () => {
  const store = fullStore({
    serviceAccountKeys: () =>
      ['new', 'old'].map((name) => ({ ref: `service-account/${name}.pub`, pem: `${name}\n` })),
  });
  const file = apiserver(exampleCluster(), store).bundles[0]?.files.find(
    ({ path }) => path === 'service-account.pub',
  );
  expect(file?.content).toMatchObject({ text: 'new\nold\n' });
});

test('Secrets are never written in plain text because a key is missing', () => {
  const store = fullStore({ encryptionKeys: () => [] });
  expect(() => apiserver(exampleCluster(), store)).toThrow(KbinError);
  expect(() => requireCertificates(exampleCluster(), store)).toThrow(/lacks the encryption key/);
  const plain = apiserver(exampleCluster({ kubernetes: { encryption: undefined } }), store);
  expect(values(plain, 'encryption-provider-config')).toEqual([]);
});

test('no account may look into another’s folder of keys', () => {
  const cluster = exampleCluster();
  const [host] = cluster.hosts;
  const { components } = host ? desire(cluster, host, { store: fullStore() }) : { components: [] };
  for (const { name, bundles } of components.slice(1)) {
    for (const { mode, owner, files } of bundles) {
      expect({ name, mode, owner }).toEqual({ name, mode: 0o700, owner: name });
      const open = files.filter((file) => file.content.kind !== 'text' && file.mode !== 0o600);
      expect(open).toEqual([]);
    }
  }
});

import { expect, test } from 'vitest';
import { type Cluster, controlPlaneComponents } from '../../../src/cluster/cluster.ts';
import { parseCluster } from '../../../src/cluster/load.ts';
import { checkKubernetesFlags } from '../../../src/desired/components/kube-overrides.ts';
import { desire } from '../../../src/desired/desire.ts';
import { fullStore } from '../store.ts';

function clusterWith(version: string, flags: string): Cluster {
  const text = `name: prod
hosts: [{ name: one, address: 192.168.31.71, roles: [etcd, control-plane] }]
etcd: { version: 3.5.24 }
kubernetes:
  version: ${version}
${flags}`;
  return parseCluster(text, { file: 'cluster.yaml', folder: '/home/me/prod' });
}

function startedWords(cluster: Cluster): string[] {
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  return desire(cluster, host, { store: fullStore() })
    .components.filter(({ name }) => controlPlaneComponents.some((component) => component === name))
    .flatMap(({ unit }) => unit.process.argv);
}

const told = (cluster: Cluster) =>
  checkKubernetesFlags(cluster).unknown.map(({ component, flag, why }) => `${component} ${flag}: ${why}`);

test('a flag of another release is told and left out; a component knows its own flags only', () => {
  const flags = `  apiserver: { flags: { insecure-bind-address: 127.0.0.1, event-ttl: 2h, pod-eviction-timeout: 1m } }
  controllerManager: { flags: { pod-eviction-timeout: 1m, terminated-pod-gc-threshold: 100 } }
  scheduler: { flags: { pod-max-in-unschedulable-pods-duration: 5m, v: 3 } }
`;
  const old = clusterWith('1.20.2', flags);
  expect(told(old)).toEqual([
    'kube-apiserver pod-eviction-timeout: no kube-apiserver has a flag of this name',
    'kube-scheduler pod-max-in-unschedulable-pods-duration: kube-scheduler 1.20 does not have it (it exists from 1.24 on)',
  ]);
  const started = startedWords(old);
  expect(started).toEqual(
    expect.arrayContaining(['--insecure-bind-address=127.0.0.1', '--pod-eviction-timeout=1m', '--v=3']),
  );
  expect(started.filter((word) => word === '--pod-eviction-timeout=1m')).toHaveLength(1);
  expect(started.join(' ')).not.toContain('unschedulable');

  const recent = clusterWith('1.36.1', flags);
  expect(told(recent)).toEqual([
    'kube-apiserver insecure-bind-address: kube-apiserver 1.36 does not have it (it exists until 1.23)',
    'kube-apiserver pod-eviction-timeout: no kube-apiserver has a flag of this name',
    'kube-controller-manager pod-eviction-timeout: kube-controller-manager 1.36 does not have it (it exists until 1.26)',
  ]);
  const words = startedWords(recent);
  expect(words.join(' ')).not.toMatch(/insecure-bind-address|pod-eviction-timeout/);
  expect(words).toEqual(
    expect.arrayContaining([
      '--event-ttl=2h',
      '--terminated-pod-gc-threshold=100',
      '--pod-max-in-unschedulable-pods-duration=5m',
    ]),
  );
});

test('a flag that kbin sets in some releases only does not come back through cluster.yaml', () => {
  // Gone since 1.24: wiring is what counts, and the flag stays out of the unit.
  const cluster = clusterWith('1.30.0', '  scheduler: { flags: { policy-config-file: /root/policy } }\n');
  expect(told(cluster)).toEqual([
    'kube-scheduler policy-config-file: kube-scheduler 1.30 does not have it (it exists until 1.22)',
  ]);
  expect(startedWords(cluster).join(' ')).not.toContain('policy-config-file');
});

test.each<[string, string, string, string | undefined]>([
  ['1.20.2', 'feature-gates', 'PodSecurity=true', 'Kubernetes 1.20 has no feature gate PodSecurity'],
  ['1.22.0', 'feature-gates', 'AllBeta=false,PodSecurity=true', undefined],
  [
    '1.32.0',
    'feature-gates',
    'kube:ServerSideApply=true',
    'Kubernetes 1.32 has no feature gate ServerSideApply',
  ],
  ['1.36.0', 'feature-gates', 'SomethingNew=true', undefined],
  ['1.25.0', 'enable-admission-plugins', 'PodSecurityPolicy', 'no admission plugin PodSecurityPolicy'],
  ['1.24.0', 'enable-admission-plugins', 'PodSecurityPolicy', undefined],
  ['1.21.0', 'disable-admission-plugins', 'PodSecurity', 'no admission plugin PodSecurity, and would not'],
])('Kubernetes %s: --%s=%s', (version, flag, value, why) => {
  const cluster = clusterWith(version, `  apiserver: { flags: { ${flag}: "${value}" } }\n`);
  expect(checkKubernetesFlags(cluster)).toEqual({
    refused:
      why === undefined ? [] : [{ component: 'kube-apiserver', flag, why: expect.stringContaining(why) }],
    unknown: [],
  });
});

test('without a release nothing is unknown', () => {
  const text = `name: prod
hosts: [{ name: one, address: 192.168.31.71, roles: [etcd] }]
etcd: { version: 3.5.24 }
kubernetes: { scheduler: { flags: { no-such-flag: 1 } } }
`;
  const cluster = parseCluster(text, { file: 'cluster.yaml', folder: '/home/me/prod' });
  expect(checkKubernetesFlags(cluster)).toEqual({ refused: [], unknown: [] });
});

test.each<[string, string, boolean]>([
  ['apiserver', 'bind-address: 127.0.0.1', true],
  ['apiserver', 'bind-address: 10.0.0.1', false],
  ['apiserver', 'insecure-port: 8080', true],
  ['apiserver', 'insecure-port: 0', false],
  ['apiserver', 'version: true', true],
  ['controllerManager', 'master: https://10.0.0.9:6443', true],
  ['controllerManager', 'secure-port: 0', true],
  ['controllerManager', 'secure-port: 10300', false],
  ['scheduler', 'master: https://10.0.0.9:6443', true],
  ['scheduler', 'leader-elect: false', true],
  ['scheduler', 'secure-port: 0', true],
  ['scheduler', 'write-config-to: /tmp/x', true],
])('what breaks the wiring is refused: %s %s', (component, flag, isRefused) => {
  const { refused } = checkKubernetesFlags(clusterWith('1.20.2', `  ${component}: { flags: { ${flag} } }\n`));
  expect(refused.length > 0).toBe(isRefused);
});

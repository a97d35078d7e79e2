import { expect, test } from 'vitest';
import { formerSettings } from '../../src/diff/take-over-settings.ts';
import { sidesOf } from './control-plane-situations.ts';

/** What is said of hosts whose former components were started with these, and get those. */
function said(wantedArgv: readonly string[], ...argvs: readonly (readonly string[])[]) {
  const component = 'kube-apiserver';
  const all = argvs.map((argv, index) => ({
    side: sidesOf(index, { wantedArgv }),
    former: { component, argv: ['/opt/kube-apiserver', ...argv] } as const,
  }));
  return formerSettings(all).map(({ message }) => message);
}

test.each<[string, readonly string[], readonly string[], string | undefined]>([
  ['the same', ['--allow-privileged=true'], ['--allow-privileged'], undefined],
  ['where logs go', ['--v=2', '--logtostderr=false', '--log-dir=/opt/logs'], [], undefined],
  ['files of its own', ['--tls-cert-file=/opt/server.pem'], ['--tls-cert-file=/etc/server.crt'], undefined],
  ['the order of a list', ['--authorization-mode=RBAC,Node'], ['--authorization-mode=Node,RBAC'], undefined],
  [
    'plugins that are on anyway',
    ['--enable-admission-plugins=LimitRanger'],
    ['--enable-admission-plugins=NodeRestriction'],
    undefined,
  ],
  ['the host’s own address', ['--bind-address=192.168.31.71'], [], undefined],
  [
    'what has a rule of its own',
    ['--etcd-servers=https://10.9.9.9', '--service-cluster-ip-range=10.0.0.0/8'],
    [],
    undefined,
  ],
  [
    'a flag that kbin does not set',
    ['--token-auth-file=/a.csv'],
    [],
    '--token-auth-file=/a.csv would be gone',
  ],
  [
    'a flag without a value',
    ['--enable_aggregator_routing'],
    [],
    '--enable-aggregator-routing=true would be gone',
  ],
  [
    'another plugin',
    ['--enable-admission-plugins=LimitRanger,PodNodeSelector'],
    ['--enable-admission-plugins=NodeRestriction'],
    '--enable-admission-plugins=LimitRanger,PodNodeSelector becomes NodeRestriction',
  ],
  [
    'another value',
    ['--service-node-port-range=30000-50000'],
    ['--service-node-port-range=30000-32767'],
    '--service-node-port-range=30000-50000 becomes 30000-32767',
  ],
  ['both', ['--x=1', '--y', '2'], ['--y=3'], '--x=1 would be gone; --y=2 becomes 3'],
])('%s', (_what, argv, wanted, expected) => {
  expect(said(wanted, argv)).toEqual(
    expected === undefined ? [] : [`kube-apiserver: ${expected} (as it runs on k8s-master1)`],
  );
});

test('what is alike is said once', () => {
  expect(said([], ['--x=1'], ['--x=1'], ['--x=2'])).toEqual([
    'kube-apiserver: --x=1 would be gone (as it runs on k8s-master1, k8s-master2)',
    'kube-apiserver: --x=2 would be gone (as it runs on k8s-master3)',
  ]);
});

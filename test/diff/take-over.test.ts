import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { filesOf, formersOn } from '../../src/diff/former.ts';
import { takeOver } from '../../src/diff/take-over.ts';
import type { KeyFile } from '../../src/observe/observed.ts';
import { fullStore, keyDigest } from '../desired/store.ts';
import { cluster, type Situation, sidesOf, told, unitText } from './control-plane-situations.ts';

const publicKey = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
const [ca, tokens, other] = [publicKey(), publicKey(), publicKey()];
const store = fullStore({
  trusted: () => ca,
  serviceAccountKeys: () => [{ ref: 'service-account/sa.pub', pem: tokens }],
});

const keys = (pem: string, more: Partial<KeyFile> = {}): KeyFile =>
  ({ kind: 'keys', sha256: 'none', pem, isClosed: false, ...more }) as KeyFile;
const encryption = (lists: number, ...providers: string[]): KeyFile => ({
  kind: 'encryption',
  lists,
  resources: ['secrets'],
  providers,
});
const files: Readonly<Record<string, KeyFile>> = {
  '/ssl/ca.pem': keys(ca),
  '/ssl/sa.pub': keys(tokens),
  '/ssl/both.pem': keys(ca + other),
  '/ssl/other.pem': keys(other),
  '/ssl/closed.pem': keys('', { isClosed: true }),
  '/ssl/ours.key': keys('', { isClosed: true, sha256: keyDigest('service-account') }),
  '/ssl/empty.pem': keys(''),
  '/cfg/one.yaml': encryption(1, 'aescbc:key1:aa', 'identity'),
  '/cfg/two.yaml': encryption(2, 'identity', 'identity'),
  '/cfg/kms.yaml': encryption(1, 'kms', 'identity'),
};

const [first] = cluster.hosts;
const etcd = `--etcd-servers=https://${first?.address}:2379`;
const good = [etcd, '--client-ca-file=/ssl/ca.pem', '--service-account-key-file=/ssl/sa.pub'];

/** An apiserver of somebody else that was started with these flags. */
const runs = (...flags: string[]): Situation => ({
  unitText: '[Service]\nExecStart=/opt/kube-apiserver $OPTS\n',
  runs: true,
  argv: ['/opt/kube-apiserver', ...flags],
  wantedArgv: ['/usr/local/bin/kube-apiserver', ...flags],
});
const manager = (...flags: string[]): Situation => ({
  ...runs(...flags),
  component: 'kube-controller-manager',
  argv: ['/opt/kube-controller-manager', ...flags],
});

function judged(situation: Situation) {
  const side = sidesOf(0, situation);
  const readings = [{ host: side.host.name, files: new Map(Object.entries(files)) }];
  return takeOver([side], { cluster, store, readings });
}

const stop = (code: string) => [`stop take-over-${code}@k8s-master1`];

test.each<[string, Situation, string[]]>([
  ['nothing', {}, []],
  ['kbin’s own, whatever it says', { unitText: unitText('1.34.1'), runs: true, argv: ['x'] }, []],
  ['one that uses the same', runs(...good), []],
  ['the etcd of its own host', runs('--etcd-servers', 'https://127.0.0.1:2379', ...good.slice(1)), []],
  [
    'one of several members',
    runs(`--etcd-servers=https://10.9.9.9:2379,https://k8s-master2:2379`, ...good.slice(1)),
    [],
  ],
  ['another etcd', runs('--etcd-servers=https://10.9.9.9:2379', ...good.slice(1)), stop('other-etcd')],
  ['the usual prefix, said', runs(...good, '--etcd-prefix=/registry/'), []],
  [
    'another prefix that kbin’s has not',
    { ...runs(...good, '--etcd-prefix=/k8s'), wantedArgv: good },
    stop('other-etcd'),
  ],
  ['another prefix that kbin’s has too', runs(...good, '--etcd-prefix=/k8s'), []],
  [
    'events elsewhere',
    { ...runs(...good, '--etcd-servers-overrides=/events#https://10.9.9.9:2379'), wantedArgv: good },
    stop('other-etcd'),
  ],
  ['no client certificates', runs(etcd, '--service-account-key-file=/ssl/sa.pub'), []],
  ['one CA more for clients', runs(...good, '--client-ca-file=/ssl/both.pem'), stop('other-ca')],
  ['a CA that is gone', runs(...good, '--client-ca-file=/ssl/gone.pem'), stop('unknown')],
  ['a CA file without one', runs(...good, '--client-ca-file=/ssl/empty.pem'), stop('unknown')],
  ['another key for tokens', runs(...good, '--service-account-key-file=/ssl/other.pem'), stop('tokens')],
  [
    'a key for tokens that the host cannot open',
    runs(...good, '--service-account-key-file=/ssl/closed.pem'),
    stop('unknown'),
  ],
  ['one that is the store’s to the byte', runs(...good, '--service-account-key-file=/ssl/ours.key'), []],
  ['tokens by its own key', runs(etcd, '--tls-private-key-file=/ssl/other.pem'), stop('tokens')],
  ['one list of encryption keys', runs(...good, '--encryption-provider-config=/cfg/one.yaml'), []],
  ['several lists', runs(...good, '--encryption-provider-config=/cfg/two.yaml'), stop('unknown')],
  ['KMS', runs(...good, '--encryption-provider-config', '/cfg/kms.yaml'), stop('unknown')],
  [
    'a configuration that is gone',
    runs(...good, '--encryption-provider-config=/cfg/gone.yaml'),
    stop('unknown'),
  ],
  ['one that does not run', { unitText: 'ExecStart=/opt/kube-apiserver' }, stop('unknown')],
  [
    'one that a script runs',
    { ...runs(...good), argv: ['/bin/sh', '/opt/start.sh', ...good] },
    stop('unknown'),
  ],
  [
    'one with a drop-in',
    { ...runs(...good), unit: { dropIns: ['/etc/systemd/system/kube-apiserver.service.d/10.conf'] } },
    stop('drop-in'),
  ],
  ['the CA that pods have', manager('--root-ca-file=/ssl/both.pem'), []],
  ['another one that pods have', manager('--root-ca-file=/ssl/other.pem'), stop('other-ca')],
])('there is %s', (_what, situation, expected) => {
  expect(told(judged(situation))).toEqual(expected);
});

test('names the file and what to do', () => {
  const [finding] = judged(runs(...good, '--service-account-key-file=/ssl/other.pem'));
  expect(finding?.message).toMatch(/^\/ssl\/other\.pem, .* is not the service-account key of pki\//);
  expect(finding?.next).toContain('--as service-account=FILE');
});

test('the files that are asked for', () => {
  const { observed } = sidesOf(0, [
    runs(...good, '--encryption-provider-config=/cfg/one.yaml'),
    manager('--root-ca-file=/ssl/ca.pem', '--service-account-private-key-file=/ssl/ca-key.pem'),
    { component: 'kube-scheduler', unitText: unitText('1.34.1'), runs: true, argv: ['--client-ca-file=/no'] },
  ]);
  expect(filesOf(formersOn(observed, cluster.paths.units))).toEqual({
    keys: ['/ssl/ca.pem', '/ssl/sa.pub'],
    encryption: ['/cfg/one.yaml'],
  });
});

/**
 * Every file that kbin renders, as it lands on a host, in test/golden/CASE/VERSION/HOST/PATH, where VERSION is etcd's or,
 * in the cases called control-plane…, Kubernetes'; `files.txt` beside them lists everything else that goes there. A secret
 * within a text is shown as what it refers to. After a change that is meant: `UPDATE_GOLDEN=1 npx vitest run
 * --project unit test/desired/golden.test.ts`, then read `git diff test/golden`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import { parseCluster } from '../../src/cluster/load.ts';
import { desire } from '../../src/desired/desire.ts';
import {
  bundleTarget,
  type Content,
  type DesiredBundle,
  type DesiredComponent,
  type DesiredFile,
} from '../../src/desired/desired.ts';
import { fullStore } from './store.ts';

const folder = join(import.meta.dirname, '../golden');

const three = `
hosts:
  - { name: k8s-master1, address: 192.168.31.71, roles: [etcd, control-plane] }
  - { name: k8s-node1,   address: 192.168.31.72, roles: [etcd, worker] }
  - { name: k8s-node2,   address: 192.168.31.73, roles: [etcd, worker] }
`;
const one = 'hosts: [{ name: alone, address: 10.0.0.1, roles: [etcd] }]\n';
const five = `hosts:\n${[1, 2, 3, 4, 5].map((n) => `  - { name: etcd${n}, address: 10.1.0.${n}, roles: [etcd] }\n`).join('')}`;
const ipv6 = `
hosts:
  - { name: six1, address: "fd00:31::71", roles: [etcd] }
  - { name: six2, address: "fd00:31::72", roles: [etcd] }
  - { name: mixed3, address: 192.168.31.73, roles: [etcd] }
`;
const arm64 = `
hosts:
  - { name: pi1, address: 10.0.0.1, roles: [etcd], architecture: arm64 }
  - { name: pi2, address: 10.0.0.2, roles: [etcd], architecture: arm64 }
  - { name: server3, address: 10.0.0.3, roles: [etcd] }
`;
/** Everything that can be set, set. */
const tuned = `
${one}paths:
  etcd: { config: /srv/etcd/etcd.env, tls: /srv/etcd/certificates, data: /data/etcd, wal: /fast/etcd-wal }
`;
const tunedEtcd = `, user: kv, group: kv, clientPort: 12379, peerPort: 12380, metricsUrl: off, token: first-token, heartbeatInterval: 250,
  electionTimeout: 2500, snapshotCount: 50000, quotaBackendBytes: 4GiB, maxRequestBytes: 2MiB, autoCompaction: 1000, logLevel: warn,
  environment: { ETCD_MAX_WALS: 10, ETCD_TLS_MIN_VERSION: TLS1.3, ETCD_LOG_OUTPUTS: "stdout,/var/log/a \\"b\\" $c\\\\d", GOMAXPROCS: 4 }`;

const stacked = `
hosts:
  - { name: k8s-master1, address: 192.168.31.71, roles: [etcd, control-plane] }
  - { name: k8s-master2, address: 192.168.31.72, roles: [etcd, control-plane] }
  - { name: k8s-master3, address: 192.168.31.73, roles: [etcd, control-plane] }
`;
const apart = `
hosts:
  - { name: master1, address: 10.2.0.1, roles: [control-plane] }
  - { name: master2, address: 10.2.0.2, roles: [control-plane] }
  - { name: etcd1,   address: 10.2.0.11, roles: [etcd] }
  - { name: etcd2,   address: 10.2.0.12, roles: [etcd] }
  - { name: etcd3,   address: 10.2.0.13, roles: [etcd] }
`;
const alone = 'hosts: [{ name: alone, address: 10.0.0.1, roles: [etcd, control-plane] }]\n';
const six = `
hosts:
  - { name: six1, address: "fd00:31::71", roles: [etcd, control-plane] }
  - { name: six2, address: "fd00:31::72", roles: [etcd, control-plane] }
  - { name: six3, address: "fd00:31::73", roles: [etcd, control-plane] }
`;
const balanced =
  'endpoint: { address: 192.168.31.75, port: 16443, loadBalancer: haproxy, interface: eth0 }\n';
const tunedPaths = `
${alone}endpoint: { address: api.example.org, port: 443 }
paths:
  kubernetes: { bin: /srv/kubernetes/bin, config: /srv/kubernetes/conf, tls: /srv/kubernetes/certificates, audit: /srv/kubernetes/audit }
`;
const tunedKubernetes = `, serviceCidr: 172.20.0.0/16, podCidr: 172.24.0.0/20, dnsDomain: k8s.example.org, apiserverPort: 443, shutdownDelay: 30,
  encryption: { provider: aescbc, resources: [secrets, configmaps] }, audit: { maxAge: 7, maxBackups: 3, maxSize: 50 },
  apiserver: { user: api, flags: { v: 4, feature-gates: ContextualLogging=true, disable-admission-plugins: [DefaultStorageClass, NodeRestriction],
    service-account-issuer: ["https://new.example.org", "https://old.example.org"], oidc-issuer-url: "https://id.example.org", oidc-client-id: "a \\"b\\" $c %d \\\\e" } },
  controllerManager: { user: controllers, flags: { secure-port: 20257, bind-address: 0.0.0.0, terminated-pod-gc-threshold: 100 } },
  scheduler: { user: scheduler, flags: { v: 2 } }`;

interface Case {
  readonly name: string;
  readonly hosts: string;
  readonly versions: readonly string[];
  readonly layout?: 'fhs' | 'opt';
  readonly etcd?: string;
  /** Of the control plane: its components alone, by versions of Kubernetes. */
  readonly kubernetes?: string;
  readonly pki?: string;
}

const cases: readonly Case[] = [
  { name: 'fhs', hosts: three, versions: ['3.4.23', '3.5.16', '3.6.5', '3.7.0'] },
  { name: 'opt', hosts: three, versions: ['3.5.16', '3.6.5'], layout: 'opt' },
  { name: 'one-member', hosts: one, versions: ['3.6.5'] },
  { name: 'five-members', hosts: five, versions: ['3.6.5'] },
  { name: 'ipv6', hosts: ipv6, versions: ['3.6.5'] },
  { name: 'arm64', hosts: arm64, versions: ['3.4.23', '3.5.16'] },
  { name: 'everything-set', hosts: tuned, versions: ['3.6.5'], etcd: tunedEtcd },

  {
    name: 'control-plane',
    hosts: `${stacked}${balanced}`,
    versions: ['1.20.2', '1.24.17', '1.28.15', '1.32.9', '1.36.0'],
    kubernetes: '',
  },
  { name: 'control-plane-separate-etcd', hosts: apart, versions: ['1.32.9'], kubernetes: '' },
  { name: 'control-plane-opt', hosts: stacked, versions: ['1.20.2'], layout: 'opt', kubernetes: '' },
  {
    name: 'control-plane-ipv6',
    hosts: six,
    versions: ['1.32.9'],
    kubernetes: ', serviceCidr: "fd00:96::/112", podCidr: "fd00:244::/48"',
  },
  {
    name: 'control-plane-one-host',
    hosts: alone,
    versions: ['1.36.0'],
    kubernetes: ', encryption: off, audit: off',
  },
  {
    name: 'control-plane-offline-ca',
    hosts: alone,
    versions: ['1.20.2', '1.36.0'],
    kubernetes: ', encryption: off, audit: off',
    pki: '{ offline: [kubernetes-ca] }',
  },
  {
    name: 'control-plane-everything-set',
    hosts: tunedPaths,
    versions: ['1.32.9'],
    kubernetes: tunedKubernetes,
  },
];

/** Path below test/golden → content. */
function renderCase(
  { name, hosts, layout = 'fhs', etcd = '', kubernetes, pki = '{}' }: Case,
  version: string,
): Map<string, string> {
  const paths = hosts.includes('paths:')
    ? hosts.replace('paths:', `paths:\n  layout: ${layout}`)
    : `${hosts}paths: { layout: ${layout} }\n`;
  const settings =
    kubernetes === undefined
      ? `etcd: { version: ${version}${etcd} }\n`
      : `etcd: { version: 3.6.5 }\nkubernetes: { version: ${version}${kubernetes} }\n`;
  const text = `name: prod\n${paths}${settings}pki: ${pki}\n`;
  const cluster = parseCluster(text, { file: `${name}.yaml`, folder: '/home/me/prod' });
  return new Map(
    cluster.hosts.flatMap((host) => {
      const only = kubernetes === undefined ? ['etcd'] : controlPlaneComponents;
      const { components } = desire(cluster, host, { store: fullStore(), only });
      if (components.length === 0) return [];
      const place = join(name, version, host.name);
      return [
        [join(place, 'files.txt'), components.flatMap(lines).join('')] as const,
        ...components
          .flatMap(({ files, bundles }) => [...files, ...bundles.flatMap(composedFiles)])
          .flatMap(({ path, content }) => {
            const shown = textOf(content);
            return shown === undefined ? [] : [[join(place, path), shown] as const];
          }),
      ];
    }),
  );
}

/** Of a bundle: certificates are text too, and not what a reader wants to see here. */
function composedFiles(bundle: DesiredBundle): DesiredFile[] {
  return bundle.files
    .filter(({ content }) => content.kind === 'composed')
    .map((file) => ({ ...file, path: `${bundle.path}/${file.path}` }));
}

function textOf(content: Content): string | undefined {
  if (content.kind === 'text') return content.text;
  if (content.kind !== 'composed') return undefined;
  return content.parts
    .map((part) => (typeof part === 'string' ? part : `<${part.as} of ${part.ref}>`))
    .join('');
}

function lines(component: DesiredComponent): string[] {
  return [
    `account   ${component.account?.user}:${component.account?.group}\n`,
    ...component.directories.map((directory) => line('directory', directory.path, directory)),
    ...component.files.map((file) => line('file', file.path, file, file)),
    ...component.bundles.flatMap((bundle) => [
      line('bundle', `${bundle.path} -> ${bundleTarget(bundle)}`, bundle),
      ...bundle.files.map((file) => line('  file', file.path, file, file)),
    ]),
    `unit      ${component.unit.name}\n`,
    ...(component.state === undefined
      ? []
      : [`state     ${component.state.directory} ${component.state.wal} ${component.state.marker}\n`]),
    `ports     ${component.ports?.join(' ')}\n`,
  ];
}

function line(
  kind: string,
  path: string,
  { mode, owner, group }: { mode: number; owner: string; group: string },
  file?: DesiredFile,
): string {
  const from = file?.content.kind === 'secret' ? ` from ${file.content.ref}` : '';
  const composed = file?.content.kind === 'composed' ? ' with secrets' : '';
  const effect = file?.effect === 'restart' ? ' (restart)' : '';
  return `${kind.padEnd(9)} ${mode.toString(8).padStart(4, '0')} ${owner}:${group} ${path}${from}${composed}${effect}\n`;
}

function onDisk(): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

const rendered = cases.flatMap((entry) =>
  entry.versions.map((version) => [`${entry.name} ${version}`, renderCase(entry, version)] as const),
);

if (process.env.UPDATE_GOLDEN === '1') {
  rmSync(folder, { recursive: true, force: true });
  for (const [path, content] of rendered.flatMap(([, files]) => [...files])) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

describe('what lands on hosts', () => {
  test.each(rendered)('%s', (_name, files) => {
    const golden = new Map([...files.keys()].map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
    expect(files).toEqual(golden);
  });

  test('test/golden holds these files and no others', () => {
    expect(onDisk()).toEqual(rendered.flatMap(([, files]) => [...files.keys()]).sort());
  });
});

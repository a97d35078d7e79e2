import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { adminKubeconfigPath } from '../desired/components/kube-paths.ts';
import { componentsOf } from '../desired/desire.ts';
import { bundleTarget, type DesiredComponent, type DesiredHost, type Ownership } from '../desired/desired.ts';

import { desiredObjects } from '../desired/objects.ts';
import { quoteArgv } from '../remote/quote.ts';

/** What lies beside INSTALL.md of the host that writes the objects inside Kubernetes. */
export const objectsFile = 'objects.json';

/** They are written once for the cluster: on the first host that has what it takes. */
export function writesObjects(cluster: Cluster, host: ClusterHost): boolean {
  return desiredObjects(cluster).length > 0 && hostsWithRole(cluster, 'control-plane')[0] === host;
}

/** The commands that make a host what `desired` says, for somebody who types them; Markdown. */
export function installGuide(cluster: Cluster, host: ClusterHost, desired: DesiredHost): string {
  return [
    `# ${host.name}: installing by hand`,
    '',
    `Cluster ${cluster.name}, host ${host.name} (${host.address}), ${host.architecture}.`,
    '',
    'Copy this folder to the host and run the commands below in it, as root. They put every file in its place with its',
    'final owner and mode. The folder holds private keys: remove it from the host, and here, when you are done.',
    ...order(cluster),
    ...desired.components.flatMap((component) => ['', ...componentGuide(cluster, host, component)]),
    ...objectsGuide(cluster, host),
    '',
  ].join('\n');
}

function order(cluster: Cluster): string[] {
  if (cluster.kubernetes.version === undefined) return [];
  return [
    '',
    'The order counts among hosts too: etcd on all of its hosts until it is healthy, then kube-apiserver on all of its',
    'hosts until each is ready, then the others.',
  ];
}

/** What the apiserver does not make for itself (src/desired/objects.ts). */
function objectsGuide(cluster: Cluster, host: ClusterHost): string[] {
  if (!writesObjects(cluster, host)) return [];
  return [
    '',
    '## Objects',
    '',
    '### 1. Apply',
    '',
    'Once for the whole cluster, when an apiserver is ready: whom kubelets let in, and how they get their certificates.',
    '',
    '```sh',
    command(...kubectl(cluster), 'apply', '-f', objectsFile),
    '```',
  ];
}

function kubectl(cluster: Cluster): string[] {
  return [`${cluster.paths.kubernetes.bin}/kubectl`, '--kubeconfig', adminKubeconfigPath(cluster)];
}

function componentGuide(cluster: Cluster, host: ClusterHost, component: DesiredComponent): string[] {
  const { name, unit } = component;
  const steps: [string, string[]][] = [
    ['Account', accountLines(component)],
    [
      'Folders',
      component.directories.map((directory) => command('install', '-d', ...owned(directory), directory.path)),
    ],
    ['Programs', programLines(cluster, host, name)],
    ['Files', component.files.map((file) => install(file.path, file, file.path))],
    ['Certificates', component.bundles.flatMap(bundleLines)],
    [
      'Start',
      [
        command('systemctl', 'daemon-reload'),
        command('systemctl', 'enable', unit.name),
        command('systemctl', 'start', '--no-block', unit.name),
      ],
    ],
    ['Look', lookLines(cluster, component)],
  ];
  return [
    `## ${name}`,
    ...steps
      .filter(([, lines]) => lines.length > 0)
      .flatMap(([title, lines], index) => [
        '',
        `### ${index + 1}. ${title}`,
        ...notes(title, component),
        '',
        '```sh',
        ...lines,
        '```',
      ]),
  ];
}

function notes(title: string, { name, unit }: DesiredComponent): string[] {
  if (title === 'Programs') {
    return [
      '',
      'From the official release, or any other build that you trust. kbin puts none into this folder.',
    ];
  }
  if (title === 'Start' && name === 'etcd') {
    return [
      '',
      `On all etcd hosts within a minute or so: the first ${unit.name} waits until a majority of them runs.`,
    ];
  }
  if (title === 'Start' && name === 'kube-apiserver') {
    return ['', 'When etcd is healthy. The first of several may be started before the others.'];
  }
  if (title === 'Start' && name === 'kube-controller-manager') {
    return ['', 'When the apiserver of this host is ready; where versions change, when all of them are.'];
  }
  return [];
}

function accountLines({ account, state }: DesiredComponent): string[] {
  if (account === undefined) return [];
  const { user, group } = account;
  const home = state?.directory ?? '/nonexistent';
  const useradd = [
    '--system',
    '--no-create-home',
    '--home-dir',
    home,
    '--shell',
    '/usr/sbin/nologin',
    '--gid',
    group,
    user,
  ];
  return [
    `${command('getent', 'group', group)} || ${command('groupadd', '--system', group)}`,
    `${command('getent', 'passwd', user)} || ${command('useradd', ...useradd)}`,
  ];
}

function programLines(cluster: Cluster, host: ClusterHost, name: string): string[] {
  const programs = componentsOf(cluster, host)
    .find((component) => component.name === name)
    ?.programs(cluster);
  if (programs === undefined) return [];
  return [
    `# ${programs.release} for linux/${host.architecture}, unpacked in the present folder: ${programs.names.join(', ')}`,
    ...programs.names.map((program) =>
      command('install', '-m', '0755', '-o', 'root', '-g', 'root', program, `${programs.folder}/${program}`),
    ),
  ];
}

function bundleLines(bundle: DesiredComponent['bundles'][number]): string[] {
  const target = bundleTarget(bundle);
  const name = target.slice(target.lastIndexOf('/') + 1);
  return [
    command('install', '-d', ...owned(bundle), target),
    ...bundle.files.map((file) => install(`${target}/${file.path}`, file, `${target}/${file.path}`)),
    command('ln', '-sfnT', name, bundle.path),
  ];
}

function lookLines(cluster: Cluster, { name, unit }: DesiredComponent): string[] {
  const status = command('systemctl', 'status', '--no-pager', unit.name);
  if (name === 'etcd') return [status, etcdHealth(cluster)];
  if (name !== 'kube-apiserver') return [status];
  return [status, command(...kubectl(cluster), 'get', '--raw', '/readyz?verbose')];
}

function etcdHealth({ etcd, paths }: Cluster): string {
  const { tls, bin } = paths.etcd;
  const client = ['--cacert', `${tls}/ca.crt`, '--cert', `${tls}/healthcheck-client.crt`];
  const key = ['--key', `${tls}/healthcheck-client.key`];
  const etcdctl = [
    `${bin}/etcdctl`,
    '--endpoints',
    `https://127.0.0.1:${etcd.clientPort}`,
    ...client,
    ...key,
  ];
  return command(...etcdctl, 'endpoint', 'health', '--cluster');
}

function install(source: string, ownership: Ownership, place: string): string {
  return command('install', ...owned(ownership), source.slice(1), place);
}

function owned({ mode, owner, group }: Ownership): string[] {
  return ['-m', mode.toString(8).padStart(4, '0'), '-o', owner, '-g', group];
}

function command(...argv: readonly string[]): string {
  return quoteArgv(argv);
}

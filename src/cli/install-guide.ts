import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { componentsOf } from '../desired/desire.ts';
import { bundleTarget, type DesiredComponent, type DesiredHost, type Ownership } from '../desired/desired.ts';
import { quoteArgv } from '../remote/quote.ts';

/** The commands that make a host what `desired` says, for somebody who types them; Markdown. */
export function installGuide(cluster: Cluster, host: ClusterHost, desired: DesiredHost): string {
  return [
    `# ${host.name}: installing by hand`,
    '',
    `Cluster ${cluster.name}, host ${host.name} (${host.address}), ${host.architecture}.`,
    '',
    'Copy this folder to the host and run the commands below in it, as root. They put every file in its place with its',
    'final owner and mode. The folder holds private keys: remove it from the host, and here, when you are done.',
    ...desired.components.flatMap((component) => ['', ...componentGuide(cluster, host, component)]),
    '',
  ].join('\n');
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

function lookLines({ etcd, paths }: Cluster, { name, unit }: DesiredComponent): string[] {
  const status = command('systemctl', 'status', '--no-pager', unit.name);
  if (name !== 'etcd') return [status];
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
  return [status, command(...etcdctl, 'endpoint', 'health', '--cluster')];
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

import service from '../../../units/etcd/etcd.service?raw';
import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import { compareMinors, versionOf } from '../../cluster/version.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { Component, DesireInputs, Programs } from '../component.ts';
import {
  type DesiredBundle,
  type DesiredComponent,
  type DesiredDirectory,
  type DesiredFile,
  type DesiredUnit,
  identityOf,
  type Ownership,
} from '../desired.ts';
import { sha256, textContent } from '../digest.ts';
import { directoriesOf } from '../directories.ts';
import { folderOf } from '../folders.ts';
import { environmentValues, renderTemplate, unitValue } from '../template.ts';
import { etcdBundle } from './etcd-bundle.ts';
import { renderEtcdConf } from './etcd-conf.ts';
import { checkEtcdEnvironment } from './etcd-environment.ts';
import { walFolder } from './etcd-settings.ts';

/** Name of the unit on every host. */
export const etcdUnit = 'etcd.service';

export const etcd: Component = {
  name: 'etcd',
  role: 'etcd',
  isWanted: () => true,
  programs,
  needs: (_cluster, host) => [
    { id: 'etcd-ca', what: 'certificate' },
    { id: 'etcd-ca', what: 'revocations' },
    { id: `etcd-server@${host.name}`, what: 'leaf' },
    { id: `etcd-peer@${host.name}`, what: 'leaf' },
    { id: 'etcd-healthcheck-client', what: 'leaf' },
  ],
  desire: desireEtcd,
};

const root = { owner: 'root', group: 'root' };
const plain: Ownership = { mode: 0o644, ...root };

function desireEtcd(cluster: Cluster, host: ClusterHost, inputs: DesireInputs): DesiredComponent {
  refuseEnvironment(cluster);
  const { paths } = cluster;
  const text = renderEtcdConf({
    cluster,
    host,
    joining: inputs.joining ?? { kind: 'new' },
    version: versionOf(cluster.etcd.version),
    lastRevoked: inputs.store.revocations('etcd-ca')?.last,
  });
  const conf: DesiredFile = {
    path: paths.etcd.config,
    ...plain,
    content: textContent(text),
    effect: 'restart',
  };
  const bundle = etcdBundle(cluster, host, inputs.store);
  const unit: DesiredUnit = {
    name: etcdUnit,
    inputs: inputsDigest(cluster, [conf], bundle),
    process: { argv: [`${paths.etcd.bin}/etcd`], settings: settingsIn(text) },
  };
  return {
    name: 'etcd',
    account: { user: cluster.etcd.user, group: cluster.etcd.group },
    directories: directories(cluster),
    files: [...binaries(cluster, inputs), conf, unitFile(cluster, unit.inputs)],
    bundles: [bundle],
    unit,
    ports: [cluster.etcd.clientPort, cluster.etcd.peerPort],
    state: {
      directory: paths.etcd.data,
      wal: walFolder(cluster),
      marker: markerPath(cluster),
    },
  };
}

/** Where kbin notes which member lives on the host, once it was seen healthy: beside the configuration. */
export function markerPath(cluster: Cluster): string {
  return `${folderOf(cluster.paths.etcd.config)}/kbin-member.json`;
}

function directories({ paths, etcd: { user, group } }: Cluster): DesiredDirectory[] {
  const own = [paths.etcd.data, ...(paths.etcd.wal === undefined ? [] : [paths.etcd.wal])];
  return directoriesOf(
    [paths.etcd.bin, folderOf(paths.etcd.config), folderOf(paths.etcd.tls), paths.units],
    own.map((path) => ({ path, mode: 0o700, owner: user, group, recursive: true })),
  );
}

/** What a release tarball holds for the host; etcdutl came with 3.5. */
function programs({ paths, etcd: { version } }: Cluster): Programs {
  const hasUtl = compareMinors(versionOf(version), { major: 3, minor: 5 }) >= 0;
  const names = hasUtl ? ['etcd', 'etcdctl', 'etcdutl'] : ['etcd', 'etcdctl'];
  return { folder: paths.etcd.bin, names, release: `etcd ${version}` };
}

/** Those of them that the release has; only the server's own program matters to the running process. */
function binaries(cluster: Cluster, inputs: DesireInputs): DesiredFile[] {
  const { folder, names } = programs(cluster);
  return names.flatMap((name) => {
    const binary = inputs.binaries?.get(name);
    if (binary === undefined) return [];
    const { path: ref, sha256: digest, size } = binary;
    return [
      {
        path: `${folder}/${name}`,
        mode: 0o755,
        ...root,
        content: { kind: 'binary', ref, sha256: digest, size },
        effect: name === 'etcd' ? 'restart' : 'none',
      },
    ];
  });
}

function unitFile(cluster: Cluster, inputs: string): DesiredFile {
  return {
    path: `${cluster.paths.units}/${etcdUnit}`,
    ...plain,
    content: textContent(renderUnit(cluster, inputs)),
    effect: 'restart',
  };
}

function renderUnit(cluster: Cluster, inputs: string): string {
  const { paths, etcd: settings } = cluster;
  const view = {
    user: settings.user,
    group: settings.group,
    config: paths.etcd.config,
    marker: markerPath(cluster),
    wal: walFolder(cluster),
    bin: paths.etcd.bin,
    inputs,
  };
  return renderTemplate(service, view, unitValue);
}

/**
 * Everything in text form that etcd must be restarted for: the unit itself, etcd.conf, the CA. The binary is not in it:
 * the probe sees for itself whether the running process still is the file on disk (`executableReplaced`), and so the
 * unit is the same whether it was rendered by `kbin render`, which has no binaries, or deployed.
 */
function inputsDigest(cluster: Cluster, files: readonly DesiredFile[], bundle: DesiredBundle): string {
  const parts = [...files, ...bundle.files]
    .filter((file) => file.effect === 'restart')
    .map((file) => [file.path, identityOf(file.content)]);
  return sha256(JSON.stringify([['unit', sha256(renderUnit(cluster, ''))], ...parts]));
}

/** What an etcd.conf gives to the process, without what is the Go runtime's. */
function settingsIn(etcdConf: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environmentValues(etcdConf)).filter(([name]) => name.startsWith('ETCD_')),
  );
}

function refuseEnvironment(cluster: Cluster): void {
  const { refused } = checkEtcdEnvironment(cluster.etcd);
  if (refused.length === 0) return;
  throw new KbinError(
    `etcd.environment sets what kbin cannot let it set\n${refused.map(({ variable, why }) => `${variable}: ${why}`).join('\n')}`,
    { step: 'etcd.conf', next: 'take these out of cluster.yaml', exit: exitCode.usage },
  );
}

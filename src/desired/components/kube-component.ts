import type { Cluster, ClusterHost, ControlPlaneComponent } from '../../cluster/cluster.ts';
import { versionOf } from '../../cluster/version.ts';
import { bundleDigest } from '../bundle.ts';
import type { Component, DesireInputs, Need, Programs } from '../component.ts';
import {
  type Account,
  type DesiredBundle,
  type DesiredComponent,
  type DesiredDirectory,
  type DesiredFile,
  identityOf,
  type Ownership,
} from '../desired.ts';
import { sha256, textContent } from '../digest.ts';
import { directoriesOf } from '../directories.ts';
import { flagValues } from '../flag-values.ts';
import { renderTemplate, unitValue, unitWord } from '../template.ts';
import { refuseFlags } from './kube-overrides.ts';
import { bundlePath, configFolder } from './kube-paths.ts';
import { flagWords, type KubeSetting, type Placed } from './kube-setting.ts';

/** What makes one of the control plane's three programs different from the others. */
export interface KubeProgram {
  readonly name: ControlPlaneComponent;
  readonly settings: readonly KubeSetting[];
  /** Text of its unit file, a template. */
  readonly service: string;
  /** Seconds that it gets to stop by itself. */
  readonly stopSeconds: (cluster: Cluster) => number;
  /** Further programs that come with it. */
  readonly alsoBrings?: readonly string[];
  readonly needs: (cluster: Cluster, host: ClusterHost) => readonly Need[];
  /** Files of its own folder of certificates and secrets. */
  readonly bundle: (placed: Placed, account: Account) => readonly DesiredFile[];
  /** Further files, and directories besides those that every component has. */
  readonly files: (placed: Placed) => readonly DesiredFile[];
  readonly directories?: (placed: Placed, account: Account) => readonly DesiredDirectory[];
}

export const root = { owner: 'root', group: 'root' };
export const plain: Ownership = { mode: 0o644, ...root };

export function kubeComponent(program: KubeProgram): Component {
  return {
    name: program.name,
    role: 'control-plane',
    isWanted: ({ kubernetes }) => kubernetes.version !== undefined,
    programs: (cluster) => programsOf(program, cluster),
    needs: program.needs,
    desire: (cluster, host, inputs) => desireProgram(program, cluster, host, inputs),
  };
}

function desireProgram(
  program: KubeProgram,
  cluster: Cluster,
  host: ClusterHost,
  inputs: DesireInputs,
): DesiredComponent {
  refuseFlags(cluster, program.name);
  const { name } = program;
  const placed: Placed = { cluster, host, version: versionOf(release(cluster)), store: inputs.store };
  const { user } = cluster.kubernetes.components[name];
  const account = { user, group: user };
  const files = program.bundle(placed, account);
  const bundle: DesiredBundle = {
    path: bundlePath(cluster, name),
    mode: 0o700,
    owner: user,
    group: user,
    files,
    digest: bundleDigest(files),
  };
  const configuration = program.files(placed);
  const flags = flagWords(name, program.settings, placed);
  const unit = { flags, program, placed };
  const digest = inputsDigest(unit, [...configuration, ...files]);
  return {
    name,
    account,
    directories: directories(program, placed, account),
    files: [
      ...binaries(program, cluster, inputs),
      ...configuration,
      {
        path: `${cluster.paths.units}/${name}.service`,
        ...plain,
        content: textContent(renderUnit(unit, digest)),
        effect: 'restart',
      },
    ],
    bundles: [bundle],
    unit: {
      name: `${name}.service`,
      inputs: digest,
      process: { argv: [`${cluster.paths.kubernetes.bin}/${name}`, ...flags], settings: {} },
    },
    ports: [portIn(flags)],
  };
}

interface UnitInputs {
  readonly program: KubeProgram;
  readonly placed: Placed;
  readonly flags: readonly string[];
}

/** Everything in text form that the program must be restarted for, as with etcd (etcd.ts). */
function inputsDigest(unit: UnitInputs, files: readonly DesiredFile[]): string {
  const parts = files
    .filter((file) => file.effect === 'restart')
    .map((file) => [file.path, identityOf(file.content)]);
  return sha256(JSON.stringify([['unit', sha256(renderUnit(unit, ''))], ...parts]));
}

function renderUnit({ program, placed: { cluster }, flags }: UnitInputs, inputs: string): string {
  const { name, service, stopSeconds } = program;
  const view = {
    version: release(cluster),
    user: cluster.kubernetes.components[name].user,
    // systemd hands the right to a low port to a program that is not root's.
    lowPort: portIn(flags) < 1024 && {},
    inputs,
    program: `${cluster.paths.kubernetes.bin}/${name}`,
    flags: flags.map((flag) => ({ flag })),
    stopSeconds: String(stopSeconds(cluster)),
  };
  return renderTemplate(service, view, (value, tag) =>
    tag === 'flag' ? unitWord(value, tag) : unitValue(value, tag),
  );
}

function portIn(flags: readonly string[]): number {
  return Number(flagValues(flags, 'secure-port').at(-1));
}

function directories(program: KubeProgram, placed: Placed, account: Account): DesiredDirectory[] {
  const { cluster } = placed;
  const { bin, config, tls } = cluster.paths.kubernetes;
  const own = program
    .files(placed)
    .some(({ path }) => path.startsWith(`${configFolder(cluster, program.name)}/`));
  return directoriesOf(
    [bin, config, ...(own ? [configFolder(cluster, program.name)] : []), tls, cluster.paths.units],
    program.directories?.(placed, account),
  );
}

function programsOf({ name, alsoBrings = [] }: KubeProgram, cluster: Cluster): Programs {
  return {
    folder: cluster.paths.kubernetes.bin,
    names: [name, ...alsoBrings],
    release: `Kubernetes ${release(cluster)}`,
  };
}

function binaries(program: KubeProgram, cluster: Cluster, inputs: DesireInputs): DesiredFile[] {
  const { folder, names } = programsOf(program, cluster);
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
        effect: name === program.name ? 'restart' : 'none',
      },
    ];
  });
}

/** isWanted() has been asked before. */
function release({ kubernetes: { version } }: Cluster): string {
  if (version === undefined) throw new Error('no Kubernetes is asked for');
  return version;
}

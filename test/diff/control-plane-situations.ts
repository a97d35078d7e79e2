import type { ControlPlaneComponent } from '../../src/cluster/cluster.ts';
import type { DesiredComponent, DesiredFile } from '../../src/desired/desired.ts';
import { bundleTarget } from '../../src/desired/desired.ts';
import { textContent } from '../../src/desired/digest.ts';
import type { PlanFinding } from '../../src/diff/changes.ts';
import type { HostSides } from '../../src/diff/preflight.ts';
import type { ObservedPath, ObservedUnit } from '../../src/observe/observed.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { facts } from './simulated-host.ts';

/** The component of one host in a few words, as plan's rules see it: no more of it is made up than they look at. */
export interface Situation {
  readonly component?: ControlPlaneComponent;
  /** What its unit file on the host says; undefined: there is none. */
  readonly unitText?: string;
  readonly runs?: boolean;
  /** KBIN_INPUTS of the process; default: that of the unit file. `none`: it was not started by kbin. */
  readonly runningInputs?: string;
  readonly argv?: readonly string[];
  /** What it should be started with. */
  readonly wantedArgv?: readonly string[];
  /** encryption-keys.txt on the host. */
  readonly note?: string;
  readonly wantedNote?: string;
  /** Digest of encryption.yaml in the bundle that is wanted. Default: it is that of the note. */
  readonly secret?: string;
  readonly unit?: Partial<ObservedUnit>;
  readonly further?: Readonly<Record<string, ObservedPath>>;
}

export const cluster = exampleCluster();
const file = { mode: 0o644, owner: 'root', group: 'root' } as const;
const notePath = '/etc/kubernetes/kube-apiserver/encryption-keys.txt';
const bundlePath = '/etc/kubernetes/pki/kube-apiserver';

export const unitText = (version: string, inputs = 'aa', flags = '') =>
  `[Unit]\nDescription=Kubernetes API server ${version}\n[Service]\nEnvironment=KBIN_INPUTS=${inputs}\nExecStart=/x ${flags}\n`;

export function sidesOf(index: number, situations: Situation | readonly Situation[]): HostSides {
  const host = cluster.hosts[index];
  if (host === undefined) throw new Error('no such host');
  const all = [situations].flat() as readonly Situation[];
  const parts = all.map((situation) => ({ situation, component: desiredComponent(situation) }));
  return {
    host,
    desired: { host: host.name, components: parts.map(({ component }) => component) },
    observed: {
      host: host.name,
      facts,
      paths: new Map(parts.flatMap(({ situation, component }) => paths(situation, component))),
      units: new Map(parts.map(({ situation, component }) => [component.unit.name, unit(situation)])),
      dataDirectories: new Map(),
      listeners: [],
      accounts: [],
      leftovers: [],
    },
  };
}

function desiredComponent({
  component = 'kube-apiserver',
  wantedNote = '',
  wantedArgv = [],
}: Situation): DesiredComponent {
  const unit = `${component}.service`;
  const secret: DesiredFile = {
    path: 'encryption.yaml',
    ...file,
    content: { kind: 'composed', parts: [], sha256: 'wanted', identity: 'identity' },
    effect: 'restart',
  };
  return {
    name: component,
    directories: [],
    files: [
      { path: notePath, ...file, content: textContent(wantedNote), effect: 'restart' },
      { path: `/etc/systemd/system/${unit}`, ...file, content: textContent('unit'), effect: 'restart' },
    ],
    bundles: [{ path: bundlePath, ...file, files: [secret], digest: 'd'.repeat(64) }],
    unit: { name: unit, inputs: 'bb', process: { argv: wantedArgv, settings: {} } },
  };
}

function paths(situation: Situation, component: DesiredComponent): [string, ObservedPath][] {
  const { unitText: text, note, wantedNote, further = {} } = situation;
  const [bundle] = component.bundles;
  const isCurrent = situation.secret !== undefined || note === wantedNote;
  const secret = situation.secret ?? (note === undefined ? undefined : isCurrent ? 'wanted' : 'former');
  return [
    ...(text === undefined ? [] : [[`/etc/systemd/system/${component.unit.name}`, at(text)] as const]),
    ...(note === undefined ? [] : [[notePath, at(note)] as const]),
    ...(secret === undefined || bundle === undefined
      ? []
      : ([
          [bundlePath, { ...file, type: 'link', target: isCurrent ? bundleTarget(bundle) : '.former' }],
          [`${bundlePath}/encryption.yaml`, { ...file, type: 'file', sha256: secret }],
        ] as const)),
    ...Object.entries(further),
  ].map(([path, seen]) => [path, seen]);
}

export function at(text: string): ObservedPath {
  return { ...file, type: 'file', text };
}

function unit({
  unitText: text,
  runs = false,
  runningInputs,
  argv = [],
  unit: more,
}: Situation): ObservedUnit {
  const inputs = runningInputs ?? /KBIN_INPUTS=(\w+)/.exec(text ?? '')?.[1];
  return {
    loadState: text === undefined && !runs ? 'not-found' : 'loaded',
    activeState: runs ? 'active' : 'inactive',
    subState: runs ? 'running' : 'dead',
    enabled: 'enabled',
    needDaemonReload: false,
    dropIns: [],
    mainPid: runs ? 4711 : 0,
    ...(runs && inputs !== undefined && inputs !== 'none' ? { runningInputs: inputs } : {}),
    executableReplaced: false,
    result: 'success',
    ...(runs ? { process: { argv, settings: {}, inherited: [] } } : {}),
    ...more,
  };
}

/** `severity code@host` */
export function told(findings: readonly PlanFinding[]): string[] {
  return findings.map(
    ({ severity, code, host }) => `${severity} ${code}${host === undefined ? '' : `@${host}`}`,
  );
}

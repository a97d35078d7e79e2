import {
  bundleTarget,
  type DesiredComponent,
  type DesiredFile,
  type DesiredHost,
  type Ownership,
} from '../../src/desired/desired.ts';
import { sha256 } from '../../src/desired/digest.ts';
import type { Change, HostPlan } from '../../src/diff/changes.ts';
import type {
  HostFacts,
  Observed,
  ObservedPath,
  ObservedProcess,
  ObservedUnit,
} from '../../src/observe/observed.ts';

/** One thing on the simulated disk. `inode` changes when something is put in its place, as with a rename. */
interface Entry extends Ownership {
  type: ObservedPath['type'];
  content?: string;
  target?: string;
  foreign?: boolean;
  inode: number;
}

/** A unit's process, as it was started. */
interface Process extends ObservedProcess {
  inputs?: string;
  inode: number;
  conf: string;
}

/** A host as far as kbin looks at it: a disk, accounts, systemd with one process per unit. Nothing here is kbin's code. */
export class SimulatedHost {
  readonly disk = new Map<string, Entry>();
  readonly accounts = new Set<string>();
  readonly units = new Map<string, { loaded?: string; enabled: boolean; process?: Process }>();
  #inode = 0;

  copy(): SimulatedHost {
    const host = new SimulatedHost();
    for (const [path, entry] of this.disk) host.disk.set(path, { ...entry });
    for (const name of this.accounts) host.accounts.add(name);
    for (const [name, unit] of this.units) host.units.set(name, structuredClone(unit));
    host.#inode = this.#inode;
    return host;
  }

  put(path: string, entry: Omit<Entry, 'inode'>): void {
    this.#inode += 1;
    this.disk.set(path, { ...entry, inode: this.#inode });
  }

  /** What a probe would see. */
  observe(desired: DesiredHost): Observed {
    const paths = desired.components.flatMap((component) => [
      ...component.directories.map(({ path }) => path),
      ...component.files.map(({ path }) => path),
      ...component.bundles.flatMap((bundle) => [
        bundle.path,
        bundleTarget(bundle),
        ...bundle.files.map((file) => `${bundle.path}/${file.path}`),
      ]),
    ]);
    return {
      host: desired.host,
      facts,
      paths: new Map(paths.flatMap((path) => this.#look(path))),
      units: new Map(desired.components.map(({ unit }) => [unit.name, this.#unit(unit.name, desired)])),
      dataDirectories: new Map(),
      listeners: [],
      accounts: [...this.accounts],
      leftovers: [],
    };
  }

  #look(path: string): [string, ObservedPath][] {
    const entry = this.disk.get(this.#resolveFolder(path));
    if (entry === undefined) return [];
    const { type, mode, owner, group, content, target, foreign } = entry;
    const through =
      type === 'link' && target !== undefined ? this.disk.get(beside(path, target))?.content : content;
    return [
      [
        path,
        {
          type,
          mode,
          owner,
          group,
          ...(through === undefined ? {} : { sha256: sha256(through), text: through }),
          ...(target === undefined ? {} : { target }),
          ...(type === 'directory' ? { foreignEntries: foreign === true } : {}),
        },
      ],
    ];
  }

  /** A path through a link to a folder. */
  #resolveFolder(path: string): string {
    const slash = path.lastIndexOf('/');
    const folder = this.disk.get(path.slice(0, slash));
    if (folder?.type !== 'link' || folder.target === undefined) return path;
    return `${beside(path.slice(0, slash), folder.target)}${path.slice(slash)}`;
  }

  #unit(name: string, desired: DesiredHost): ObservedUnit {
    const unit = this.units.get(name);
    const file = this.disk.get(unitPath(name, desired))?.content;
    const process = unit?.process;
    return {
      loadState: unit?.loaded === undefined ? 'not-found' : 'loaded',
      activeState: process === undefined ? 'inactive' : 'active',
      subState: process === undefined ? 'dead' : 'running',
      enabled: unit === undefined ? '' : unit.enabled ? 'enabled' : 'disabled',
      needDaemonReload: unit?.loaded !== undefined && unit.loaded !== file,
      dropIns: [],
      mainPid: process === undefined ? 0 : 4711,
      ...(process?.inputs === undefined ? {} : { runningInputs: process.inputs }),
      executableReplaced:
        process !== undefined && process.inode !== (this.#binary(name, desired)?.inode ?? 0),
      result: 'success',
      ...(process === undefined
        ? {}
        : { process: { argv: process.argv, settings: process.settings, inherited: process.inherited } }),
    };
  }

  #binary(unit: string, desired: DesiredHost): Entry | undefined {
    const component = desired.components.find((one) => one.unit.name === unit);
    const path = component?.files.find(
      ({ content, effect }) => content.kind === 'binary' && effect === 'restart',
    );
    return path && this.disk.get(path.path);
  }

  /** The single effects, in order, that carry out a plan: a run can be killed between any two of them. */
  steps(desired: DesiredHost, plans: readonly HostPlan[]): (() => void)[] {
    return plans.flatMap((plan) => {
      const component = desired.components.find(({ name }) => name === plan.component);
      if (component === undefined) throw new Error(plan.component);
      return plan.changes.flatMap((change) => this.#stepsOf(desired, component, change));
    });
  }

  #stepsOf(
    desired: DesiredHost,
    component: DesiredComponent,
    { kind, target, action }: Change,
  ): (() => void)[] {
    if (kind === 'account') {
      return [
        () => this.accounts.add(component.account?.user ?? ''),
        () => this.accounts.add(`:${component.account?.group}`),
      ];
    }
    if (kind === 'directory') {
      const directory = component.directories.find(({ path }) => path === target);
      return directory === undefined
        ? []
        : [() => this.put(target, { ...own(directory), type: 'directory', foreign: false })];
    }
    if (kind === 'file') {
      const file = component.files.find(({ path }) => path === target);
      return file === undefined ? [] : [() => this.#place(target, file)];
    }
    if (kind === 'bundle') return this.#switchBundle(component, target);
    return [this.#unitStep(desired, component, target, action)];
  }

  /** Only an owner or mode that is wrong is set in place; content comes by rename. */
  #place(path: string, file: DesiredFile): void {
    const present = this.disk.get(path);
    if (present?.type === 'file' && present.content === contentOf(file))
      this.disk.set(path, { ...present, ...own(file) });
    else this.put(path, { ...own(file), type: 'file', content: contentOf(file) });
  }

  #switchBundle(component: DesiredComponent, path: string): (() => void)[] {
    const bundle = component.bundles.find((candidate) => candidate.path === path);
    if (bundle === undefined) return [];
    const target = bundleTarget(bundle);
    return [
      () => {
        this.disk.delete(target);
        for (const file of bundle.files) this.disk.delete(`${target}/${file.path}`);
      },
      ...bundle.files.map(
        (file) => () =>
          this.put(`${target}/${file.path}`, { ...own(file), type: 'file', content: contentOf(file) }),
      ),
      () => this.put(target, { ...own(bundle), type: 'directory' }),
      () =>
        this.put(path, {
          mode: 0o777,
          owner: 'root',
          group: 'root',
          type: 'link',
          target: target.slice(target.lastIndexOf('/') + 1),
        }),
    ];
  }

  #unitStep(
    desired: DesiredHost,
    component: DesiredComponent,
    name: string,
    action: Change['action'],
  ): () => void {
    return () => {
      const unit = this.units.get(name) ?? { enabled: false };
      if (action === 'reload') unit.loaded = this.disk.get(unitPath(name, desired))?.content ?? '';
      if (action === 'enable') unit.enabled = true;
      if (action === 'start' || action === 'restart') {
        unit.process = this.#started(desired, component, unit.loaded ?? '');
      }
      this.units.set(name, unit);
    };
  }

  #started(desired: DesiredHost, component: DesiredComponent, unit: string): Process {
    const inputs = /^Environment=KBIN_INPUTS=(\w+)$/m.exec(unit)?.[1];
    const conf = this.disk.get(/^EnvironmentFile=(.*)$/m.exec(unit)?.[1] ?? '')?.content ?? '';
    const lines = conf.split('\n').flatMap((line) => /^(ETCD_\w+)="([^"\\]*)"$/.exec(line)?.slice(1) ?? []);
    return {
      ...(inputs === undefined ? {} : { inputs }),
      inode: this.#binary(component.unit.name, desired)?.inode ?? 0,
      conf: runsWith(this, component),
      argv: (/^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit)?.[1] ?? '').split(/(?:\s|\\\n)+/),
      settings: Object.fromEntries(
        lines.flatMap((name, index) => (index % 2 === 0 ? [[name, lines[index + 1] ?? '']] : [])),
      ),
      inherited: [],
    };
  }

  /** Somebody types `systemctl daemon-reload; systemctl restart etcd`. */
  restartByHand(desired: DesiredHost, name: string): void {
    const component = desired.components.find(({ unit }) => unit.name === name);
    const unit = this.units.get(name);
    if (component === undefined || unit === undefined) throw new Error(name);
    unit.loaded = this.disk.get(unitPath(name, desired))?.content ?? '';
    unit.process = this.#started(desired, component, unit.loaded);
  }

  apply(desired: DesiredHost, plans: readonly HostPlan[]): void {
    for (const step of this.steps(desired, plans)) step();
  }
}

/** All that a process reads only when it starts, as it lies on the disk. */
export function runsWith(host: SimulatedHost, component: DesiredComponent): string {
  const bundled = component.bundles.flatMap((bundle) =>
    bundle.files.map((file) => ({
      ...file,
      path: `${beside(bundle.path, host.disk.get(bundle.path)?.target ?? '')}/${file.path}`,
    })),
  );
  const read = [...component.files, ...bundled].filter(
    ({ effect, content }) => effect === 'restart' && content.kind !== 'binary',
  );
  return JSON.stringify(read.map(({ path }) => host.disk.get(path)?.content ?? null));
}

export function contentOf({ content }: DesiredFile): string {
  return content.kind === 'text' ? content.text : (preimages.get(content.sha256) ?? '');
}

/** Contents by digest, for secrets and binaries, of which a plan knows no more than that. */
const preimages = new Map<string, string>();

/** The digest of a made-up file that only the simulated host knows. */
export function made(content: string): string {
  const digest = sha256(content);
  preimages.set(digest, content);
  return digest;
}

function own({ mode, owner, group }: Ownership): Ownership {
  return { mode, owner, group };
}

function beside(path: string, target: string): string {
  return target.startsWith('/') ? target : `${path.slice(0, path.lastIndexOf('/'))}/${target}`;
}

function unitPath(name: string, desired: DesiredHost): string {
  const paths = desired.components.flatMap(({ files }) => files.map(({ path }) => path));
  return paths.find((path) => path.endsWith(`/${name}`)) ?? '';
}

export const facts: HostFacts = {
  hostName: 'host',
  machine: 'x86_64',
  distribution: 'debian',
  distributionVersion: '12',
  kernel: '6.1.0',
  init: 'systemd',
  systemdVersion: 252,
  addresses: [],
  clockOffset: 0,
  selinux: 'disabled',
  freeBytes: new Map(),
};

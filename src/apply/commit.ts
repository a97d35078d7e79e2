import {
  bundleTarget,
  type DesiredBundle,
  type DesiredComponent,
  type DesiredDirectory,
  type DesiredFile,
  type Ownership,
} from '../desired/desired.ts';
import { folderOf } from '../desired/folders.ts';
import type { Change, HostPlan } from '../diff/changes.ts';
import { isForeign, unitPath } from '../diff/foreign.ts';
import type { Observed } from '../observe/observed.ts';
import { stagedPath } from '../remote/upload.ts';
import { unprovenPlaces } from './leftovers.ts';
import {
  account,
  discard,
  enable,
  folder,
  forget,
  label,
  type Operation,
  own,
  ownTree,
  place,
  reload,
  rename,
  restart,
  restore,
  setAside,
  start,
  stop,
  switchTo,
  sync,
} from './operations.ts';

/** One component on one host: what it should be, what it is, and the difference. */
export interface Task {
  readonly component: DesiredComponent;
  readonly observed: Observed;
  readonly plan: HostPlan;
}

/** Where a bundle is put together before it is switched to: beside it, in a name that `clean` removes. */
export function stagingFolder({ path }: Pick<DesiredBundle, 'path'>): string {
  return `${folderOf(path)}/.kbin-new-${path.slice(path.lastIndexOf('/') + 1)}`;
}

/** Files whose content has to be brought; the others of the plan only need their owner and mode. */
export function filesToStage({ component, observed, plan }: Task): readonly DesiredFile[] {
  return changed(component.files, plan, 'file').filter(
    (file) => observed.paths.get(file.path)?.sha256 !== file.content.sha256 || isLink(observed, file.path),
  );
}

/** A bundle is always brought whole. */
export function bundlesToStage({ component, plan }: Task): readonly DesiredBundle[] {
  return changed(component.bundles, plan, 'bundle');
}

/**
 * What uploads need before they can begin: the account, the folders, and none of a former run's half-done uploads.
 * Nothing that runs notices it.
 */
export function preparation(task: Task): readonly Operation[] {
  const { component, plan, observed } = task;
  const bundles = bundlesToStage(task);
  return [
    ...(component.account !== undefined && plan.changes.some(({ kind }) => kind === 'account')
      ? [
          account(
            component.account.user,
            component.account.group,
            component.state?.directory ?? '/nonexistent',
          ),
        ]
      : []),
    ...changed(component.directories, plan, 'directory')
      // A folder that a running process lives in changes hands when that process is stopped (commitment).
      .filter((directory) => !directory.recursive || !observed.paths.has(directory.path))
      .map((directory) => folder(directory.path, ownershipOf(directory, observed))),
    ...bundles.flatMap((bundle) => [discard(stagingFolder(bundle)), folder(stagingFolder(bundle), bundle)]),
  ];
}

/** Everything that takes effect, in the order in which it is safe, as one script: files, links, systemd, the process. */
export function commitment(task: Task): readonly Operation[] {
  const { component, plan } = task;
  const unit = component.unit.name;
  const staged = filesToStage(task);
  const bundles = bundlesToStage(task);
  const places = [...staged, ...bundles].map(({ path }) => path);
  const trees = changedTrees(task);
  return [
    ...changed(component.files, plan, 'file')
      .filter((file) => !staged.includes(file))
      .map((file) => own(file.path, file)),
    ...formerUnit(task, true).map(setAside),
    ...staged.map((file) => rename(stagedFile(file), file.path)),
    ...bundles.flatMap(assembly),
    ...unique(places.map(folderOf)).map(sync),
    ...places.map(label),
    ...(needs(plan, 'enable') ? [enable(unit)] : []),
    ...(['reload', 'enable'].some((action) => needs(plan, action as Change['action'])) ||
    staged.some(({ path }) => path.endsWith(`/${unit}`))
      ? [reload]
      : []),
    ...(trees.length > 0 && plan.disruption !== 'none' ? [stop(unit)] : []),
    ...trees.flatMap((tree) => [folder(tree.path, tree), ownTree(tree.path, tree.owner, tree.group)]),
    ...running(task),
  ];
}

/** Whether there is something to bring back: of this run, or of one that was cut off before it had proven its changes. */
export function hasFormerFiles(task: Task): boolean {
  return withdrawn(task).length > 0;
}

function withdrawn(task: Task): readonly string[] {
  const staged = [...filesToStage(task), ...bundlesToStage(task)].map(({ path }) => path);
  return unique([...staged, ...unprovenPlaces(task)]);
}

/** Brings back what was there before `commitment`, and runs it. */
export function withdrawal(task: Task): readonly Operation[] {
  const unit = task.component.unit.name;
  const places = withdrawn(task);
  const trees = task.plan.disruption === 'none' ? [] : changedTrees(task);
  return [
    ...places.map(restore),
    ...formerUnit(task, false).map(forget),
    ...unique(places.map(folderOf)).map(sync),
    reload,
    ...(trees.length > 0 ? [stop(unit)] : []),
    // Whoever ran the former unit has to be able to write there again.
    ...trees.flatMap(({ path }) => {
      const former = task.observed.paths.get(path);
      return former === undefined ? [] : [folder(path, former), ownTree(path, former.owner, former.group)];
    }),
    ...(task.plan.disruption === 'none' ? [] : [restart(unit, stopSeconds(task.component))]),
  ];
}

/** Where kbin puts a unit in place of somebody else's, whose file lies there, or elsewhere: then kbin's alone hides it. */
function formerUnit(task: Task, isThere: boolean): readonly string[] {
  const { component, observed } = task;
  const path = unitPath(component);
  if (!filesToStage(task).some((file) => file.path === path)) return [];
  const isFormer = isForeign(observed, component.unit.name, path);
  return isFormer && observed.paths.has(path) === isThere ? [path] : [];
}

/** Folders that are there, and change hands with all that lies in them. */
function changedTrees({ component, plan, observed }: Task): readonly DesiredDirectory[] {
  return changed(component.directories, plan, 'directory').filter(
    (directory) => directory.recursive && observed.paths.has(directory.path),
  );
}

/** A folder that only leads on stays as it is, but for letting everybody through. */
function ownershipOf(directory: DesiredDirectory, observed: Observed): Ownership {
  const seen = directory.passage === true ? observed.paths.get(directory.path) : undefined;
  return seen === undefined ? directory : { ...seen, mode: seen.mode | 0o111 };
}

function assembly(bundle: DesiredBundle): Operation[] {
  const staging = stagingFolder(bundle);
  return [
    ...bundle.files.map((file) => {
      const path = `${staging}/${file.path}`;
      return place(stagedFile({ ...file, path }), path);
    }),
    sync(staging),
    switchTo(staging, bundle.path, bundleTarget(bundle)),
  ];
}

function stagedFile({ path, content }: Pick<DesiredFile, 'path' | 'content'>): string {
  return stagedPath({ path, sha256: content.sha256 });
}

function running({ component, plan }: Task): readonly Operation[] {
  const unit = component.unit.name;
  if (plan.disruption === 'none') return [];
  return [plan.disruption === 'start' ? start(unit) : restart(unit, stopSeconds(component))];
}

/** systemd's own, unless the unit says otherwise (systemd.service(5), TimeoutStopSec). */
const defaultStopSeconds = 90;

/** After so many seconds systemd ends the process for good. */
export function stopSeconds({ files, unit }: DesiredComponent): number {
  const content = files.find(({ path }) => path.endsWith(`/${unit.name}`))?.content;
  const seconds = content?.kind === 'text' ? /^TimeoutStopSec=(\d+)$/m.exec(content.text)?.[1] : undefined;
  return seconds === undefined ? defaultStopSeconds : Number(seconds);
}

function changed<T extends { readonly path: string }>(
  wanted: readonly T[],
  plan: HostPlan,
  kind: Change['kind'],
): readonly T[] {
  const targets = new Set(plan.changes.filter((change) => change.kind === kind).map(({ target }) => target));
  return wanted.filter(({ path }) => targets.has(path));
}

function needs(plan: HostPlan, action: Change['action']): boolean {
  return plan.changes.some((change) => change.kind === 'unit' && change.action === action);
}

/** A file that is there as a symbolic link is replaced by a file, even when what it leads to is the same. */
function isLink(observed: Observed, path: string): boolean {
  return observed.paths.get(path)?.type === 'link';
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}

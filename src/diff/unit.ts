import type { DesiredComponent } from '../desired/desired.ts';
import type { Observed, ObservedUnit } from '../observe/observed.ts';
import type { Change, HostPlan } from './changes.ts';
import { contentDiffers } from './paths.ts';

/** What the component's process goes through, and why. */
export interface Disruption {
  readonly kind: HostPlan['disruption'];
  readonly reason: string;
}

/**
 * Why a running process must be restarted to be what it should be. Files that are equal prove nothing: a run that was
 * killed after a rename has left the old process behind, and what that was started with is asked here.
 */
export function restartReasons(component: DesiredComponent, observed: Observed): string[] {
  const unit = observed.units.get(component.unit.name);
  const files = component.files.filter(
    (file) => file.effect === 'restart' && contentDiffers(file, observed.paths.get(file.path)),
  );
  const bundled = component.bundles.flatMap((bundle) =>
    bundle.files
      .filter((file) => file.effect === 'restart')
      .map((file) => ({ file, path: `${bundle.path}/${file.path}` }))
      .filter(({ file, path }) => contentDiffers(file, observed.paths.get(path))),
  );
  const changing = [...files, ...bundled].map(({ path }) => nameOf(path));
  return [
    ...(changing.length > 0 ? [`${changing.join(', ')} ${changing.length > 1 ? 'change' : 'changes'}`] : []),
    ...(unit?.executableReplaced === true ? ['runs a binary that was replaced since'] : []),
    ...(changing.length === 0 ? startedReasons(component, unit) : []),
  ];
}

/** The files are as they should be; whether the process was started with them is another thing. */
function startedReasons(component: DesiredComponent, unit: ObservedUnit | undefined): string[] {
  if (unit?.runningInputs !== component.unit.inputs) return [formerInputs(unit)];
  // What a drop-in sets is its owner's business: a restart would not take it away.
  if (unit.process === undefined || unit.dropIns.length > 0) return [];
  const { argv, settings, inherited } = unit.process;
  const wanted = component.unit.process;
  const names = [...new Set([...Object.keys(wanted.settings), ...Object.keys(settings)])]
    .filter((name) => wanted.settings[name] !== settings[name])
    .filter((name) => name in wanted.settings || !inherited.includes(name));
  return [
    ...(names.length > 0 ? [`was started with another ${names.sort().join(', ')} than its files say`] : []),
    ...(argv.join('\0') === wanted.argv.join('\0')
      ? []
      : ['was started with other arguments than its unit says']),
  ];
}

function formerInputs(unit: ObservedUnit | undefined): string {
  return unit?.runningInputs === undefined ? 'was not started by kbin’s unit' : 'runs with former settings';
}

export function disruptionOf(unit: ObservedUnit | undefined, restart: readonly string[]): Disruption {
  if (!isRunning(unit)) return { kind: 'start', reason: whyNotRunning(unit) };
  return restart.length > 0
    ? { kind: 'restart', reason: restart.join(', ') }
    : { kind: 'none', reason: 'runs as it should' };
}

/**
 * There is a main process that systemd means to keep. An etcd that waits for its quorum is `activating` with one; a unit
 * that fails at once is `activating` too, but in `auto-restart` and without one.
 */
export function isRunning(unit: ObservedUnit | undefined): boolean {
  if (unit === undefined || unit.mainPid === 0) return false;
  return ['active', 'activating', 'reloading', 'refreshing'].includes(unit.activeState);
}

function whyNotRunning(unit: ObservedUnit | undefined): string {
  if (unit === undefined || unit.loadState === 'not-found') return 'not there yet';
  if (unit.subState === 'auto-restart') return `does not stay up (${unit.result})`;
  if (unit.activeState === 'failed') return `has failed (${unit.result})`;
  return `is ${unit.activeState}`;
}

/** What systemd has to be told, in the order in which it has to hear it. */
export function unitChanges(
  component: DesiredComponent,
  observed: Observed,
  disruption: Disruption,
): Change[] {
  const { name } = component.unit;
  const unit = observed.units.get(name);
  const reload = whyReload(component, observed, unit);
  const enabled = unit?.enabled === 'enabled';
  const change = (action: Change['action'], reason: string): Change => ({
    kind: 'unit',
    target: name,
    action,
    reason,
  });
  return [
    ...(reload === undefined ? [] : [change('reload', reload)]),
    ...(enabled
      ? []
      : [change('enable', `is ${unit?.enabled || 'not enabled'}, would not start with the host`)]),
    ...(disruption.kind === 'none' ? [] : [change(disruption.kind, disruption.reason)]),
  ];
}

function whyReload(
  component: DesiredComponent,
  observed: Observed,
  unit: ObservedUnit | undefined,
): string | undefined {
  const file = component.files.find(({ path }) => nameOf(path) === component.unit.name);
  if (file !== undefined && contentDiffers(file, observed.paths.get(file.path)))
    return 'the unit file changes';
  if (unit === undefined || unit.loadState === 'not-found' || unit.needDaemonReload) {
    return 'systemd has not read the unit file as it is now';
  }
  return undefined;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

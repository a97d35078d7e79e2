import type { DesiredComponent, DesiredHost } from '../desired/desired.ts';
import type { Observed } from '../observe/observed.ts';
import type { Change, HostPlan } from './changes.ts';
import { bundleDifference, directoryDifference, fileDifference } from './paths.ts';
import { disruptionOf, restartReasons, unitChanges } from './unit.ts';

/**
 * What has to change on a host, one HostPlan per component and in the components' order. Looks at what is, never at what
 * a former run meant to do: killed between two steps, the next call finds what is left. Empty changes: nothing to do.
 */
export function diffHost(desired: DesiredHost, observed: Observed): HostPlan[] {
  return desired.components.map((component) => diffComponent(desired.host, component, observed));
}

function diffComponent(host: string, component: DesiredComponent, observed: Observed): HostPlan {
  const files = component.files.flatMap((file) => fileDifference(file, observed) ?? []);
  const unit = observed.units.get(component.unit.name);
  const disruption = disruptionOf(unit, restartReasons(component, observed));
  return {
    host,
    component: component.name,
    changes: [
      ...accountChanges(component, observed),
      ...component.directories.flatMap((directory) => directoryDifference(directory, observed) ?? []),
      ...files,
      ...component.bundles.flatMap((bundle) => bundleDifference(bundle, observed) ?? []),
      ...unitChanges(component, observed, disruption),
    ],
    disruption: disruption.kind,
  };
}

function accountChanges({ account }: DesiredComponent, { accounts }: Observed): Change[] {
  if (account === undefined) return [];
  const missing = [
    ...(accounts.includes(account.user) ? [] : [`user ${account.user}`]),
    ...(accounts.includes(`:${account.group}`) ? [] : [`group ${account.group}`]),
  ];
  if (missing.length === 0) return [];
  const reason = `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing`;
  return [{ kind: 'account', target: account.user, action: 'create', reason }];
}

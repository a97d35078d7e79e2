import { type ControlPlaneComponent, controlPlaneComponents } from '../cluster/cluster.ts';
import type { Change, Plan } from '../diff/changes.ts';

/** Whether on every one of these hosts nothing is there yet of the control plane: all of it would have to be made. */
export function hasNothingOf(plan: Plan, hosts: readonly string[]): boolean {
  return hosts.every((name) => {
    const own = plan.hosts.filter(({ host, component }) => host === name && isOfControlPlane(component));
    return (
      own.length === controlPlaneComponents.length &&
      own.every(({ changes }) => changes.length > 0 && changes.every(isNew))
    );
  });
}

export function isOfControlPlane(component: string): boolean {
  return controlPlaneComponents.includes(component as ControlPlaneComponent);
}

/** Accounts and folders may be there for other reasons. A unit's `reload` is systemd's, which a new file needs, too. */
function isNew({ kind, action }: Change): boolean {
  const made: readonly Change['action'][] = ['create', 'enable', 'start', 'reload'];
  return kind === 'account' || kind === 'directory' || made.includes(action);
}

/** The plan without what it says of the control plane on hosts, also that its programs could not be compared there. */
export function withoutControlPlane(plan: Plan): Plan {
  return {
    ...plan,
    hosts: plan.hosts.filter(({ component }) => !isOfControlPlane(component)),
    findings: plan.findings.filter(
      ({ code, gap }) => code !== 'binaries-unknown' || !gap?.what.includes('kubernetes'),
    ),
  };
}

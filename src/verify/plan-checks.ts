import type { HostPlan, Plan } from '../diff/changes.ts';
import type { Check } from '../health/check.ts';
import { isOfControlPlane } from './only-creates.ts';

/** A plan as checks: each host should be reached, and nothing should have to change on it. */
export function planChecks({ hosts, findings, unreachable }: Plan): readonly Check[] {
  return [
    ...unreachable.map(
      ({ host, reason, next }): Check => ({
        id: 'host-reachable',
        target: host,
        status: 'fail',
        message: reason,
        next: next ?? 'see whether the host is up and SSH reaches it; `kbin plan` shows the same',
      }),
    ),
    ...hosts.map(unchanged),
    // Said with the reason above.
    ...findings
      .filter(({ host }) => !unreachable.some((silent) => silent.host === host))
      .map(
        ({ severity, host, code, message, next, gap }): Check => ({
          id: code,
          ...(host === undefined ? {} : { target: host }),
          // What could not be compared is not proven, as with a host that could not be reached.
          status: severity === 'stop' || gap?.incomplete === true ? 'fail' : 'warn',
          message,
          next,
        }),
      ),
  ];
}

function unchanged({ host, component, changes }: HostPlan): Check {
  const base = { id: `${component}-unchanged`, target: host };
  const [first, ...rest] = changes;
  if (first === undefined) return { ...base, status: 'pass', message: 'is as cluster.yaml says' };
  const more = rest.length === 0 ? '' : `, and ${rest.length} more`;
  return {
    ...base,
    status: 'fail',
    message: `differs from cluster.yaml: ${first.action} ${first.target} (${first.reason})${more}`,
    next: `\`kbin plan\` shows everything that differs, \`kbin ${command(component)} deploy\` puts it right`,
  };
}

function command(component: string): string {
  return isOfControlPlane(component) ? 'control-plane' : component;
}

import type { Check } from '../../check.ts';
import type { ControlPlaneHostEvidence } from '../../control-plane-evidence.ts';
import { listing } from '../main-cluster.ts';
import type { ControlPlaneJudgement } from './index.ts';

export const apiserverReachable: ControlPlaneJudgement = ({ hosts, subject }) =>
  hosts.map(({ host, api }) => {
    const base = { id: 'apiserver-reachable', target: host.name } as const;
    const { failure, latencyMs } = api;
    // Without the administrator's key nobody was shown, so that being turned away is no failure.
    const turnedAway = failure?.code === 'unauthorized' || failure?.code === 'forbidden';
    if (failure !== undefined && !(turnedAway && subject.credentials.anonymous !== undefined))
      return { ...base, status: 'fail', message: failure.message, next: failure.next };
    return { ...base, status: 'pass', message: `answers in ${(latencyMs ?? 0).toFixed(1)} ms` };
  });

export const apiserverLive: ControlPlaneJudgement = ({ hosts }) =>
  hosts.map((seen) =>
    healthPath('apiserver-live', '/livez', seen, seen.api.live, seen.api.notLive, {
      next: 'see its journal (journalctl -u kube-apiserver); systemd does not restart it for this, a restart by hand may help',
    }),
  );

export const apiserverReady: ControlPlaneJudgement = ({ hosts }) =>
  hosts.map((seen) =>
    healthPath('apiserver-ready', '/readyz', seen, seen.api.ready, seen.api.notReady, {
      next: nextFor(seen.api.notReady ?? []),
    }),
  );

function healthPath(
  id: string,
  path: string,
  { host, api }: ControlPlaneHostEvidence,
  well: boolean | undefined,
  failing: readonly string[] | undefined,
  { next }: { next: string },
): Check {
  const base = { id, target: host.name } as const;
  if (well === true) return { ...base, status: 'pass', message: `${path} says ok` };
  if (well === undefined)
    return { ...base, status: 'skip', message: api.failure?.message ?? `${path} was not answered` };
  const names = failing?.length ? `these of its checks fail: ${listing(failing)}` : 'without naming a check';
  return { ...base, status: 'fail', message: `${path} says no; ${names}`, next };
}

/** What the checks of /readyz that fail most often mean. */
function nextFor(failing: readonly string[]): string {
  if (failing.some((name) => name === 'etcd' || name === 'etcd-readiness'))
    return 'it does not get an answer from etcd: see `kbin etcd status`, and etcd-reached for this host';
  if (failing.includes('informer-sync'))
    return 'it may have just started: look again. If it stays, it cannot read all that is stored: see its journal, and whether its encryption configuration is that of the others (`kbin plan`)';
  if (failing.includes('shutdown')) return 'it is shutting down: look again; if it stays, see its journal';
  return 'it may have just started: look again; if it stays, see its journal (journalctl -u kube-apiserver)';
}

/** Nobody without a certificate or token may read what is in the cluster. */
export const anonymousRefused: ControlPlaneJudgement = ({ hosts }) =>
  hosts.map(({ host, anonymousReads }) => {
    const base = { id: 'anonymous-refused', target: host.name } as const;
    if (anonymousReads === undefined) return { ...base, status: 'skip', message: 'could not be tried' };
    if (!anonymousReads)
      return {
        ...base,
        status: 'pass',
        message: 'clients without certificate and token may not read Secrets',
      };
    return {
      ...base,
      status: 'fail',
      message:
        'clients without certificate and token may read Secrets: anybody who reaches the port has the cluster',
      next: 'see which RBAC binding names system:anonymous or system:unauthenticated, and --authorization-mode',
    };
  });

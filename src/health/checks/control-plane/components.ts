import type { Check } from '../../check.ts';
import type { ComponentReading } from '../../component-reading.ts';
import type { ListeningComponent } from '../../component-target.ts';
import { listing } from '../main-cluster.ts';
import type { ControlPlaneJudgement } from './index.ts';

export const shortNames: Readonly<Record<ListeningComponent, 'controller-manager' | 'scheduler'>> = {
  'kube-controller-manager': 'controller-manager',
  'kube-scheduler': 'scheduler',
};

/** What /healthz of each says. */
export const componentsHealthy: ControlPlaneJudgement = ({ hosts }) =>
  Object.keys(shortNames).flatMap((component) =>
    hosts.flatMap(({ components }) =>
      components.filter(({ target }) => target.component === component).map(judged),
    ),
  );

function judged({ target, healthy, unhealthy, served, failure, latencyMs }: ComponentReading): Check {
  const { component, name } = target;
  const base = { id: `${shortNames[component]}-healthy`, target: name } as const;
  if (failure !== undefined) return { ...base, status: 'fail', message: failure.message, next: failure.next };
  if (healthy)
    return { ...base, status: 'pass', message: `/healthz says ok in ${(latencyMs ?? 0).toFixed(1)} ms` };
  const names = unhealthy?.length ? `; these of its checks fail: ${listing(unhealthy)}` : '';
  return {
    ...base,
    status: 'fail',
    message: `/healthz answers ${served?.status ?? 'nothing'}${names}`,
    next: `see its journal (journalctl -u ${component})`,
  };
}

import type { ControlPlaneComponent } from '../cluster/cluster.ts';
import { type ApiReading, readApiservers } from '../health/api-gates.ts';
import { apiserverKind, refuseRestart } from './apiservers.ts';
import { refuseUnacceptedClient } from './client-accepted.ts';
import type { ControlPlaneRun } from './control-plane-run.ts';
import { workOf } from './deployment.ts';
import { electedKind } from './elected.ts';
import { type Kind, rollOutInstances } from './instances.ts';
import { leftoversOf } from './leftovers.ts';
import { refuseWithoutForwarding } from './reach.ts';
import { stage } from './stage.ts';
import { checkpoint, clearUp, onAll, type Work, type Workplace } from './work.ts';

/**
 * Brings the three components to their desired state: uploads for all hosts at once, then every apiserver before any
 * controller-manager, and these before schedulers.
 *
 * @returns by component, the hosts where it had to be restarted only because it did not answer
 */
export async function rollOutControlPlane(
  run: ControlPlaneRun,
  places: ReadonlyMap<ControlPlaneComponent, readonly Workplace[]>,
): Promise<ReadonlyMap<ControlPlaneComponent, readonly string[]>> {
  const work = workOf(run.deployment);
  const changing = [...places.values()].flat().filter(({ task }) => task.plan.changes.length > 0);
  await refuseOutages(run, work, places.get('kube-apiserver') ?? []);
  if (changing.length > 0) {
    await refuseWithoutForwarding(run, changing);
    await stage(work, changing);
    checkpoint(work, 'everything is uploaded, and nothing of it is in force yet');
  }
  const woken = new Map<ControlPlaneComponent, readonly string[]>();
  for (const [component, instances] of places) {
    const spoken = naming(work, component);
    if (component !== 'kube-apiserver') await refuseUnacceptedClient(run, component, instances);
    const kind = kindOf(run, spoken, component);
    woken.set(component, await rollOutInstances(spoken, kind, instances));
    await clearUpKept(spoken, instances);
  }
  return woken;
}

function kindOf(run: ControlPlaneRun, work: Work, component: ControlPlaneComponent): Kind {
  return component === 'kube-apiserver' ? apiserverKind(run, work) : electedKind(run, work, component);
}

/**
 * Before anything is uploaded: whether the first restart would be allowed. Those that are down come back before it, and
 * those that run as they should and are not ready, as right after a run that was cut off, are seen to before it.
 */
async function refuseOutages(
  { apiservers, credentials }: ControlPlaneRun,
  { allowDowntime }: Work,
  places: readonly Workplace[],
): Promise<void> {
  const going = (disruption: string) => places.filter(({ task }) => task.plan.disruption === disruption);
  const restarting = going('restart');
  if (restarting.length === 0 || going('start').length > 0 || allowDowntime) return;
  const readings: readonly ApiReading[] = await readApiservers(apiservers, credentials);
  const isReady = (name: string) => readings.some(({ host, ready }) => host === name && ready === true);
  if (going('none').some(({ name }) => !isReady(name))) return;
  for (const { name } of restarting) refuseRestart(readings, name, allowDowntime);
}

/** What was right all along may still have leftovers of a run that was cut off. */
async function clearUpKept(work: Work, places: readonly Workplace[]): Promise<void> {
  const kept = places.filter(({ task }) => task.plan.changes.length === 0 && leftoversOf(task).length > 0);
  await onAll(work, kept, (place) => clearUp(work, place));
}

/** Progress that says which of a host's components it is about. */
function naming(work: Work, component: string): Work {
  const { progress } = work;
  return {
    ...work,
    progress: {
      step: (host, text) => progress.step(host, `${component}: ${text}`),
      transfer: (host, what, sent, total) => progress.transfer(host, `${component}: ${what}`, sent, total),
      done: (host, text) => progress.done(host, `${component}: ${text}`),
      fail: (host, text) => progress.fail(host, `${component}: ${text}`),
      note: (text) => progress.note(text),
      end: () => progress.end(),
    },
  };
}

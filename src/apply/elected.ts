import { openApi } from '../health/api-client.ts';
import {
  type ComponentReading,
  readApiservers,
  readComponent,
  waitForComponent,
} from '../health/api-gates.ts';
import type { ComponentTarget, ListeningComponent } from '../health/component-target.ts';
import { machineOf, readLease } from '../health/leases.ts';
import { type ControlPlaneRun, targetOf } from './control-plane-run.ts';
import type { Kind } from './instances.ts';
import { refuseStranger } from './reach.ts';
import { issuedFingerprint, provePatience } from './served.ts';
import { whileAlive } from './unit.ts';
import type { Work, Workplace } from './work.ts';

/**
 * Controller-managers and schedulers: one of them leads and the others wait. Each is proven by its own /healthz, and the
 * leader goes last, so that leadership moves once.
 */
export function electedKind(run: ControlPlaneRun, work: Work, component: ListeningComponent): Kind {
  const targets = run.others.filter((target) => target.component === component);
  const unwell = async (places: readonly Workplace[]) => {
    const readings = await Promise.all(
      places.map(({ name }) => readComponent(targetOf(targets, name), { ca: run.credentials.ca })),
    );
    return places.filter((_, index) => !isWell(readings[index]));
  };
  return {
    component,
    unwell,
    prove: (place, began, within = work.within) =>
      prove(run, work, targetOf(targets, place.name), { place, began, within }),
    next: async (pending) =>
      nextElected(
        pending,
        await unwell(pending),
        pending.length > 1 ? await leaderOf(run, component) : undefined,
      ),
    refuseWaking: async ({ name }) => {
      const { failure } = await readComponent(targetOf(targets, name), { ca: run.credentials.ca });
      refuseStranger(component, name, failure);
    },
  };
}

function isWell(reading: ComponentReading | undefined): boolean {
  return reading?.healthy === true && reading.failure === undefined;
}

async function prove(
  { credentials }: ControlPlaneRun,
  work: Work,
  target: ComponentTarget,
  step: { readonly place: Workplace; readonly began: number; readonly within: number },
): Promise<ComponentReading> {
  const { name, host, task } = step.place;
  const fingerprint = issuedFingerprint(task);
  const start = `${name}: ${target.component} `;
  const wait = (signal: AbortSignal) =>
    waitForComponent(
      target,
      { ca: credentials.ca },
      fingerprint === undefined ? {} : { fingerprint },
      provePatience(task, step.within, signal, (seen) =>
        work.progress.step(name, seen.startsWith(start) ? seen.slice(start.length) : seen),
      ),
    );
  return whileAlive([{ host, unit: task.component.unit.name, began: step.began }], wait);
}

/** Those that are unwell first, the leader last, else as in cluster.yaml. Pure. */
export function nextElected(
  pending: readonly Workplace[],
  unwell: readonly Workplace[],
  leader: string | undefined,
): Workplace {
  const leads = ({ task }: Workplace) =>
    leader !== undefined && task.observed.facts.hostName.toLowerCase() === leader;
  const next =
    pending.find((place) => unwell.includes(place)) ?? pending.find((place) => !leads(place)) ?? pending[0];
  if (next === undefined) throw new Error('nobody is pending');
  return next;
}

/** The leader's own name of its machine, from the lease; undefined where that cannot be read: then any order will do. */
async function leaderOf(
  { apiservers, credentials }: ControlPlaneRun,
  component: ListeningComponent,
): Promise<string | undefined> {
  const ready = (await readApiservers(apiservers, credentials)).find((reading) => reading.ready === true);
  if (ready === undefined) return undefined;
  const client = openApi(ready.target, credentials);
  try {
    const { holder } = await readLease(client, component);
    return holder === undefined ? undefined : machineOf(holder);
  } finally {
    client.close();
  }
}

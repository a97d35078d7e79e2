import { flagValues } from '../desired/flag-values.ts';
import { KbinError } from '../errors.ts';
import { type ApiReading, apiShortcoming, readApiservers, waitForReady } from '../health/api-gates.ts';
import type { Permission } from '../health/gates.ts';
import type { ControlPlaneRun } from './control-plane-run.ts';
import { targetOf } from './control-plane-run.ts';
import type { Kind } from './instances.ts';
import { refuseStranger, refuseUnknown } from './reach.ts';
import { issuedFingerprint, provePatience } from './served.ts';
import { whileAlive } from './unit.ts';
import type { Work, Workplace } from './work.ts';

/** Milliseconds one look may take between two steps. */
const lookDeadlineMs = 3000;

/** Apiservers: each is proven by its own /readyz, and none is restarted while it is the only one that is ready. */
export function apiserverKind(run: ControlPlaneRun, work: Work): Kind {
  const { apiservers, credentials } = run;
  const read = () => readApiservers(apiservers, credentials, lookDeadlineMs);
  return {
    component: 'kube-apiserver',
    restarting: `restarting: it serves on for ${run.deployment.cluster.kubernetes.shutdownDelay} s, then ends its requests`,
    prove: (place, began, within = work.within) => prove(run, work, place, { began, within }),
    unwell: async (places) => {
      const targets = places.map(({ name }) => targetOf(apiservers, name));
      const readings = await readApiservers(targets, credentials, lookDeadlineMs);
      const unwell = readings.filter((reading) => apiShortcoming(reading) !== undefined);
      return places.filter(({ name }) => unwell.some(({ host }) => host === name));
    },
    next: async (pending) => {
      const readings = await read();
      const place = nextApiserver(pending, readings);
      const seen = movesPort(place) ? readings.map(asServing(place.name)) : readings;
      refuseRestart(seen, place.name, work.allowDowntime);
      return place;
    },
    refuseWaking: async ({ name }) => {
      const reading = (await read()).find(({ host }) => host === name);
      refuseStranger('kube-apiserver', name, reading?.failure);
    },
  };
}

async function prove(
  { apiservers, credentials }: ControlPlaneRun,
  work: Work,
  { name, host, task }: Workplace,
  { began, within }: { readonly began: number; readonly within: number },
): Promise<ApiReading> {
  const fingerprint = issuedFingerprint(task);
  const wait = (signal: AbortSignal) =>
    waitForReady(
      targetOf(apiservers, name),
      credentials,
      provePatience(task, within, signal, (seen) => work.progress.step(name, ownPart(name, seen))),
      fingerprint === undefined ? {} : { fingerprint },
    );
  return whileAlive([{ host, unit: task.component.unit.name, began }], wait);
}

function ownPart(name: string, seen: string): string {
  return seen.startsWith(`${name}: `) ? seen.slice(name.length + 2) : seen;
}

/** Those that are not ready first, then as in cluster.yaml. Pure. */
export function nextApiserver(pending: readonly Workplace[], readings: readonly ApiReading[]): Workplace {
  const isReady = ({ name }: Workplace) =>
    readings.some(({ host, ready }) => host === name && ready === true);
  const next = pending.find((place) => !isReady(place)) ?? pending[0];
  if (next === undefined) throw new Error('nobody is pending');
  return next;
}

/** It serves on another port than it is about to: that nothing listens on the new one says nothing about it. */
function movesPort({ task: { component, observed } }: Workplace): boolean {
  const portOf = (started: { readonly argv: readonly string[] } | undefined) =>
    flagValues(started?.argv ?? [], 'secure-port').at(-1);
  const unit = observed.units.get(component.unit.name);
  if (unit?.activeState !== 'active') return false;
  return portOf(unit.process) !== portOf(component.unit.process);
}

const asServing =
  (name: string) =>
  (reading: ApiReading): ApiReading => {
    if (reading.host !== name || reading.failure?.code !== 'refused') return reading;
    const { failure: _failure, ...rest } = reading;
    return rest;
  };

/** One may be restarted while another is ready, or when it serves nobody anyway. Pure. */
export function canRestartApiserver(readings: readonly ApiReading[], name: string): Permission {
  const others = readings.filter(({ host }) => host !== name);
  if (others.some(({ ready }) => ready === true)) return { allowed: true };
  const own = readings.find(({ host }) => host === name);
  if (own?.ready === false || own?.failure?.code === 'refused') return { allowed: true };
  if (others.length === 0) return { allowed: false, why: `${name} is the only control-plane host` };
  const seen = others.map((other) => `${other.host} ${apiShortcoming(other) ?? 'is not ready'}`).join('; ');
  return { allowed: false, why: `no other apiserver is ready (${seen})` };
}

/** Throws where a restart would leave nobody who serves, or where kbin could not tell what came of it. */
export function refuseRestart(readings: readonly ApiReading[], name: string, allowDowntime: boolean): void {
  refuseUnknown('kube-apiserver', name, readings.find(({ host }) => host === name)?.failure);
  const permission = canRestartApiserver(readings, name);
  if (permission.allowed || allowDowntime) return;
  throw new KbinError(`kube-apiserver on ${name} cannot be restarted without an outage`, {
    host: name,
    step: 'restart kube-apiserver.service',
    why: permission.why,
    next: 'Bring the other apiservers up first, or accept a short downtime with --allow-downtime.',
  });
}

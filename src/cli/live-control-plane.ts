import type { Survey } from '../apply/survey.ts';
import type { Store } from '../ca/store.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { componentsOf } from '../desired/desire.ts';
import { desiredObjects } from '../desired/objects.ts';
import type { Change, PlanFinding } from '../diff/changes.ts';
import { isRunning } from '../diff/unit.ts';
import { KbinError } from '../errors.ts';
import { openApi } from '../health/api-client.ts';
import { type ApiReading, readApiserver, readApiservers } from '../health/api-gates.ts';
import { type ApiCredentials, apiCredentials, apiTargets } from '../health/api-target.ts';
import { compareObjects } from '../health/objects.ts';
import type { Connect } from '../remote/host.ts';
import { gapFinding } from './plan-gaps.ts';

export interface LiveControlPlane {
  readonly readings: readonly ApiReading[];
  readonly objects: readonly Change[];
  readonly findings: readonly PlanFinding[];
}

const nothing: LiveControlPlane = { readings: [], objects: [], findings: [] };

/**
 * Asks the apiservers how they are, and one that is ready for the objects that kbin keeps there. Where there is no control
 * plane yet nobody answers, and that is as it should be. Where the keys are not (CI, a second operator), the plan is what
 * can be had there, and not incomplete for it.
 */
export async function askControlPlane(
  cluster: Cluster,
  store: Store,
  connect: Connect,
  looking: Promise<Survey>,
): Promise<LiveControlPlane> {
  if (!hasControlPlane(cluster)) return nothing;
  let credentials: ApiCredentials;
  try {
    credentials = await apiCredentials(store);
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    const gap = { what: 'the apiservers were not asked', incomplete: false };
    return { ...nothing, findings: [gapFinding('apiservers-not-asked', gap, error)] };
  }
  // At the same time as the hosts are looked at: mostly the apiservers are within reach.
  const [first, looked] = await Promise.all([
    readApiservers(apiTargets(cluster, connect), credentials),
    looking,
  ]);
  const readings = await Promise.all(
    // The port is closed to this machine, and there was no SSH connection yet to go through.
    first.map((reading) =>
      reading.failure?.code === 'out-of-reach' ? readApiserver(reading.target, credentials) : reading,
    ),
  );
  return { readings, ...(await askForObjects(cluster, readings, credentials, looked)) };
}

export function hasControlPlane(cluster: Cluster): boolean {
  return hostsWithRole(cluster, 'control-plane').some((host) =>
    componentsOf(cluster, host).some(({ name }) => name === 'kube-apiserver'),
  );
}

async function askForObjects(
  cluster: Cluster,
  readings: readonly ApiReading[],
  credentials: ApiCredentials,
  looked: Survey,
): Promise<Pick<LiveControlPlane, 'objects' | 'findings'>> {
  const ready = readings.find((reading) => reading.ready === true);
  if (ready === undefined) {
    const failure = readings.find((reading) => reading.failure !== undefined)?.failure;
    return {
      objects: [],
      findings: somethingRuns(looked)
        ? [
            notCompared(
              new KbinError('no apiserver is ready', failure && { why: failure.message, next: failure.next }),
            ),
          ]
        : [],
    };
  }
  const client = openApi(ready.target, credentials);
  try {
    return { objects: await compareObjects(client, desiredObjects(cluster)), findings: [] };
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return { objects: [], findings: [notCompared(error)] };
  } finally {
    client.close();
  }
}

function somethingRuns({ answered }: Survey): boolean {
  return answered.some(({ observed }) => isRunning(observed.units.get('kube-apiserver.service')));
}

function notCompared(error: KbinError): PlanFinding {
  const gap = { what: 'the objects inside Kubernetes were not compared', incomplete: true };
  return gapFinding('objects-not-compared', gap, error);
}

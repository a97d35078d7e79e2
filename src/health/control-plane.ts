import type { Cluster } from '../cluster/cluster.ts';
import type { Connect } from '../remote/host.ts';
import { apiDeadlineMs } from './api-client.ts';
import type { Cause } from './causes.ts';
import type { ComponentStatus, ControlPlaneHealth, ControlPlaneStatus } from './check.ts';
import { judgeControlPlane } from './checks/control-plane/index.ts';
import { leaderOf } from './checks/control-plane/leaders.ts';
import type { CredentialSource } from './client-credentials.ts';
import type { ComponentReading } from './component-reading.ts';
import type { ListeningComponent } from './component-target.ts';
import {
  type ControlPlaneEvidence,
  type ControlPlaneHostEvidence,
  gatherControlPlane,
} from './control-plane-evidence.ts';
import { type ControlPlaneSubject, controlPlaneSubject } from './control-plane-subject.ts';
import type { WantedObject } from './objects.ts';
import { hostPort } from './target.ts';
import { daysLeft, type Served } from './wire.ts';

export interface ControlPlaneHealthOptions {
  /** Milliseconds for one call; the whole run takes at most about eight times that. Default 5000. */
  readonly deadlineMs?: number;
  /** What "days left" counts from; default now. */
  readonly now?: Date;
  /** Ends the run early, but not before everything that was written is deleted; it then rejects with a KbinError. */
  readonly signal?: AbortSignal;
  /** Write nothing: no token, no object and no Secret is tried. Default false. */
  readonly readOnly?: boolean;
}

export interface ControlPlaneParts {
  readonly cluster: Cluster;
  readonly store: CredentialSource;
  readonly connect: Connect;
  /** What should be in Kubernetes (src/desired/objects.ts). */
  readonly objects: readonly WantedObject[];
  /** Names of the control-plane hosts to look at, for a run that leaves some out; default all. */
  readonly hosts?: readonly string[];
}

/**
 * Looks at the whole control plane of a cluster.yaml that has a kubernetes.version. Never rejects because of a host: what
 * is wrong is a failed check. Changes nothing but a few objects named kbin-verify-… in kube-system, which it deletes.
 */
export async function controlPlaneHealth(
  { cluster, store, connect, objects, hosts }: ControlPlaneParts,
  options: ControlPlaneHealthOptions = {},
): Promise<ControlPlaneHealth> {
  const subject = await controlPlaneSubject(cluster, store, connect, objects);
  const wanted = subject.hosts.filter(({ name }) => hosts?.includes(name) !== false);
  return healthOf({ ...subject, hosts: wanted }, options);
}

/** As controlPlaneHealth, of a control plane that is described otherwise. */
export async function healthOf(
  subject: ControlPlaneSubject,
  { deadlineMs = apiDeadlineMs, now = new Date(), signal, readOnly = false }: ControlPlaneHealthOptions = {},
): Promise<ControlPlaneHealth> {
  const evidence = await gatherControlPlane(subject, {
    deadlineMs,
    now,
    readOnly,
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    hosts: evidence.hosts.map((host) => toStatus(host, evidence)),
    checks: judgeControlPlane(evidence),
  };
}

function toStatus(seen: ControlPlaneHostEvidence, evidence: ControlPlaneEvidence): ControlPlaneStatus {
  const { host, api, served, unserved } = seen;
  const { address, port } = host.api;
  const failure = api.failure ?? unserved;
  return {
    host: host.name,
    endpoint: `https://${hostPort({ host: address, port })}`,
    apiserver: {
      reachable: api.reachable,
      healthy: api.ready === true,
      ...failed(failure),
      ...(api.version === undefined ? {} : { version: api.version }),
      ...(api.latencyMs === undefined ? {} : { latencyMs: rounded(api.latencyMs) }),
      ...daysOf(served, evidence.now),
    },
    controllerManager: componentStatus('kube-controller-manager', seen, evidence),
    scheduler: componentStatus('kube-scheduler', seen, evidence),
  };
}

function componentStatus(
  component: ListeningComponent,
  { host, components }: ControlPlaneHostEvidence,
  evidence: ControlPlaneEvidence,
): ComponentStatus {
  const reading: ComponentReading | undefined = components.find(
    ({ target }) => target.component === component,
  );
  const { healthy = false, failure, version, latencyMs, served } = reading ?? {};
  const leader = leaderOf(component, evidence);
  return {
    reachable: served !== undefined,
    healthy,
    ...failed(failure),
    ...(version === undefined ? {} : { version }),
    ...(leader === undefined ? {} : { leader: leader === host.name }),
    ...(latencyMs === undefined ? {} : { latencyMs: rounded(latencyMs) }),
    ...daysOf(served, evidence.now),
  };
}

function failed(failure: Cause | undefined): Pick<ComponentStatus, 'error' | 'nothingListens'> {
  if (failure === undefined) return {};
  return { error: failure.message, ...(failure.code === 'refused' ? { nothingListens: true } : {}) };
}

function daysOf(served: Served | undefined, now: Date): { certificateDays?: number } {
  const leaf = served?.chain[0];
  return leaf === undefined ? {} : { certificateDays: daysLeft(leaf, now) };
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

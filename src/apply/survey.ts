import { type Cluster, type ClusterHost, hostsWithRole, type Role } from '../cluster/cluster.ts';
import { type DesireInputs, desire } from '../desired/desire.ts';
import type { Plan, PlanFinding } from '../diff/changes.ts';
import { KbinError } from '../errors.ts';
import type { Observed } from '../observe/observed.ts';
import { probe, probeRequestFor } from '../observe/probe.ts';
import type { Connect, Host } from '../remote/host.ts';
import { inParallel } from '../remote/parallel.ts';
import { lock, type Operator } from './lock.ts';

/** A host that answered: open, and looked at. */
export interface Surveyed {
  readonly clusterHost: ClusterHost;
  readonly host: Host;
  readonly observed: Observed;
}

export interface Survey {
  readonly answered: readonly Surveyed[];
  readonly unreachable: readonly { readonly host: string; readonly error: KbinError }[];
}

export interface SurveyInputs {
  readonly cluster: Cluster;
  readonly hosts: readonly ClusterHost[];
  readonly connect: Connect;
  /** What to look for on a host follows from what should be there. Still on its way while connections are made. */
  readonly inputs: Promise<(host: ClusterHost) => DesireInputs>;
  /** Who takes the lock; undefined: only look. */
  readonly operator?: Operator;
  readonly now: () => number;
  readonly onStep?: (host: string, text: string) => void;
}

/**
 * Connects to all hosts at once, takes their locks and looks at them: one connection and one probe each. A host that
 * cannot be looked at is listed with the reason; somebody else's lock is an error, after every own one was given back.
 */
export async function survey(survey: SurveyInputs): Promise<Survey> {
  const { hosts, cluster } = survey;
  const settled = await inParallel(hosts, cluster.ssh.parallel, (host) => open(survey, host));
  const answered = settled.flatMap((one) => ('value' in one ? [one.value] : []));
  const failures = settled.flatMap((one) =>
    'error' in one ? [{ host: one.item.name, error: one.error }] : [],
  );
  const stop = await reasonToStop(survey, failures);
  if (stop !== undefined) {
    await Promise.all(answered.map(({ host }) => host.close()));
    throw stop.error;
  }
  return { answered, unreachable: failures as Survey['unreachable'] };
}

/** By host, as far as hosts answered. */
export function observedBy({ answered }: Survey): ReadonlyMap<string, Observed> {
  return new Map(answered.map(({ clusterHost, observed }) => [clusterHost.name, observed]));
}

/** Hosts whose state is not known, with the reason. */
export function notLookedAt({ unreachable }: Survey, skipped: readonly string[]): Plan['unreachable'] {
  return [
    ...unreachable.map(({ host, error }) => ({ host, reason: error.message })),
    ...skipped.map((host) => ({ host, reason: 'it is left out of this run' })),
  ];
}

/** Whether a finding only says that a host was left out: that is meant, and stops nobody. */
export function isMeant({ code, host }: PlanFinding, skipped: readonly string[]): boolean {
  return code === 'host-unreachable' && host !== undefined && skipped.includes(host);
}

/** Only what is about the host itself makes it unreachable; missing inputs, a lock or a defect stop the run. */
async function reasonToStop(
  { inputs }: SurveyInputs,
  failures: readonly { readonly error: unknown }[],
): Promise<{ readonly error: unknown } | undefined> {
  const [ready] = await Promise.allSettled([inputs]);
  if (ready.status === 'rejected') return { error: ready.reason };
  return failures.find(({ error }) => !(error instanceof KbinError) || error.details.step === 'lock');
}

async function open(survey: SurveyInputs, clusterHost: ClusterHost): Promise<Surveyed> {
  const { cluster, operator, now } = survey;
  const say = (text: string) => survey.onStep?.(clusterHost.name, text);
  say('connecting');
  const host = await survey.connect(clusterHost.name);
  try {
    if (operator !== undefined) await lock(host, operator);
    say('looking');
    const inputs = (await survey.inputs)(clusterHost);
    return { clusterHost, host, observed: await look(cluster, clusterHost, host, inputs, now) };
  } catch (error) {
    await host.close();
    throw error;
  }
}

/** A host as it is now, over the connection that is open. */
export async function surveyAgain(
  cluster: Cluster,
  { clusterHost, host }: Surveyed,
  inputs: DesireInputs,
  now: () => number,
): Promise<Surveyed> {
  return { clusterHost, host, observed: await look(cluster, clusterHost, host, inputs, now) };
}

function look(
  cluster: Cluster,
  clusterHost: ClusterHost,
  host: Host,
  inputs: DesireInputs,
  now: () => number,
): Promise<Observed> {
  return probe(host, probeRequestFor(desire(cluster, clusterHost, inputs)), now);
}

/** The hosts of a role without those that are left out of the run. Throws when a name is none of them. */
export function hostsOfRun(cluster: Cluster, role: Role, skip: readonly string[]): readonly ClusterHost[] {
  const hosts = hostsWithRole(cluster, role);
  const unknown = skip.filter((name) => !hosts.some((host) => host.name === name));
  if (unknown.length > 0) {
    throw new KbinError(`--skip-host ${unknown.join(', ')}: no such ${role} host in cluster.yaml`, {
      next: `The ${role} hosts are ${hosts.map(({ name }) => name).join(', ')}.`,
      exit: 2,
    });
  }
  const left = hosts.filter(({ name }) => !skip.includes(name));
  if (left.length === 0 && hosts.length > 0) {
    throw new KbinError(`--skip-host leaves no ${role} host`, {
      why: 'every one of them is to be left out',
      next: 'Leave out only the hosts that do not answer.',
      exit: 2,
    });
  }
  return left;
}

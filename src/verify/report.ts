import type { Plan } from '../diff/changes.ts';
import {
  type Check,
  type ControlPlaneHealth,
  type ControlPlaneStatus,
  type EtcdHealth,
  isHealthy,
  type MemberStatus,
} from '../health/check.ts';
import { notDeployed } from '../health/undeployed.ts';
import { withoutControlPlane } from './only-creates.ts';
import { planChecks } from './plan-checks.ts';

/** What verify found. Table, JSON and JUnit show this and nothing else. */
export interface Report {
  /** What was looked at: `cluster prod`, or the endpoints. */
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Seconds that looking took. */
  readonly seconds: number;
  /** No check failed. Warnings and skipped checks are no failures. */
  readonly healthy: boolean;
  readonly counts: Readonly<Record<Check['status'], number>>;
  readonly sections: readonly Section[];
  readonly members: readonly MemberStatus[];
  /** Of the hosts with the role control-plane; empty where cluster.yaml wants none, or nothing of it is there yet. */
  readonly controlPlane: readonly ControlPlaneStatus[];
  /** Present where the cluster is kbin's own and was compared with cluster.yaml. */
  readonly plan?: Plan;
}

export interface Section {
  /** `plan`, `etcd`, `control-plane`. */
  readonly name: string;
  readonly checks: readonly Check[];
}

export interface Findings {
  readonly subject: string;
  readonly began: Date;
  readonly ended: Date;
  readonly etcd: EtcdHealth;
  readonly plan?: Plan;
  /** Where cluster.yaml wants one; `not-deployed`: nothing of it was ever there. */
  readonly controlPlane?: ControlPlaneHealth | 'not-deployed';
}

/** Pure: an empty plan plus health is a cluster that is what it should be. */
export function report({ subject, began, ended, etcd, plan, controlPlane }: Findings): Report {
  const toCome = controlPlane === 'not-deployed';
  const sections = [
    ...(plan === undefined
      ? []
      : [{ name: 'plan', checks: planChecks(toCome ? withoutControlPlane(plan) : plan) }]),
    { name: 'etcd', checks: etcd.checks },
    ...(controlPlane === undefined
      ? []
      : [{ name: 'control-plane', checks: toCome ? [notDeployed] : controlPlane.checks }]),
  ];
  const all = sections.flatMap(({ checks }) => checks);
  const count = (status: Check['status']) => all.filter((check) => check.status === status).length;
  return {
    subject,
    at: began.toISOString(),
    seconds: (ended.getTime() - began.getTime()) / 1000,
    healthy: isHealthy(all),
    counts: { pass: count('pass'), warn: count('warn'), fail: count('fail'), skip: count('skip') },
    sections,
    members: etcd.members,
    controlPlane: controlPlane === undefined || toCome ? [] : controlPlane.hosts,
    ...(plan === undefined ? {} : { plan }),
  };
}

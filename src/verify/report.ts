import type { Plan } from '../diff/changes.ts';
import { type Check, type EtcdHealth, isHealthy, type MemberStatus } from '../health/check.ts';
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
  /** Present where the cluster is kbin's own and was compared with cluster.yaml. */
  readonly plan?: Plan;
}

export interface Section {
  /** `plan`, `etcd`. */
  readonly name: string;
  readonly checks: readonly Check[];
}

export interface Findings {
  readonly subject: string;
  readonly began: Date;
  readonly ended: Date;
  readonly etcd: EtcdHealth;
  readonly plan?: Plan;
}

/** Pure: an empty plan plus health is a cluster that is what it should be. */
export function report({ subject, began, ended, etcd, plan }: Findings): Report {
  const sections = [
    ...(plan === undefined ? [] : [{ name: 'plan', checks: planChecks(plan) }]),
    { name: 'etcd', checks: etcd.checks },
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
    ...(plan === undefined ? {} : { plan }),
  };
}

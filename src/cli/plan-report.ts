import { type HostPlan, isEmpty, type Plan } from '../diff/changes.ts';
import type { Io } from './io.ts';
import { paint, printTable } from './output.ts';

/** A plan for people: changes by host, diffs if asked for, findings with what to do, and one line that sums up. */
export function printPlan(io: Io, plan: Plan, options: { readonly diff?: boolean } = {}): void {
  const changed = plan.hosts.filter(({ changes }) => changes.length > 0);
  if (changed.length > 0) {
    printTable(
      io,
      ['host', 'action', 'target', 'why'],
      changed.flatMap(({ host, changes }) =>
        changes.map(({ action, target, reason }) => [host, action, target, reason]),
      ),
    );
    io.out('\n');
  }
  if (options.diff === true) for (const hostPlan of changed) printDiffs(io, hostPlan);
  for (const { host, reason, next } of plan.unreachable) {
    io.out(`${paint(io, 'red', 'incomplete')} ${host} could not be looked at: ${reason}\n`);
    if (next !== undefined) io.out(`  next: ${next}\n`);
  }
  for (const { severity, host, message, next, gap } of plan.findings) {
    // Said above already, with the reason.
    if (host !== undefined && plan.unreachable.some((entry) => entry.host === host)) continue;
    const kind = gap?.incomplete === true ? 'incomplete' : severity;
    const word = paint(io, kind === 'warning' ? 'yellow' : 'red', kind);
    io.out(`${word} ${host === undefined ? '' : `${host}: `}${message}\n  next: ${next}\n`);
  }
  if (plan.unreachable.length + plan.findings.length > 0) io.out('\n');
  io.out(`${summary(plan)}\n`);
}

function printDiffs(io: Io, { host, changes }: HostPlan): void {
  for (const { diff } of changes) {
    if (diff !== undefined) io.out(`${paint(io, 'bold', `# ${host}`)}\n${diff}\n`);
  }
}

function summary(plan: Plan): string {
  const looked = new Set(plan.hosts.map(({ host }) => host)).size;
  const silent = plan.unreachable.length;
  if (looked === 0 && silent > 0) return `incomplete: none of ${count(silent, 'host')} answered`;
  const gaps = plan.findings.flatMap(({ gap }) => gap ?? []);
  const lacking = [
    ...(silent > 0 ? [`${count(silent, 'host')} did not answer`] : []),
    ...gaps.filter((gap) => gap.incomplete).map(({ what }) => what),
  ];
  const incomplete = lacking.length > 0 ? `incomplete: ${lacking.join(', ')}; ` : '';
  const stops = plan.findings.filter(({ severity }) => severity === 'stop').length;
  if (isEmpty(plan)) {
    if (stops > silent)
      return `${incomplete}nothing differs on ${count(looked, 'host')}, but a deploy would stop`;
    return gaps.length === 0
      ? `${incomplete}nothing to do: ${count(looked, 'host')} as cluster.yaml wants`
      : [
          `${incomplete}nothing that was compared differs on ${count(looked, 'host')}`,
          ...gaps.filter((gap) => !gap.incomplete).map(({ what }) => what),
        ].join('; ');
  }
  const changes = plan.hosts.reduce((sum, host) => sum + host.changes.length, 0);
  const changedHosts = new Set(plan.hosts.filter((host) => host.changes.length > 0).map(({ host }) => host))
    .size;
  const disrupted = (['start', 'restart'] as const).flatMap((kind) => {
    const number = plan.hosts.filter(({ disruption }) => disruption === kind).length;
    return number === 0 ? [] : [`${count(number, kind)}`];
  });
  return [
    `${incomplete}${count(changes, 'change')} on ${count(changedHosts, 'host')}`,
    ...disrupted,
    ...(stops === 0 ? [] : ['a deploy would stop before the first of them']),
  ].join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

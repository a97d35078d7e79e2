import { type Change, type HostPlan, isEmpty, type Plan, type PlanFinding } from '../diff/changes.ts';
import type { Io } from './io.ts';
import { paint, printTable } from './output.ts';

/** How many hosts are named where the same is to be done on them. */
const named = 3;

/** A plan for people: what changes and where, diffs if asked for, findings with what to do, and one line that sums up. */
export function printPlan(io: Io, plan: Plan, options: { readonly diff?: boolean } = {}): void {
  const rows = [...changeRows(plan), ...objectRows(plan)];
  if (rows.length > 0) {
    printTable(io, ['hosts', 'action', 'target', 'why'], rows);
    io.out('\n');
  }
  if (options.diff === true) {
    printDiffs(io, differences(plan));
    printDiffs(
      io,
      plan.objects.flatMap(({ diff }) => (diff === undefined ? [] : [{ where: kubernetes, diff }])),
    );
  }
  for (const { host, reason, next } of plan.unreachable) {
    io.out(`${paint(io, 'red', 'incomplete')} ${host} could not be looked at: ${reason}\n`);
    if (next !== undefined) io.out(`  next: ${next}\n`);
  }
  for (const finding of plan.findings.filter((one) => !isSaid(one, plan))) {
    const { severity, host, message, next, gap } = finding;
    const kind = gap?.incomplete === true ? 'incomplete' : severity;
    const word = paint(io, kind === 'warning' ? 'yellow' : 'red', kind);
    io.out(`${word} ${host === undefined ? '' : `${host}: `}${message}\n  next: ${next}\n`);
  }
  if (plan.unreachable.length + plan.findings.length > 0) io.out('\n');
  io.out(`${summary(plan)}\n`);
}

/** With the reason, among the hosts that could not be looked at. */
function isSaid({ code, host }: PlanFinding, { unreachable }: Plan): boolean {
  return code === 'host-unreachable' && unreachable.some((entry) => entry.host === host);
}

/** Where objects are, in the place of a host. */
const kubernetes = 'Kubernetes';

/** The same change of many hosts is one row: a first deploy to sixty hosts can still be read. */
function changeRows({ hosts }: Plan): string[][] {
  const rows = new Map<
    string,
    { readonly component: string; readonly change: Change; readonly on: string[] }
  >();
  for (const { host, component, changes } of hosts) {
    for (const change of changes) {
      const key = JSON.stringify([component, change.action, change.target, change.reason]);
      const row = rows.get(key) ?? { component, change, on: [] };
      row.on.push(host);
      rows.set(key, row);
    }
  }
  const order = [...new Set(hosts.map(({ component }) => component))];
  return [...rows.values()]
    .sort((one, other) => order.indexOf(one.component) - order.indexOf(other.component))
    .map(({ component, change: { action, target, reason }, on }) => {
      const all = hosts.filter((plan) => plan.component === component).length;
      return [hostNames(on, all), action, target, reason];
    });
}

function hostNames(names: readonly string[], all: number): string {
  if (names.length <= named) return names.join(', ');
  if (names.length === all) return `all ${all}`;
  return `${names.slice(0, named).join(', ')} and ${names.length - named} more`;
}

function objectRows({ objects }: Plan): string[][] {
  return objects.map(({ action, target, reason }) => [kubernetes, action, target, reason]);
}

interface Difference {
  readonly where: string;
  readonly diff: string;
}

/** Once for all hosts where it is the same. */
function differences({ hosts }: Plan): Difference[] {
  const found = hosts.flatMap(({ host, changes }) =>
    changes.flatMap(({ diff }) => (diff === undefined ? [] : [{ host, diff }])),
  );
  return [...Map.groupBy(found, ({ diff }) => diff)].map(([diff, on]) => ({
    where: hostNames(
      on.map(({ host }) => host),
      new Set(hosts.map(({ host }) => host)).size,
    ),
    diff,
  }));
}

function printDiffs(io: Io, all: readonly Difference[]): void {
  for (const { where, diff } of all) io.out(`${paint(io, 'bold', `# ${where}`)}\n${diff}\n`);
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
  const stops = plan.findings.filter((one) => one.severity === 'stop' && !isSaid(one, plan)).length;
  if (isEmpty(plan)) {
    if (stops > 0) return `${incomplete}nothing differs on ${count(looked, 'host')}, but a deploy would stop`;
    return gaps.length === 0
      ? `${incomplete}nothing to do: ${count(looked, 'host')} as cluster.yaml wants`
      : [
          `${incomplete}nothing that was compared differs on ${count(looked, 'host')}`,
          ...gaps.filter((gap) => !gap.incomplete).map(({ what }) => what),
        ].join('; ');
  }
  return [
    `${incomplete}${[...hostChanges(plan), ...objectChanges(plan)].join(', ')}`,
    ...(stops + silent === 0 ? [] : ['a deploy would stop before the first of them']),
  ].join(', ');
}

function hostChanges({ hosts }: Plan): string[] {
  const changed = hosts.filter(({ changes }) => changes.length > 0);
  if (changed.length === 0) return [];
  const changes = changed.reduce((sum, host) => sum + host.changes.length, 0);
  const names = new Set(changed.map(({ host }) => host));
  return [`${count(changes, 'change')} on ${count(names.size, 'host')}`, ...disruptions(hosts)];
}

/** `restart kube-apiserver on 3 hosts`: what is felt, by component in their order. */
function disruptions(hosts: readonly HostPlan[]): string[] {
  const components = [...new Set(hosts.map(({ component }) => component))];
  return components.flatMap((component) =>
    (['start', 'restart'] as const).flatMap((kind) => {
      const on = hosts.filter((plan) => plan.component === component && plan.disruption === kind).length;
      return on === 0 ? [] : [`${kind} ${component} on ${count(on, 'host')}`];
    }),
  );
}

function objectChanges({ objects }: Plan): string[] {
  return objects.length === 0 ? [] : [`${count(objects.length, 'object')} in Kubernetes`];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

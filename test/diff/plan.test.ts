import { describe, expect, test } from 'vitest';
import { isEmpty, type Plan } from '../../src/diff/changes.ts';
import { diffHost } from '../../src/diff/diff.ts';
import type { EtcdFacts } from '../../src/diff/etcd-membership.ts';
import { planCluster } from '../../src/diff/plan.ts';
import type { Observed } from '../../src/observe/observed.ts';
import { fullStore } from '../desired/store.ts';
import { cluster, factsOf, names, type Situation, type World } from './etcd-situations.ts';
import { made, SimulatedHost } from './simulated-host.ts';

const member: Situation = { data: 'own', marker: 'own', listed: 'started', etcd: 'up' };
const down: Situation = { data: 'own', marker: 'own', listed: 'started' };

const store = fullStore({ key: (id) => ({ ref: `${id}.key`, sha256: made(id) }) });
const planned = (facts: EtcdFacts) => planCluster({ facts, store, binaries: new Map() });
const plan = (world: World) => planned(factsOf(world)).plan;

/** The same world, with every host as it should be; what etcd says stays the same. */
function carriedOut(world: World): EtcdFacts {
  const facts = factsOf(world);
  const observed = planned(facts).sides.map(({ desired, observed: before }): [string, Observed] => {
    const host = new SimulatedHost();
    host.apply(desired, diffHost(desired, host.observe(desired)));
    return [desired.host, { ...host.observe(desired), dataDirectories: before.dataDirectories }];
  });
  return { ...facts, observed: new Map(observed) };
}

const startsOf = ({ hosts }: Plan) =>
  hosts.map(({ changes, disruption }) => {
    const change = changes.find(({ action }) => action === 'start' || action === 'restart');
    return [disruption, change?.reason];
  });

test('a new cluster: every host is started, and why', () => {
  const first = 'is one of the first members of a new cluster';
  expect(startsOf(plan({ hosts: [{}, {}, {}] }))).toEqual([
    ['start', first],
    ['start', first],
    ['start', first],
  ]);
});

test('hosts that must not be touched, or whose turn has not come, are not started', () => {
  const emptied = plan({
    hosts: [member, down, { marker: 'own', listed: 'started' }],
    quorum: false,
    store: 'own',
  });
  expect(startsOf(emptied).map(([disruption]) => disruption)).toEqual(['restart', 'start', 'none']);
  expect(emptied.findings.map(({ code }) => code)).toContain('empty-known-member');
  const waiting = plan({ hosts: [down, down, {}], store: 'own' });
  expect(startsOf(waiting)[2]).toEqual(['none', undefined]);
});

test('an apiserver that the list would shut out of etcd stops what is about etcd', () => {
  const revocations = () => ({ list: 'MAA=', serials: ['5A01'], last: { serial: '5A01', at: new Date() } });
  const told = (serial: string, only?: string[]) =>
    planCluster({
      facts: factsOf({ hosts: [member, member, member], store: 'own' }),
      store: { ...store, revocations },
      binaries: new Map(),
      etcdClients: [{ host: 'm1', serial }],
      ...(only === undefined ? {} : { only }),
    }).plan.findings.map(({ severity, code }) => `${severity} ${code}`);
  expect(told('5A01')).toEqual(['stop client-revoked']);
  expect(told('5A01', ['etcd'])).toEqual(['stop client-revoked']);
  expect(told('5A02')).toEqual([]);
  expect(told('5A01', ['kube-apiserver'])).toEqual([]);
});

describe('the place in the member list', () => {
  const memberChanges = (world: World) =>
    plan(world).hosts.map(({ changes }) =>
      changes.filter(({ kind }) => kind === 'member').map(({ action }) => action),
    );

  test('is a change of the host that joins, or is promoted', () => {
    expect(memberChanges({ hosts: [member, member, {}], store: 'own' })).toEqual([[], [], ['join']]);
    expect(
      memberChanges({ hosts: [member, member, { ...member, listed: 'learner' }], store: 'own' }),
    ).toEqual([[], [], ['promote']]);
  });

  test('is not one of a host that was added already', () => {
    expect(memberChanges({ hosts: [member, member, { listed: 'unstarted' }], store: 'own' })).toEqual([
      [],
      [],
      [],
    ]);
  });
});

test('a cluster on which everything was carried out has an empty plan', () => {
  const facts = carriedOut({ hosts: [member, member, member], store: 'own' });
  const { plan: second, membership } = planned(facts);
  expect(second.hosts.flatMap(({ changes }) => changes)).toEqual([]);
  expect(second.findings).toEqual([]);
  expect(membership.members.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep']);
});

test('a learner keeps the plan from being empty until it votes', () => {
  const facts = carriedOut({ hosts: [member, member, { ...member, listed: 'learner' }], store: 'own' });
  expect(isEmpty(planned(facts).plan)).toBe(false);
});

describe('a member that runs and does not answer', () => {
  const silent: Situation = { ...member, etcd: 'silent' };
  const third = (facts: EtcdFacts) => planned(facts).plan.hosts[2];
  const reason = 'runs and does not answer: refuses connections';

  test('is restarted, and the plan says so', () => {
    const facts = carriedOut({ hosts: [member, member, silent], store: 'own' });
    expect(third(facts)).toEqual({
      host: names[2],
      component: 'etcd',
      changes: [{ kind: 'unit', target: 'etcd.service', action: 'restart', reason }],
      disruption: 'restart',
      onlyToWake: true,
    });
  });

  test('is restarted only if what else changes there does not help', () => {
    const facts = carriedOut({ hosts: [member, member, silent], store: 'own' });
    const host = facts.observed.get(names[2] ?? '');
    const data = host?.paths.get(cluster.paths.etcd.data);
    if (host === undefined || data === undefined) throw new Error('no data directory');
    const paths = new Map(host.paths).set(cluster.paths.etcd.data, { ...data, mode: 0o755 });
    const plan = third({ ...facts, observed: new Map(facts.observed).set(host.host, { ...host, paths }) });
    expect(plan?.changes.map(({ kind, action }) => [kind, action])).toEqual([
      ['directory', 'update'],
      ['unit', 'restart'],
    ]);
    expect(plan?.changes[1]?.reason).toBe(`${reason} (if the other changes do not help)`);
    expect(plan?.onlyToWake).toBe(true);
  });

  test('is restarted in any case where its files change that way', () => {
    const plan = third(factsOf({ hosts: [member, member, silent], store: 'own' }));
    expect(plan?.disruption).toBe('restart');
    expect(plan).not.toHaveProperty('onlyToWake');
    expect(plan?.changes.at(-1)?.reason).toMatch(new RegExp(`; ${reason}$`));
  });

  test('because all of them are starting, as after a power cut, is waited for', () => {
    const waiting: Situation = { ...down, etcd: 'waiting' };
    const { members } = planned(factsOf({ hosts: [waiting, waiting, down], store: 'own' })).membership;
    expect(members.map(({ action, wake }) => [action, wake])).toEqual([
      ['repair', 'start'],
      ['repair', 'start'],
      ['repair', undefined],
    ]);
  });

  test('because it is starting is waited for', () => {
    const facts = carriedOut({ hosts: [member, member, silent], store: 'own' });
    const host = facts.observed.get(names[2] ?? '');
    const unit = host?.units.get('etcd.service');
    if (host === undefined || unit === undefined) throw new Error('no unit');
    const units = new Map([['etcd.service', { ...unit, activeState: 'activating', subState: 'start' }]]);
    const plan = third({ ...facts, observed: new Map(facts.observed).set(host.host, { ...host, units }) });
    expect(plan?.disruption).toBe('start');
    expect(plan?.changes).toMatchObject([
      { action: 'start', reason: 'is starting and does not answer: refuses connections' },
    ]);
  });
});

test('a host that does not answer is named, and not planned for', () => {
  const { hosts, unreachable, findings } = plan({
    hosts: [member, member, { unreachable: true }],
    store: 'own',
  });
  expect(hosts.map(({ host }) => host)).toEqual(names.slice(0, 2));
  expect(unreachable).toEqual([{ host: names[2], reason: 'no route to host' }]);
  expect(findings.map(({ code }) => code)).toEqual(['host-unreachable']);
});

test('is plain data: JSON says all of it', () => {
  const made = plan({ hosts: [{}, { data: 'foreign' }, member] });
  expect(JSON.parse(JSON.stringify(made))).toEqual(made);
});

import { describe, expect, test } from 'vitest';
import { decideMembership } from '../../src/diff/etcd-membership.ts';
import {
  cluster,
  elsewhere,
  factsOf,
  names,
  ownIdentity,
  type Situation,
  type World,
} from './etcd-situations.ts';

const nothing: Situation = {};
const member: Situation = { data: 'own', marker: 'own', listed: 'started', etcd: 'up' };
const down: Situation = { data: 'own', marker: 'own', listed: 'started' };
const newHost: Situation = {};
const away: Situation = { unreachable: true };
/** As a run leaves it that is killed right after it started this host, the cluster having no quorum yet. */
const begun: Situation = { data: 'own', etcd: 'waiting' };

interface Row {
  readonly name: string;
  readonly world: World;
  readonly actions: readonly string[];
  /** `code` for one of the whole cluster, `code@host number`. Warnings have a `?` in front. */
  readonly findings?: readonly string[];
}

const three = (situation: Situation): Situation[] => [situation, situation, situation];

const rows: readonly Row[] = [
  // A new cluster.
  {
    name: 'nothing anywhere',
    world: { hosts: three(nothing) },
    actions: ['bootstrap', 'bootstrap', 'bootstrap'],
  },
  {
    name: 'one host does not answer',
    world: { hosts: [nothing, nothing, away] },
    actions: ['wait', 'wait', 'unreachable'],
    findings: ['host-unreachable@2'],
  },
  {
    name: 'one host has something else in the data directory',
    world: { hosts: [nothing, { data: 'foreign' }, nothing] },
    actions: ['wait', 'stop', 'wait'],
    findings: ['foreign-data@1'],
  },
  {
    name: 'one host has the data of another cluster',
    world: { hosts: [nothing, { data: 'elsewhere' }, nothing] },
    actions: ['wait', 'stop', 'wait'],
    findings: ['unknown-data@1'],
  },
  {
    name: 'one host has a log that cannot be read',
    world: { hosts: [nothing, { data: 'unread' }, nothing] },
    actions: ['wait', 'stop', 'wait'],
    findings: ['unknown-data@1'],
  },

  // A run was cut off while it made the cluster: no marker, no id in the store, and the ids in the logs are ours.
  {
    name: 'one of three was started',
    world: { hosts: [begun, nothing, nothing] },
    actions: ['bootstrap', 'bootstrap', 'bootstrap'],
  },
  {
    name: 'one of three was started and has stopped',
    world: { hosts: [{ data: 'own' }, nothing, nothing] },
    actions: ['bootstrap', 'bootstrap', 'bootstrap'],
  },
  {
    name: 'two of three were started and one of them answers already',
    world: {
      hosts: [
        { data: 'own', listed: 'started', etcd: 'up' },
        { data: 'own', listed: 'started', etcd: 'up' },
        { listed: 'unstarted' },
      ],
    },
    actions: ['keep', 'keep', 'join'],
  },
  {
    name: 'one of three was started, another does not answer',
    world: { hosts: [begun, nothing, away] },
    actions: ['wait', 'wait', 'unreachable'],
    findings: ['host-unreachable@2'],
  },
  {
    name: 'one of three was started, another has foreign files',
    world: { hosts: [begun, { data: 'foreign' }, nothing] },
    actions: ['bootstrap', 'stop', 'wait'],
    findings: ['foreign-data@1'],
  },
  {
    name: 'all were started, none was seen healthy, and they stopped',
    world: { hosts: three({ data: 'own' }) },
    actions: ['bootstrap', 'bootstrap', 'bootstrap'],
  },

  {
    name: 'one answers without a quorum and does not list another that has data',
    world: {
      hosts: [{ data: 'own', listed: 'started', etcd: 'up' }, { data: 'own' }, nothing],
      quorum: false,
    },
    actions: ['keep', 'wait', 'wait'],
  },

  // A running cluster.
  { name: 'all is well', world: { hosts: three(member), store: 'own' }, actions: ['keep', 'keep', 'keep'] },
  {
    name: 'all is well, the store and the markers do not know it yet',
    world: { hosts: three({ data: 'own', listed: 'started', etcd: 'up' }) },
    actions: ['keep', 'keep', 'keep'],
  },
  {
    name: 'one is down',
    world: { hosts: [member, member, down], store: 'own' },
    actions: ['keep', 'keep', 'repair'],
  },
  {
    name: 'one is down and never was marked',
    world: { hosts: [member, member, { data: 'own', listed: 'started' }], store: 'own' },
    actions: ['keep', 'keep', 'repair'],
  },
  {
    name: 'one is down, its log cannot be read',
    world: { hosts: [member, member, { data: 'unread', marker: 'own', listed: 'started' }], store: 'own' },
    actions: ['keep', 'keep', 'repair'],
  },
  {
    name: 'one runs and cannot be asked',
    world: { hosts: [member, member, { ...down, etcd: 'silent' }], store: 'own' },
    actions: ['keep', 'keep', 'repair'],
    findings: ['?member-silent@2'],
  },
  {
    name: 'two are down',
    world: { hosts: [member, down, down], quorum: false, store: 'own' },
    actions: ['keep', 'repair', 'repair'],
  },
  {
    name: 'one host does not answer, its etcd does',
    world: { hosts: [member, member, { ...away, listed: 'started', etcd: 'up' }], store: 'own' },
    actions: ['keep', 'keep', 'unreachable'],
    findings: ['host-unreachable@2'],
  },
  {
    name: 'a new host',
    world: { hosts: [member, member, newHost], store: 'own' },
    actions: ['keep', 'keep', 'join'],
  },
  {
    name: 'a new host while there is no quorum',
    world: { hosts: [member, down, newHost], quorum: false, store: 'own' },
    actions: ['keep', 'repair', 'wait'],
  },
  {
    name: 'a new host that was added and not started',
    world: { hosts: [member, member, { listed: 'unstarted' }], store: 'own' },
    actions: ['keep', 'keep', 'join'],
  },
  {
    name: 'added and not started, and so without a quorum',
    world: { hosts: [member, { listed: 'unstarted' }, nothing], quorum: false },
    actions: ['keep', 'join', 'wait'],
  },
  {
    name: 'a learner that has caught up',
    world: { hosts: [member, member, { data: 'own', listed: 'learner', etcd: 'up' }], store: 'own' },
    actions: ['keep', 'keep', 'promote'],
  },
  {
    name: 'a learner that is down',
    world: { hosts: [member, member, { data: 'own', listed: 'learner' }], store: 'own' },
    actions: ['keep', 'keep', 'repair'],
  },
  {
    name: 'removed as the advice has it, its marker still there',
    world: { hosts: [member, member, { marker: 'own' }], store: 'own' },
    actions: ['keep', 'keep', 'join'],
  },

  // What must never be started.
  {
    name: 'a member whose data directory is empty',
    world: { hosts: [member, member, { listed: 'started' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'the same, with kbin’s marker',
    world: { hosts: [member, member, { listed: 'started', marker: 'own' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'the same, while nobody answers',
    world: { hosts: [down, down, { marker: 'own' }], store: 'own' },
    actions: ['repair', 'repair', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'the same, listed without a quorum',
    world: { hosts: [member, down, { listed: 'started' }], quorum: false, store: 'own' },
    actions: ['keep', 'repair', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'the marker of a member that is not listed, without a quorum to prove it',
    world: { hosts: [member, down, { marker: 'former' }], quorum: false, store: 'own' },
    actions: ['keep', 'repair', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'listed as never started, though the marker says it was',
    world: { hosts: [member, member, { listed: 'unstarted', marker: 'own' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'a learner whose data is gone',
    world: { hosts: [member, member, { listed: 'learner' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['empty-known-member@2'],
  },
  {
    name: 'data of another cluster beside a running one',
    world: { hosts: [member, member, { data: 'elsewhere' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['other-cluster@2'],
  },
  {
    name: 'data of a member that was removed',
    world: { hosts: [member, member, { data: 'own', marker: 'own' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['removed-member@2'],
  },
  {
    name: 'data that nobody can read, of nobody that is listed',
    world: { hosts: [member, member, { data: 'unread' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['removed-member@2'],
  },
  {
    name: 'the data was exchanged under the marker',
    world: { hosts: [member, member, { data: 'own', marker: 'elsewhere', listed: 'started' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['other-member@2'],
  },
  {
    name: 'the marker has another name',
    world: {
      hosts: [member, member, { data: 'own', marker: 'other-name', listed: 'started' }],
      store: 'own',
    },
    actions: ['keep', 'keep', 'stop'],
    findings: ['other-member@2'],
  },
  {
    name: 'somebody else has set it up under another name: its log and its address say that it is the one',
    world: { hosts: [member, member, { data: 'own', listed: 'renamed', etcd: 'up' }], store: 'own' },
    actions: ['keep', 'keep', 'keep'],
    findings: ['?member-renamed@2'],
  },
  {
    name: 'etcd has another name for what kbin put there',
    world: {
      hosts: [member, member, { data: 'own', marker: 'own', listed: 'renamed', etcd: 'up' }],
      store: 'own',
    },
    actions: ['keep', 'keep', 'stop'],
    findings: ['other-member@2'],
  },
  {
    name: 'etcd has another name for it, and nobody can say whose its data is',
    world: { hosts: [member, member, { data: 'unread', listed: 'renamed', etcd: 'up' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['other-member@2'],
  },
  {
    name: 'its address in cluster.yaml was changed',
    world: { hosts: [member, member, { data: 'own', listed: 'moved', etcd: 'up' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['address-changed@2'],
  },
  {
    name: 'foreign files beside a running cluster',
    world: { hosts: [member, member, { data: 'foreign' }], store: 'own' },
    actions: ['keep', 'keep', 'stop'],
    findings: ['foreign-data@2'],
  },
  {
    name: 'the running cluster is not the store’s',
    world: { hosts: three(member), store: 'elsewhere' },
    actions: ['stop', 'stop', 'stop'],
    findings: ['other-cluster'],
  },
  {
    name: 'two clusters answer',
    world: { hosts: [member, member, { data: 'elsewhere', etcd: 'up', answersAs: elsewhere.clusterId }] },
    actions: ['stop', 'stop', 'stop'],
    findings: ['several-clusters@0', 'several-clusters@1', 'several-clusters@2'],
  },

  // Nobody answers.
  {
    name: 'all are down',
    world: { hosts: three(down), store: 'own' },
    actions: ['repair', 'repair', 'repair'],
  },
  {
    name: 'all are down, only the store remembers',
    world: { hosts: three({ data: 'own' }), store: 'own' },
    actions: ['repair', 'repair', 'repair'],
  },
  {
    name: 'all are down, only markers remember',
    world: { hosts: three({ data: 'own', marker: 'own' }) },
    actions: ['repair', 'repair', 'repair'],
  },
  {
    name: 'all run, none can be asked',
    world: { hosts: three({ ...down, etcd: 'silent' }), store: 'own' },
    actions: ['stop', 'stop', 'stop'],
    findings: ['etcd-silent'],
  },
  {
    name: 'two down, a third without data or marker',
    world: { hosts: [down, down, nothing], store: 'own' },
    actions: ['repair', 'repair', 'wait'],
  },
  {
    name: 'one down, two replaced by new machines',
    world: {
      hosts: [
        { ...down, conf: 'ETCD_INITIAL_CLUSTER="a=https://1:2380,b=https://2:2380,c=https://3:2380"\n' },
        nothing,
        nothing,
      ],
      store: 'own',
    },
    actions: ['repair', 'stop', 'stop'],
    findings: ['no-quorum'],
  },
  {
    name: 'a single member is down, two hosts are new in cluster.yaml',
    world: {
      hosts: [{ ...down, conf: 'ETCD_INITIAL_CLUSTER="a=https://1:2380"\n' }, nothing, nothing],
      store: 'own',
    },
    actions: ['repair', 'wait', 'wait'],
  },
  {
    name: 'one down, one emptied, one does not answer',
    world: { hosts: [down, { marker: 'own' }, away], store: 'own' },
    actions: ['repair', 'stop', 'unreachable'],
    findings: ['empty-known-member@1', 'host-unreachable@2'],
  },
  {
    name: 'all data is of another cluster than the store’s',
    world: { hosts: three({ data: 'own' }), store: 'elsewhere' },
    actions: ['stop', 'stop', 'stop'],
    findings: ['other-cluster@0', 'other-cluster@1', 'other-cluster@2'],
  },
  {
    name: 'one of another cluster than the others',
    world: { hosts: [{ data: 'own', marker: 'own' }, { data: 'own', marker: 'own' }, { data: 'elsewhere' }] },
    actions: ['repair', 'repair', 'stop'],
    findings: ['other-cluster@2'],
  },
  {
    name: 'the cluster existed, all data is gone',
    world: { hosts: three(nothing), store: 'own' },
    actions: ['stop', 'stop', 'stop'],
    findings: ['cluster-lost'],
  },
  {
    name: 'one marker is left of it',
    world: { hosts: [{ marker: 'own' }, nothing, nothing] },
    actions: ['stop', 'stop', 'stop'],
    findings: ['cluster-lost'],
  },
  {
    name: 'all data is lost and every marker is there: nobody is left to take members out of the cluster',
    world: { hosts: [{ marker: 'own' }, { marker: 'own' }, { marker: 'own' }] },
    actions: ['stop', 'stop', 'stop'],
    findings: ['cluster-lost'],
  },
];

function findingsOf(world: World): string[] {
  return decideMembership(factsOf(world)).findings.map(({ severity, code, host }) => {
    const where = host === undefined ? '' : `@${names.indexOf(host)}`;
    return `${severity === 'warning' ? '?' : ''}${code}${where}`;
  });
}

describe('what is done with each host', () => {
  test.each(rows)('$name', ({ world, actions, findings = [] }) => {
    const { members } = decideMembership(factsOf(world));
    expect(members.map(({ action }) => action)).toEqual(actions);
    expect(findingsOf(world).sort()).toEqual([...findings].sort());
  });
});

describe('a joining member', () => {
  const joiner = (third: Situation, more: Partial<World> = {}) =>
    decideMembership(factsOf({ hosts: [member, member, third], store: 'own', ...more })).members[2];
  const urls = cluster.hosts.map(({ name, address }) => `${name}=https://${address}:2380`);

  test('is told the live membership and itself', () => {
    expect(joiner(newHost)).toMatchObject({
      action: 'join',
      joining: { kind: 'existing', initialCluster: urls.join(',') },
    });
  });

  test('learns of members that cluster.yaml does not have', () => {
    const stranger = {
      id: 'abc',
      name: 'stranger',
      peerUrls: ['https://10.9.9.9:2380'],
      clientUrls: ['x'],
      isLearner: false,
    };
    const unnamed = { ...stranger, id: 'abd', name: '', peerUrls: ['https://10.9.9.8:2380'], clientUrls: [] };
    const joining = joiner(newHost, { unlisted: [stranger, unnamed] })?.joining;
    const [one, two, self] = urls;
    const others = 'stranger=https://10.9.9.9:2380,abd=https://10.9.9.8:2380';
    expect(joining).toEqual({ kind: 'existing', initialCluster: `${one},${two},${others},${self}` });
  });

  test('that a former run had added is not added again', () => {
    expect(joiner({ listed: 'unstarted' })).toMatchObject({ action: 'join', added: true });
    expect(joiner(newHost)).not.toHaveProperty('added');
  });

  test('with the marker of a removed member has to lose it first', () => {
    expect(joiner({ marker: 'former' })).toMatchObject({ action: 'join', staleMarker: true });
    expect(joiner({ marker: 'former', listed: 'unstarted' })).toMatchObject({
      added: true,
      staleMarker: true,
    });
    expect(joiner(newHost)).not.toHaveProperty('staleMarker');
  });

  test('that is one of the first members begins as they did', () => {
    expect(joiner({ listed: 'unstarted' })?.joining).toEqual({ kind: 'new' });
  });
});

describe('advice follows why members do not answer', () => {
  const silent = (code: string, hosts: readonly Situation[]) => {
    const facts = factsOf({ hosts, store: 'own' });
    const failure = { code, message: `message of ${code}`, next: `next of ${code}` };
    const readings = facts.readings.map((reading) =>
      reading.status === undefined ? { ...reading, failure } : reading,
    );
    return decideMembership({ ...facts, readings }).findings;
  };
  const running = { ...down, etcd: 'silent' } as const;

  test.each([
    ['no-answer', 'journalctl -u etcd'],
    ['out-of-reach', 'next of out-of-reach'],
    ['wrong-ca', 'put the pki folder back'],
    ['foreign-client', 'put the pki folder back'],
    ['server-certificate-expired', 'next of server-certificate-expired'],
  ])('all of them: %s', (code, advice) => {
    expect(silent(code, three(running))).toEqual([
      {
        severity: 'stop',
        code: 'etcd-silent',
        message: `etcd runs on ${names.join(', ')}, but no member answered kbin: message of ${code}`,
        next: expect.stringContaining(advice),
      },
    ]);
  });

  test.each([
    ['no-answer', 'a deploy restarts it, if the other members alone are a quorum'],
    ['wrong-ca', 'next of wrong-ca'],
  ])('one of them: %s', (code, advice) => {
    expect(silent(code, [member, member, running])).toMatchObject([
      { severity: 'warning', code: 'member-silent', host: names[2], next: expect.stringContaining(advice) },
    ]);
  });
});

describe('a member that runs and does not answer', () => {
  const world = (code: string, etcd: 'silent' | 'waiting' = 'silent') => {
    const facts = factsOf({ hosts: [member, member, { ...down, etcd }], store: 'own' });
    const failure = { code, message: `message of ${code}`, next: `next of ${code}` };
    const readings = facts.readings.map((reading) =>
      reading.status === undefined ? { ...reading, failure } : reading,
    );
    return decideMembership({ ...facts, readings });
  };

  test.each(['no-answer', 'refused', 'connection-lost', 'unknown'])('%s: is restarted', (code) => {
    expect(world(code).members[2]).toMatchObject({
      action: 'repair',
      wake: 'restart',
      reason: `runs and does not answer: message of ${code}`,
    });
  });

  test.each(['server-key-unusable', 'wrong-ca', 'auth-enabled', 'too-many-requests'])(
    '%s: a restart would not help, and could take a voter away',
    (code) => {
      const { members, findings } = world(code);
      expect(members[2]).toMatchObject({ action: 'repair' });
      expect(members[2]).not.toHaveProperty('wake');
      expect(findings).toMatchObject([{ severity: 'warning', code: 'member-silent' }]);
    },
  );

  test.each(['out-of-reach', 'ssh'])('%s: nothing is known of it, and it is left alone', (code) => {
    const { members, findings } = world(code);
    expect(members[2]?.action).toBe('stop');
    expect(findings).toMatchObject([
      {
        severity: 'stop',
        host: names[2],
        code: 'member-out-of-reach',
        message: expect.stringContaining('left alone'),
        next: `next of ${code}`,
      },
    ]);
  });

  test('because it is still starting: is waited for', () => {
    expect(world('refused', 'waiting').members[2]).toMatchObject({ action: 'repair', wake: 'start' });
  });
});

test('a member that only SSH gets to is well, and the closed port is told', () => {
  const facts = factsOf({ hosts: three(member), store: 'own' });
  const readings = facts.readings.map((reading, index) =>
    index === 1 ? { ...reading, detour: 'packets are dropped' } : reading,
  );
  const { members, findings } = decideMembership({ ...facts, readings });
  expect(members.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep']);
  expect(findings).toEqual([
    {
      severity: 'warning',
      host: names[1],
      code: 'port-closed',
      message:
        'port 2379 is closed to this machine (packets are dropped): its etcd was asked through SSH, and answers',
      next: 'set `etcd: {reach: ssh}`, or open the port to this machine',
    },
  ]);
});

test('the peer port of a running cluster is not changed, and that is said once', () => {
  const facts = factsOf({ hosts: three(member), store: 'own' });
  const changed = { ...cluster, etcd: { ...cluster.etcd, peerPort: 12380 } };
  const { members, findings } = decideMembership({ ...facts, cluster: changed });
  expect(members.map(({ action }) => action)).toEqual(['stop', 'stop', 'stop']);
  expect(findings).toEqual([
    {
      severity: 'stop',
      code: 'peer-port-changed',
      message:
        'cluster.yaml has `etcd.peerPort: 12380`, the members of the running cluster know each other at port 2380',
      next: 'set it back to 2380: kbin does not move the peer port of a running cluster',
    },
  ]);
});

test('a bootstrap that was cut off before the hosts of cluster.yaml were changed is told how it goes on', () => {
  const facts = factsOf({ hosts: three({ data: 'own' }) });
  const changed = { ...cluster, etcd: { ...cluster.etcd, token: 'another' } };
  const { findings } = decideMembership({ ...facts, cluster: changed });
  expect(new Set(findings.map(({ code }) => code))).toEqual(new Set(['unknown-data']));
  expect(findings[0]?.next).toMatch(
    /first `kbin etcd deploy` that was cut off .* change them back and deploy/,
  );
});

test('without a client key etcd is not asked, and what runs is left as it is', () => {
  const facts = {
    ...factsOf({ hosts: [member, { ...down, etcd: 'silent' }, down], store: 'own' }),
    readings: [],
  };
  const { members, findings } = decideMembership(facts);
  expect(members.map(({ action }) => action)).toEqual(['keep', 'keep', 'repair']);
  expect(findings).toEqual([]);
});

test('a member with data keeps the lines it joined with', () => {
  const conf =
    'ETCD_NAME="x"\nETCD_INITIAL_CLUSTER="a=https://1:2380"\nETCD_INITIAL_CLUSTER_STATE="existing"\n';
  const { members } = decideMembership(factsOf({ hosts: [{ ...member, conf }, down, member] }));
  expect(members.map(({ joining }) => joining)).toEqual([
    {
      kind: 'kept',
      lines: ['ETCD_INITIAL_CLUSTER="a=https://1:2380"', 'ETCD_INITIAL_CLUSTER_STATE="existing"'],
    },
    { kind: 'kept', lines: [] },
    { kind: 'kept', lines: [] },
  ]);
});

test('a member that cluster.yaml does not have is told, and left alone', () => {
  const stranger = {
    id: 'abc',
    name: 'old4',
    peerUrls: ['https://10.9.9.9:2380'],
    clientUrls: ['x'],
    isLearner: false,
  };
  const { findings, members } = decideMembership(factsOf({ hosts: three(member), unlisted: [stranger] }));
  expect(members.map(({ action }) => action)).toEqual(['keep', 'keep', 'keep']);
  expect(findings).toEqual([
    {
      severity: 'warning',
      code: 'unlisted-member',
      message: 'member old4 (https://10.9.9.9:2380) of the running cluster is not in cluster.yaml',
      next: expect.stringContaining('etcdctl member remove abc'),
    },
  ]);
});

test('what is to be done is said where something stops', () => {
  const { findings } = decideMembership(
    factsOf({ hosts: [member, member, { listed: 'started' }], store: 'own' }),
  );
  expect(findings).toEqual([
    {
      severity: 'stop',
      host: names[2],
      code: 'empty-known-member',
      message: `/var/lib/etcd holds no member’s log, but the cluster has it as member ${ownIdentity(names[2] ?? '').memberId}; started like this it would come back with a blank one`,
      next: expect.stringMatching(/bring it back.*etcdctl member remove .*kbin etcd deploy.*learner/),
    },
  ]);
});

test('without a quorum nobody is told to take a member out of the cluster', () => {
  const alone = decideMembership(
    factsOf({ hosts: [member, { listed: 'started' }, { listed: 'started' }], quorum: false, store: 'own' }),
  );
  const lost = alone.findings.filter(({ code }) => code === 'empty-known-member');
  expect(lost.map(({ host }) => host)).toEqual(names.slice(1, 3));
  for (const { next } of lost) {
    expect(next).toContain('restore the cluster from a snapshot');
    expect(next).not.toContain('member remove');
  }
});

describe('every combination', () => {
  const data = [undefined, 'own', 'elsewhere', 'foreign', 'unread'] as const;
  const listed = [undefined, 'started', 'unstarted', 'learner'] as const;
  const marker = [undefined, 'own', 'elsewhere', 'former'] as const;
  const etcd = [undefined, 'up', 'silent', 'waiting'] as const;
  const situations: Situation[] = [
    away,
    ...data.flatMap((d) =>
      listed.flatMap((l) =>
        marker.flatMap((m) =>
          etcd
            // An etcd that runs has data, and one that answers is somebody's member.
            .filter(
              (e) => e === undefined || (d === 'own' && (e !== 'up' || l === 'started' || l === 'learner')),
            )
            .map((e) =>
              Object.fromEntries(
                Object.entries({ data: d, listed: l, marker: m, etcd: e }).filter(([, v]) => v !== undefined),
              ),
            ),
        ),
      ),
    ),
  ];
  const others = [
    nothing,
    member,
    down,
    begun,
    away,
    { data: 'elsewhere' } as const,
    { marker: 'own' } as const,
  ];
  const worlds = situations.flatMap((first) =>
    others.flatMap((second) =>
      others.flatMap((third) =>
        [true, false].flatMap((quorum) =>
          ([undefined, 'own', 'elsewhere'] as const).map(
            (store): World => ({
              hosts: [first, second, third],
              quorum,
              ...(store === undefined ? {} : { store }),
            }),
          ),
        ),
      ),
    ),
  );

  test(`of ${worlds.length} keeps the rules`, () => {
    for (const world of worlds) {
      const facts = factsOf(world);
      const decided = decideMembership(facts);
      const live = decided.live;
      const context = JSON.stringify(world);
      decided.members.forEach(({ action, host, added }, index) => {
        const situation = world.hosts[index] as Situation;
        const starts = ['bootstrap', 'join', 'repair'].includes(action);
        // Nothing is known of a host that does not answer, and nothing is done to it.
        if ((situation.unreachable === true) !== (action === 'unreachable'))
          throw new Error(`unreachable: ${context}`);
        // Only data that is this cluster's is ever started.
        const ours =
          situation.data === 'elsewhere' &&
          (world.store === 'elsewhere' || world.hosts.some(({ marker: m }) => m === 'elsewhere'));
        if (starts && !ours && (situation.data === 'elsewhere' || situation.data === 'foreign'))
          throw new Error(`foreign: ${context}`);
        // A member that has run is never started on an empty directory.
        const known = situation.listed === 'started' || situation.listed === 'learner';
        if (starts && situation.data === undefined && live !== undefined && known)
          throw new Error(`blank: ${context}`);
        if (
          starts &&
          situation.data === undefined &&
          situation.marker !== undefined &&
          live?.quorum !== true &&
          added !== true
        ) {
          throw new Error(`marked: ${context}`);
        }
        // A new cluster: nobody answers for an old one, every host was looked at, and nothing remembers one.
        if (action === 'bootstrap') {
          const remembered =
            world.store !== undefined || world.hosts.some(({ marker: m }) => m !== undefined);
          if (live !== undefined || remembered || world.hosts.includes(away))
            throw new Error(`bootstrap: ${context}`);
        }
        // Somebody new only joins what can agree on it.
        if (action === 'join' && added !== true && live?.quorum !== true) throw new Error(`join: ${context}`);
        // Whatever stops is explained.
        const explained = decided.findings.some(
          ({ host: of, severity }) => severity === 'stop' && (of === host || of === undefined),
        );
        if (action === 'stop' && !explained) throw new Error(`unexplained: ${context}`);
      });
    }
    expect(worlds.length).toBeGreaterThan(20_000);
  }, 60_000);
});

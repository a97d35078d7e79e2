import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { EtcdHealth } from '../../src/health/check.ts';
import { etcdHealth, type HealthOptions } from '../../src/health/etcd.ts';
import type { EtcdCredentials, EtcdTarget } from '../../src/health/target.ts';
import { Authority } from './authority.ts';
import { findings } from './findings.ts';
import { type LocalEtcd, startEtcd } from './local-etcd.ts';

// Elections take seconds, and other tests may run on the same two cores.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let etcd: LocalEtcd;
let credentials: EtcdCredentials;

beforeAll(async () => {
  etcd = await startEtcd();
  credentials = await etcd.credentials();
});
afterAll(() => etcd[Symbol.asyncDispose]());

function look(
  options: HealthOptions & { targets?: readonly EtcdTarget[]; credentials?: EtcdCredentials } = {},
): Promise<EtcdHealth> {
  return etcdHealth(options.targets ?? etcd.targets, options.credentials ?? credentials, {
    deadlineMs: 3000,
    ...options,
  });
}

async function canaries(): Promise<string> {
  return etcd.etcdctl(['get', '--prefix', '/kbin/', '--keys-only']);
}

describe('a healthy cluster, whose certificates are for its IP address alone', () => {
  test('has every check passed and nothing to remark', async () => {
    const health = await look();
    expect(health.checks.map(({ status }) => status)).toEqual(health.checks.map(() => 'pass'));
    expect([...new Set(health.checks.map(({ id }) => id))]).toEqual([
      'member-reachable',
      'one-cluster',
      'leader-agreed',
      'quorum',
      'membership',
      'members-covered',
      'quorum-write',
      'quorum-read',
      'alarms',
      'versions',
      'raft-lag',
      'database-size',
      'served-certificate',
      'client-authentication',
      'peer-certificate',
      'peer-authentication',
    ]);
  });

  test('tells of each member what etcdctl tells', async () => {
    const health = await look();
    const statuses = JSON.parse(
      await etcd.etcdctl(['endpoint', 'status', '-w', 'json'], etcd.targets.map((t) => t.endpoint).join(',')),
    ) as { Endpoint: string; Status: { header: Record<string, unknown>; leader: unknown; dbSize: number } }[];
    expect(health.members.map(({ role }) => role).sort()).toEqual(['follower', 'follower', 'leader']);
    const names = health.members.map(({ name }) => name);
    expect(names).toEqual(['n1', 'n2', 'n3']);
    for (const member of health.members) {
      const status = statuses.find(({ Endpoint }) => Endpoint === member.endpoint)?.Status;
      expect(member).toMatchObject({
        reachable: true,
        version: '3.5.16',
        dbSize: status?.dbSize,
        quota: 2 * 1024 ** 3,
        alarms: [],
        certificateDays: 364,
      });
    }
    const list = await etcd.etcdctl(['member', 'list', '-w', 'simple']);
    for (const member of health.members)
      expect(list).toContain(`${member.memberId}, started, ${member.name}`);
  });

  test('is left as it was: no canary stays', async () => {
    await look();
    expect(await canaries()).toBe('');
  });

  test('is asked at its own member by each client', async () => {
    const { members } = await look();
    expect(new Set(members.map(({ memberId }) => memberId)).size).toBe(3);
  });
});

describe('members that do not answer', () => {
  test.each(['a follower', 'the leader'])('%s is frozen: a finding, not a hang', async (which) => {
    const { members } = await look();
    const index = members.findIndex(({ role }) => role === (which === 'the leader' ? 'leader' : 'follower'));
    const member = etcd.member(index);
    member.freeze();
    try {
      await expect
        .poll(() => look({ deadlineMs: 1500 }).then(findings), { timeout: 60_000 })
        .toEqual([
          `fail member-reachable ${member.name}: does not answer (no answer after 1500 ms)`,
          'warn quorum: 2 of 3 voting members healthy, quorum is 2: the loss of one more stops all writes',
        ]);
    } finally {
      member.thaw();
      await etcd.healthy();
    }
    expect(await canaries()).toBe('');
  });

  test('a stopped one refuses connections', async () => {
    await etcd.member(2).stop('SIGTERM');
    try {
      expect(findings(await look())).toEqual([
        'fail member-reachable n3: refuses connections: nothing listens there',
        'warn quorum: 2 of 3 voting members healthy, quorum is 2: the loss of one more stops all writes',
      ]);
    } finally {
      await etcd.member(2).start();
      await etcd.healthy();
    }
  });

  test('two of three stopped: no quorum, and the one that is left says so', async () => {
    await Promise.all([1, 2].map((index) => etcd.member(index).stop()));
    try {
      await expect
        .poll(() => look({ deadlineMs: 1500 }).then(findings), { timeout: 60_000 })
        .toEqual([
          'fail member-reachable n2: refuses connections: nothing listens there',
          'fail member-reachable n3: refuses connections: nothing listens there',
          'fail leader-agreed: no leader: n1 answers but cannot elect one',
          'fail quorum: 0 of 3 voting members healthy, quorum is 2: nothing can be written',
          expect.stringMatching(/^fail quorum-write: no member could write: has no quorum behind it/),
        ]);
    } finally {
      await Promise.all([1, 2].map((index) => etcd.member(index).start()));
      await etcd.healthy();
    }
  });

  test('nobody answers at all', async () => {
    const targets = [{ name: 'gone', endpoint: 'https://127.0.0.1:1' }];
    expect(findings(await look({ targets }))).toEqual([
      'fail member-reachable gone: refuses connections: nothing listens there',
      'fail quorum-write: no member could write: refuses connections: nothing listens there',
    ]);
  });
});

describe('certificates', () => {
  let other: Authority;
  beforeAll(async () => {
    other = await Authority.create(`${etcd.folder}/other`, 'other-ca');
    await other.issue('client');
  });
  const first = () => etcd.targets.slice(0, 1);
  const failed = (health: EtcdHealth) => findings(health).filter((text) => text.startsWith('fail'));

  /** Has the servers serve another certificate; etcd reads it at the next handshake. */
  async function serve(leaf: { sans?: string; from?: number; to?: number }): Promise<void> {
    const sans = 'IP:127.0.0.1';
    await etcd.authority.issue('server', { sans, ...leaf });
    onTestFinished(async () => {
      await etcd.authority.issue('server', { sans });
    });
  }

  test('the given CA is another one', async () => {
    const ca = await other.read('ca.crt');
    expect(failed(await look({ targets: first(), credentials: { ...credentials, ca } }))).toEqual([
      'fail member-reachable n1: serves a certificate that does not come from the given CA',
      'fail quorum-write: no member could write: serves a certificate that does not come from the given CA',
      expect.stringMatching(
        /^fail served-certificate n1: serves a certificate that does not come from the given CA; it is CN=server from CN=etcd-ca, valid from/,
      ),
    ]);
  });

  test('no client certificate is given', async () => {
    const { ca } = credentials;
    expect(failed(await look({ targets: first(), credentials: ca === undefined ? {} : { ca } }))[0]).toBe(
      'fail member-reachable n1: demands a client certificate and was shown none',
    );
  });

  test('the client certificate comes from another CA', async () => {
    const foreign = { ...(await etcd.credentials('client', other)), ca: credentials.ca ?? '' };
    expect(failed(await look({ targets: first(), credentials: foreign }))[0]).toBe(
      'fail member-reachable n1: does not accept the client certificate: its CA is not the one this member trusts',
    );
  });

  test('the client certificate has expired', async () => {
    await etcd.authority.issue('old-client', { from: -30, to: -1 });
    const old = await etcd.credentials('old-client');
    expect(failed(await look({ targets: first(), credentials: old }))[0]).toMatch(
      /^fail member-reachable n1: does not accept the client certificate: it has expired/,
    );
  });

  test('the key does not belong to the certificate', async () => {
    const mixed = { ...credentials, key: (await etcd.credentials('client', other)).key ?? '' };
    expect(failed(await look({ targets: first(), credentials: mixed }))[0]).toMatch(
      /^fail member-reachable n1: the given certificate, key or CA cannot be used/,
    );
  });

  test('the server certificate has expired', async () => {
    await serve({ from: -30, to: -1 });
    expect(failed(await look({ targets: first() }))).toEqual([
      'fail member-reachable n1: serves a certificate that has expired',
      'fail quorum-write: no member could write: serves a certificate that has expired',
      expect.stringMatching(
        /^fail served-certificate n1: serves a certificate that has expired; it is CN=server/,
      ),
    ]);
  });

  test('the server certificate is not valid yet', async () => {
    await serve({ from: 10, to: 30 });
    expect(failed(await look({ targets: first() }))[0]).toBe(
      'fail member-reachable n1: serves a certificate that is not valid yet',
    );
  });

  test('the server certificate is for another address', async () => {
    await serve({ sans: 'IP:10.9.8.7,DNS:etcd.example.org' });
    const why = "(IP: 127.0.0.1 is not in the cert's list: 10.9.8.7)";
    expect(failed(await look({ targets: first() }))).toEqual([
      `fail member-reachable n1: serves a certificate that is not for the address used to reach it ${why}`,
      expect.stringMatching(/^fail quorum-write/),
      expect.stringContaining(
        `fail served-certificate n1: serves a certificate that is not for the address used to reach it ${why}`,
      ),
    ]);
  });

  test('a name in place of the address is checked too', async () => {
    const targets = first().map(({ name, endpoint }) => ({
      name,
      endpoint: endpoint.replace('127.0.0.1', 'localhost'),
    }));
    expect(failed(await look({ targets }))[0]).toMatch(
      /^fail member-reachable n1: serves a certificate that is not for the address used to reach it/,
    );
    await serve({ sans: 'DNS:localhost' });
    expect(failed(await look({ targets })).join()).not.toMatch(/reachable|certificate/);
  });

  test('the server certificate ends within a month', async () => {
    await serve({ to: 20 });
    expect(findings(await look())).toEqual(
      ['n1', 'n2', 'n3'].map((name) =>
        expect.stringMatching(`^warn served-certificate ${name}: 19 days left`),
      ),
    );
  });
});

describe('endpoints and expectations', () => {
  test('two endpoints lead to one member', async () => {
    const endpoint = etcd.member(0).endpoint;
    const targets = [...etcd.targets.slice(0, 2), { name: 'again', endpoint }];
    expect(findings(await look({ targets }))).toContain(
      `fail membership: n1 (${endpoint}) and again (${endpoint}) are one and the same member`,
    );
  });

  test('a member without an endpoint is told of', async () => {
    const found = findings(await look({ targets: etcd.targets.slice(0, 2) }));
    expect(found).toEqual([
      'warn quorum: 2 of 3 voting members healthy, quorum is 2: the loss of one more stops all writes',
      `warn members-covered: member n3 (${etcd.member(2).endpoint}) has no endpoint here, so nothing is known of it`,
    ]);
  });

  test('the number of members is not the expected one', async () => {
    expect(findings(await look({ expectMembers: 5 }))).toEqual([
      'fail membership: the cluster has 3 members, expected 5',
    ]);
  });

  test('cluster.yaml agrees, or each difference is named', async () => {
    const expected = etcd.members.map(({ name, endpoint, peerUrl }) => ({
      name,
      endpoint,
      expected: { name, peerUrls: [peerUrl], clientUrls: [endpoint] },
    }));
    expect(findings(await look({ targets: expected }))).toEqual([]);
    const [first, second, third] = expected;
    if (!first || !second || !third) throw new Error('three targets');
    const targets = [
      { ...first, expected: { ...first.expected, peerUrls: ['https://10.0.0.1:2380'] } },
      { ...second, endpoint: third.endpoint },
      { ...third, expected: { ...third.expected, name: 'node3' }, endpoint: second.endpoint },
    ];
    expect(findings(await look({ targets })).filter((text) => text.includes('membership'))).toEqual([
      `fail membership n1: advertises peer URLs ${etcd.member(0).peerUrl}; cluster.yaml says https://10.0.0.1:2380`,
      `fail membership n2: ${third.endpoint} is answered by member n3`,
      'fail membership n3: is called n3 in etcd; cluster.yaml says node3',
      `fail membership n3: ${second.endpoint} is answered by member n2`,
    ]);
    const elsewhere = {
      name: 'node3',
      peerUrls: ['https://10.0.0.3:2380'],
      clientUrls: ['https://10.0.0.3:2379'],
    };
    expect(findings(await look({ targets: [first, second, { ...third, expected: elsewhere }] }))).toContain(
      'fail membership n3: is not a member of the cluster',
    );
  });

  test('a member that cluster.yaml does not know', async () => {
    const expected = etcd.members.slice(0, 2).map(({ name, endpoint, peerUrl }) => ({
      name,
      endpoint,
      expected: { name, peerUrls: [peerUrl], clientUrls: [endpoint] },
    }));
    expect(findings(await look({ targets: expected }))).toContain(
      `fail membership: n3 (${etcd.member(2).peerUrl}) is a member, but not in cluster.yaml`,
    );
  });

  test('plain http asked of a TLS listener', async () => {
    const targets = etcd.targets
      .slice(0, 1)
      .map(({ name, endpoint }) => ({ name, endpoint: endpoint.replace('https', 'http') }));
    expect(findings(await look({ targets }))[0]).toMatch(
      /^fail member-reachable n1: does not speak what the endpoint says/,
    );
  });
});

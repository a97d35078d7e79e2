/** An etcd that kbin had no part in: `kbin verify` finds it healthy, and names whatever is then done to it. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Authority } from '../health/authority.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { cfsslPki, HandBuilt, OpensslPki, type Verdict } from './hand-built.ts';

let lab: Lab;
let node1: LabHost;
let node2: LabHost;
let node3: LabHost;
beforeAll(async () => {
  lab = await startHosts({ count: 3 });
  [node1, node2, node3] = lab.hosts as [LabHost, LabHost, LabHost];
});
afterAll(() => lab?.stop());

/** `{node1}` stands for node1's address, in regular expressions too. */
function withAddresses(text: string): string {
  return text.replaceAll(/\{(node\d)\}/g, (_whole, name: string) => lab.host(name).address);
}

/** Waits until verify says all of that. Faults take a moment to show (an election, a time-out of etcd's own). */
async function names(
  built: HandBuilt,
  expected: readonly string[],
  endpoints?: readonly string[],
): Promise<Verdict> {
  const patterns = expected.map((text) => new RegExp(withAddresses(text)));
  return until(
    `verify says ${expected.join(' and ')}`,
    async (saw) => {
      const verdict = await built.verify(endpoints);
      const named = patterns.every((pattern) => verdict.findings.some((line) => pattern.test(line)));
      return named ? verdict : saw(verdict.findings.join('\n') || 'healthy');
    },
    { timeoutMs: 90_000, everyMs: 500 },
  );
}

async function wellAgain(built: HandBuilt): Promise<void> {
  await until(
    'verify finds nothing any more',
    async (saw) => {
      const { code, findings } = await built.verify();
      return (code === 0 && findings.length === 0) || saw(`exit ${code}: ${findings.join('\n')}`);
    },
    { timeoutMs: 120_000, everyMs: 500 },
  );
}

describe('made with openssl, etcd 3.5', () => {
  let built: HandBuilt;
  let pki: OpensslPki;
  beforeAll(async () => {
    built = await HandBuilt.create(lab, '3.5.16', async (cluster) => {
      pki = await OpensslPki.create(cluster);
    });
  });
  afterAll(() => built?.remove());

  test('is healthy: every check passes, exit code 0, and nothing is left in it', async () => {
    const { code, findings, report } = await built.verify();
    expect({ code, findings, healthy: report.healthy }).toEqual({ code: 0, findings: [], healthy: true });
    expect(report.counts).toMatchObject({ warn: 0, fail: 0, skip: 0 });
    expect(
      report.members.map(({ name, version, certificateDays }) => [name, version, certificateDays]),
    ).toEqual(['node1', 'node2', 'node3'].map((name) => [name, '3.5.16', 364]));
    expect(await built.etcdctl(['get', '', '--prefix', '--keys-only'])).toBe('');
  });

  test('is described in cluster.yaml as well as by flags', async () => {
    const list = built.endpoints.map((url) => `'${url}'`).join(', ');
    await writeFile(
      built.file('cluster.yaml'),
      `external: { etcd: { endpoints: [${list}], ca: ca.pem, cert: client.pem, key: client-key.pem } }\n`,
    );
    const { execFile } = await import('node:child_process');
    const { promisify } = await import('node:util');
    const kbin = `${built.program}/kbin`;
    const { stdout } = await promisify(execFile)(kbin, ['verify', '--junit', 'verify.xml'], {
      cwd: built.folder,
    });
    expect(stdout).toMatch(/ is healthy: \d+ passed\n$/);
  });

  /** What is done, what verify says then, and how it is undone. Messages are regular expressions. */
  interface Fault {
    readonly what: string;
    readonly inflict: () => Promise<unknown>;
    readonly says: readonly string[];
    readonly undo: () => Promise<unknown>;
    readonly endpoints?: () => readonly string[];
    /** Default 3. */
    readonly code?: number;
  }

  const stop = (host: LabHost) => host.run('systemctl', 'stop', 'etcd.service');
  const start = (host: LabHost) => host.run('systemctl', 'start', '--no-block', 'etcd.service');
  const data = '/var/lib/etcd/default.etcd';

  const faults: readonly Fault[] = [
    {
      what: 'a member is stopped',
      inflict: () => stop(node2),
      says: [
        '^fail member-reachable {node2}:2379: refuses connections: nothing listens there$',
        '^warn quorum: 2 of 3 voting members healthy',
      ],
      undo: () => start(node2),
    },
    {
      what: 'a host is frozen',
      inflict: () => node2.pause(),
      says: ['^fail member-reachable {node2}:2379: does not answer \\(no answer after 5000 ms\\)$'],
      undo: () => node2.unpause(),
    },
    {
      what: 'the network of a host is cut',
      inflict: () => node3.disconnect(),
      says: [
        '^fail member-reachable {node3}:2379: (does not answer \\(no TCP connection|cannot be reached: no route)',
      ],
      undo: () => node3.connect(),
    },
    {
      what: 'a member is cut off from its peers, but not from clients',
      inflict: () =>
        node3.sh(`ip route add blackhole ${node1.address}; ip route add blackhole ${node2.address}`),
      says: [
        '^fail leader-agreed {node3}:2379: knows no leader, while {node1}:2379 and {node2}:2379 follow .*: it is cut off from its peers$',
        '^fail quorum-read {node3}:2379: has no quorum behind it',
      ],
      undo: () =>
        node3.sh(`ip route del blackhole ${node1.address}; ip route del blackhole ${node2.address}`),
    },
    {
      what: 'a server certificate has expired',
      inflict: () => pki.give(node1, 'server', { from: -30, to: -1 }),
      says: [
        '^fail member-reachable {node1}:2379: serves a certificate that has expired$',
        '^fail served-certificate {node1}:2379: serves a certificate that has expired; it is CN=node1 from CN=etcd-ca',
      ],
      undo: () => pki.give(node1, 'server'),
    },
    {
      what: 'a certificate was made on a machine whose clock is ten days ahead',
      inflict: () => issueWithWrongClock(pki, node1, 10 * 86_400),
      says: [
        '^fail member-reachable {node1}:2379: serves a certificate that is not valid yet$',
        '^fail served-certificate {node1}:2379: serves a certificate that is not valid yet',
      ],
      undo: () => pki.give(node1, 'server'),
    },
    {
      what: 'a server certificate is for another address',
      inflict: () => pki.give(node1, 'server', { sans: `IP:${node2.address}` }),
      says: [
        "^fail member-reachable {node1}:2379: serves a certificate that is not for the address used to reach it \\(IP: {node1} is not in the cert's list: {node2}\\)$",
      ],
      undo: () => pki.give(node1, 'server'),
    },
    {
      what: 'a server certificate comes from another CA',
      inflict: async () =>
        pki.give(node1, 'server', {}, await Authority.create(built.file('other-ca'), 'other-ca')),
      says: [
        '^fail served-certificate {node1}:2379: serves a certificate that does not come from the given CA; it is CN=node1 from CN=other-ca',
      ],
      undo: () => pki.give(node1, 'server'),
    },
    {
      what: 'a peer certificate has expired',
      inflict: () => pki.give(node2, 'peer', { from: -30, to: -1 }),
      says: ['^fail peer-certificate {node2}:2379: serves a certificate that has expired'],
      undo: () => pki.give(node2, 'peer'),
    },
    {
      what: 'a certificate ends in ten days',
      inflict: () => pki.give(node2, 'server', { to: 10.5 }),
      says: ['^warn served-certificate {node2}:2379: 10 days left'],
      code: 0,
      undo: () => pki.give(node2, 'server'),
    },
    {
      what: 'a member no longer asks clients for a certificate',
      inflict: () => built.configure(node2, { 'client-cert-auth': 'false', 'trusted-ca-file': undefined }),
      says: [
        '^fail client-authentication {node2}:2379: {node2}:2379 answers clients that show no certificate',
      ],
      undo: () =>
        built.configure(node2, { 'client-cert-auth': 'true', 'trusted-ca-file': '/opt/etcd/ssl/ca.pem' }),
    },
    {
      what: 'a member listens in plaintext',
      inflict: () =>
        built.configure(node2, {
          'listen-client-urls': `http://${node2.address}:2379`,
          'advertise-client-urls': `http://${node2.address}:2379`,
        }),
      says: ['^fail member-reachable {node2}:2379: does not speak what the endpoint says'],
      undo: () =>
        built.configure(node2, {
          'listen-client-urls': `https://${node2.address}:2379`,
          'advertise-client-urls': `https://${node2.address}:2379`,
        }),
    },
    {
      what: 'the database is full',
      inflict: async () => {
        await built.configure(node1, { 'quota-backend-bytes': '1048576' });
        await built.healthy();
        await until('the quota is reached', async (saw) => {
          const written = built.etcdctl(['put', `fill/${Math.random()}`, 'x'.repeat(100_000)]);
          const text = await written.catch(String);
          return text.includes('database space exceeded') || saw(text);
        });
      },
      says: [
        '^fail quorum-write: no member could write: refuses writes: the database has reached its quota',
        '^fail alarms {node1}:2379: alarm NOSPACE',
      ],
      undo: async () => {
        await built.configure(node1, { 'quota-backend-bytes': undefined });
        await until('node1 is back', () => built.etcdctl(['del', '--prefix', 'fill/']));
        await built.etcdctl(['alarm', 'disarm']);
      },
    },
    {
      what: 'an endpoint leads to another cluster',
      inflict: () =>
        node3.run(
          ...[
            'systemd-run',
            '--quiet',
            '--unit',
            'other-etcd',
            '/opt/etcd/bin/etcd',
            '--name=other',
            '--data-dir=/var/lib/other',
          ],
          ...[
            `--listen-client-urls=https://${node3.address}:12379`,
            `--advertise-client-urls=https://${node3.address}:12379`,
          ],
          ...[
            '--listen-peer-urls=http://127.0.0.1:12380',
            '--initial-advertise-peer-urls=http://127.0.0.1:12380',
          ],
          ...[
            '--initial-cluster=other=http://127.0.0.1:12380',
            '--client-cert-auth',
            '--trusted-ca-file=/opt/etcd/ssl/ca.pem',
          ],
          ...['--cert-file=/opt/etcd/ssl/server.pem', '--key-file=/opt/etcd/ssl/server-key.pem'],
        ),
      endpoints: () => [...built.endpoints.slice(0, 2), `https://${node3.address}:12379`],
      says: [
        '^fail one-cluster {node3}:12379: belongs to another etcd cluster \\(id [0-9a-f]+, 1 members\\)',
      ],
      undo: () => node3.sh('systemctl stop other-etcd.service; rm -rf /var/lib/other'),
    },
    {
      what: 'a member was wiped and started a cluster of its own',
      inflict: async () => {
        await stop(node3);
        await node3.run('mv', data, `${data}.kept`);
        await built.configure(node3, {
          'initial-cluster': `node3=https://${node3.address}:2380`,
          'initial-cluster-token': 'alone',
        });
      },
      says: [
        '^fail one-cluster {node3}:2379: belongs to another etcd cluster \\(id [0-9a-f]+, 1 members\\) than the rest',
        '^warn quorum: 2 of 3 voting members healthy',
      ],
      undo: async () => {
        await stop(node3);
        await node3.sh(`rm -rf ${data}; mv ${data}.kept ${data}`);
        await built.configure(node3, {
          'initial-cluster': built.flags.get('node1')?.get('initial-cluster'),
          'initial-cluster-token': 'etcd-cluster',
        });
      },
    },
    {
      what: 'quorum is lost',
      inflict: () => Promise.all([stop(node1), stop(node3)]),
      says: [
        '^fail leader-agreed: no leader: {node2}:2379 answers but cannot elect one$',
        '^fail quorum: 0 of 3 voting members healthy, quorum is 2: nothing can be written$',
        '^fail quorum-write: no member could write: has no quorum behind it',
      ],
      undo: () => Promise.all([start(node1), start(node3)]),
    },
    {
      what: 'a member was removed and came back as a learner that nobody promoted',
      inflict: async () => {
        // etcd refuses both while it has not seen everybody connected for five seconds.
        const id = /^([0-9a-f]+), started, node3,/m.exec(await built.etcdctl(['member', 'list']))?.[1] ?? '';
        await until('node3 is removed', () => built.etcdctl(['member', 'remove', id]));
        await stop(node3);
        await node3.run('rm', '-rf', data);
        const learner = ['member', 'add', 'node3', '--learner', `--peer-urls=https://${node3.address}:2380`];
        await until('node3 is added', () => built.etcdctl(learner));
        await built.configure(node3, { 'initial-cluster-state': 'existing' });
      },
      says: ['^fail membership {node3}:2379: is a learner that was never promoted: it has no vote$'],
      undo: async () => {
        const list = await built.etcdctl(['member', 'list']);
        const id = /^([0-9a-f]+), started, node3,/m.exec(list)?.[1] ?? '';
        await until('node3 is promoted', () => built.etcdctl(['member', 'promote', id]));
      },
    },
  ];

  test.each(faults.map((fault) => [fault.what, fault] as const))(
    '%s',
    { timeout: 300_000 },
    async (_what, fault) => {
      try {
        await fault.inflict();
        const { code } = await names(built, fault.says, fault.endpoints?.());
        expect(code).toBe(fault.code ?? 3);
      } catch (error) {
        // For the next fault's sake; what went wrong first is what counts.
        await fault.undo().catch(() => {});
        throw error;
      }
      await fault.undo();
      await wellAgain(built);
    },
  );
});

describe('made with cfssl, one certificate for all, etcd 3.4', () => {
  let built: HandBuilt;
  beforeAll(async () => {
    built = await HandBuilt.create(lab, '3.4.23', cfsslPki);
  });
  afterAll(() => built?.remove());

  test('is healthy', async () => {
    const { code, findings, report } = await built.verify();
    expect({ code, findings }).toEqual({ code: 0, findings: [] });
    expect(report.members.map(({ version }) => version)).toEqual(['3.4.23', '3.4.23', '3.4.23']);
  });

  test('an upgrade that stopped half-way is told of, until it is finished', async () => {
    const upgrade = async (host: LabHost) => {
      await built.installBinaries(host, '3.5.16');
      await host.run('systemctl', 'restart', '--no-block', 'etcd.service');
      await built.healthy();
    };
    await upgrade(node3);
    const said =
      '^warn versions: the members run different versions: 3.4.23 on {node1}:2379 and {node2}:2379; 3.5.16 on {node3}:2379$';
    expect((await names(built, [said])).code).toBe(0);
    await upgrade(node1);
    await upgrade(node2);
    await wellAgain(built);
  });

  test('a member without an endpoint, and a number that is not as expected', async () => {
    const two = await built.verify(built.endpoints.slice(0, 2));
    expect(two.code).toBe(0);
    expect(two.findings).toContain(
      withAddresses(
        'warn members-covered: member node3 (https://{node3}:2379) has no endpoint here, so nothing is known of it',
      ),
    );
    const five = await built.verify(built.endpoints, '--expect-members', '5');
    expect(five.code).toBe(3);
    expect(five.findings).toEqual(['fail membership: the cluster has 3 members, expected 5']);
  });
});

/** A real wrong clock: the host's, which the CA's key was copied to, as in many a hand-built cluster. */
async function issueWithWrongClock(pki: OpensslPki, host: LabHost, seconds: number): Promise<void> {
  await pki.built.copy(host, ['ca/ca.crt', 'ca/ca.key'], '/root');
  await host.setClock(seconds);
  try {
    await host.sh(
      `cd /opt/etcd/ssl
       printf 'subjectAltName=IP:%s\\nextendedKeyUsage=serverAuth,clientAuth\\n' ${host.address} >server.ext
       openssl req -new -key server-key.pem -subj /CN=${host.name} -out server.csr
       openssl x509 -req -in server.csr -CA /root/ca/ca.crt -CAkey /root/ca/ca.key -CAcreateserial -days 365 \\
         -extfile server.ext -out server.pem`,
    );
  } finally {
    await host.setClock(0);
    await host.run('rm', '-rf', '/root/ca');
  }
}

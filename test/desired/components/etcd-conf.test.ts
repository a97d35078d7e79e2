import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { versionOf } from '../../../src/cluster/version.ts';
import { renderEtcdConf } from '../../../src/desired/components/etcd-conf.ts';
import { type Joining, joiningValues, keptLines } from '../../../src/desired/components/etcd-joining.ts';
import { exampleCluster, type Overrides } from '../../cluster/fixture.ts';

function conf(overrides: Overrides<Cluster> = {}, joining: Joining = { kind: 'new' }): string {
  const cluster = exampleCluster(overrides);
  const [host] = cluster.hosts;
  if (host === undefined) throw new Error('no host');
  return renderEtcdConf({ cluster, host, joining, version: versionOf(cluster.etcd.version) });
}

function values(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^(\w+)="(.*)"$/gm)].map(([, name, value]) => [name, value]));
}

describe('settings by release', () => {
  test.each([
    ['3.4.23', { ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: 'true' }],
    ['3.5.7', { ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: 'true' }],
    ['3.5.16', { ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: 'true', ETCD_TLS_MIN_VERSION: 'TLS1.2' }],
    ['3.6.5', { ETCD_FEATURE_GATES: 'InitialCorruptCheck=true', ETCD_TLS_MIN_VERSION: 'TLS1.2' }],
    ['3.7.0', { ETCD_FEATURE_GATES: 'InitialCorruptCheck=true', ETCD_TLS_MIN_VERSION: 'TLS1.2' }],
  ])('%s', (version, wanted) => {
    const changing = Object.entries(values(conf({ etcd: { version } }))).filter(([name]) =>
      /EXPERIMENTAL|FEATURE|MIN_VERSION|ENABLE_V2|ARCH/.test(name),
    );
    expect(Object.fromEntries(changing)).toEqual(wanted);
  });

  test('arm64 needs a word only with 3.4', () => {
    const arch = (version: string) => {
      const cluster = exampleCluster({ etcd: { version } });
      const host = { ...cluster.hosts[0], architecture: 'arm64' } as Cluster['hosts'][0];
      return values(renderEtcdConf({ cluster, host, joining: { kind: 'new' }, version: versionOf(version) }))
        .ETCD_UNSUPPORTED_ARCH;
    };
    expect(['3.4.23', '3.5.16', '3.6.5'].map(arch)).toEqual(['arm64', undefined, undefined]);
  });
});

describe('etcd.environment', () => {
  test('overrides in place, and adds what kbin does not set', () => {
    const before = values(conf());
    const after = values(conf({ etcd: { environment: { ETCD_SNAPSHOT_COUNT: '7', ETCD_MAX_WALS: '9' } } }));
    expect(after).toEqual({ ...before, ETCD_SNAPSHOT_COUNT: '7', ETCD_MAX_WALS: '9' });
  });

  test('gates of the user and kbin’s own come together, unless the user decides on that one', () => {
    const gates = (value: string) =>
      values(conf({ etcd: { environment: { ETCD_FEATURE_GATES: value } } })).ETCD_FEATURE_GATES;
    expect(gates('CompactHashCheck=true')).toBe('InitialCorruptCheck=true,CompactHashCheck=true');
    expect(gates('CompactHashCheck=true,InitialCorruptCheck=false')).toBe(
      'CompactHashCheck=true,InitialCorruptCheck=false',
    );
  });

  test('with TLS 1.3 as the least version no suites of TLS 1.2 are listed: etcd would not start', () => {
    const set = values(conf({ etcd: { environment: { ETCD_TLS_MIN_VERSION: 'TLS1.3' } } }));
    expect([set.ETCD_TLS_MIN_VERSION, set.ETCD_CIPHER_SUITES]).toEqual(['TLS1.3', undefined]);
  });
});

describe('joining', () => {
  const first = 'k8s-master1=https://192.168.31.71:2380';

  test('a new cluster is what cluster.yaml says', () => {
    expect(joiningValues(keptLines(conf()))).toEqual({
      ETCD_INITIAL_CLUSTER: `${first},k8s-master2=https://192.168.31.72:2380,k8s-master3=https://192.168.31.73:2380`,
      ETCD_INITIAL_CLUSTER_TOKEN: 'prod',
      ETCD_INITIAL_CLUSTER_STATE: 'new',
    });
  });

  test('a member that is added gets the live membership', () => {
    const joining: Joining = { kind: 'existing', initialCluster: `${first},new=https://10.0.0.9:2380` };
    expect(joiningValues(keptLines(conf({}, joining)))).toMatchObject({
      ETCD_INITIAL_CLUSTER: `${first},new=https://10.0.0.9:2380`,
      ETCD_INITIAL_CLUSTER_STATE: 'existing',
    });
  });

  test('a member with data keeps what it has, so that a further host in cluster.yaml changes nothing on it', () => {
    const alone = exampleCluster({ hosts: exampleCluster().hosts.slice(0, 1) });
    const before = conf({ hosts: alone.hosts });
    const after = conf({ etcd: { token: 'other' } }, { kind: 'kept', lines: keptLines(before) });
    expect(after).toBe(before);
  });

  test.each([
    ['quoted', 'ETCD_INITIAL_CLUSTER="a=b \\"c\\" \\\\"', 'a=b "c" \\'],
    ['in single quotes', "ETCD_INITIAL_CLUSTER='a=b'", 'a=b'],
    [
      'bare, as hand-install guides have it',
      '  ETCD_INITIAL_CLUSTER = a=https://x:2380 ',
      'a=https://x:2380',
    ],
  ])('reads a line that is %s', (_how, line, value) => {
    expect(joiningValues(keptLines(`# ETCD_INITIAL_CLUSTER=no\n${line}\n`))).toEqual({
      ETCD_INITIAL_CLUSTER: value,
    });
  });

  test('a line that was missing stays missing; a file that is gone is written as for a new cluster', () => {
    const lines = ['ETCD_INITIAL_CLUSTER_STATE="existing"'];
    expect(joiningValues(keptLines(conf({}, { kind: 'kept', lines })))).toEqual({
      ETCD_INITIAL_CLUSTER_STATE: 'existing',
    });
    expect(conf({}, { kind: 'kept', lines: [] })).toBe(conf());
  });
});

describe('where something was revoked', () => {
  const lastRevoked = { serial: '5A01', at: new Date('2027-01-01T00:00:00Z') };
  const withList = (overrides: Overrides<Cluster> = {}): string => {
    const cluster = exampleCluster(overrides);
    const [host] = cluster.hosts;
    if (host === undefined) throw new Error('no host');
    const version = versionOf(cluster.etcd.version);
    return renderEtcdConf({ cluster, host, joining: { kind: 'new' }, version, lastRevoked });
  };

  test.each(['3.4.23', '3.5.16', '3.6.5', '3.7.0'])(
    'etcd %s goes by the list, for clients and for members',
    (version) => {
      expect(values(withList({ etcd: { version } }))).toMatchObject({
        ETCD_CLIENT_CRL_FILE: '/etc/etcd/pki/crl.der',
        ETCD_PEER_CRL_FILE: '/etc/etcd/pki/crl.der',
      });
      expect(conf({ etcd: { version } })).not.toMatch(/CRL|revo/);
    },
  );

  test('each revocation changes the text, so that a restart ends what is connected; it is a comment', () => {
    const added = withList()
      .split('\n')
      .filter((line) => !conf().split('\n').includes(line));
    expect(added).toEqual([
      'ETCD_CLIENT_CRL_FILE="/etc/etcd/pki/crl.der"',
      'ETCD_PEER_CRL_FILE="/etc/etcd/pki/crl.der"',
      '# The list is read at every handshake; a connection that is open goes on. So a restart follows each revocation, the last of',
      '# 5A01 at 2027-01-01T00:00:00.000Z.',
    ]);
  });
});

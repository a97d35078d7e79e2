import { describe, expect, test } from 'vitest';
import { checkEtcdEnvironment } from '../../../src/desired/components/etcd-environment.ts';

const refused = (version: string, environment: Record<string, string>) =>
  checkEtcdEnvironment({ version, environment }).refused.map(({ variable }) => variable);
const unknown = (version: string, environment: Record<string, string>) =>
  checkEtcdEnvironment({ version, environment }).unknown;

describe('refused', () => {
  test.each([
    'ETCD_NAME',
    'ETCD_DATA_DIR',
    'ETCD_LISTEN_CLIENT_URLS',
    'ETCD_LISTEN_PEER_URLS',
    'ETCD_ADVERTISE_CLIENT_URLS',
    'ETCD_INITIAL_CLUSTER',
    'ETCD_INITIAL_CLUSTER_STATE',
    'ETCD_CERT_FILE',
    'ETCD_PEER_KEY_FILE',
    'ETCD_TRUSTED_CA_FILE',
    'ETCD_CLIENT_CERT_AUTH',
    'ETCD_PEER_CLIENT_CERT_AUTH',
    'ETCD_LISTEN_METRICS_URLS',
    'ETCD_LISTEN_CLIENT_HTTP_URLS',
    'ETCD_AUTO_TLS',
    'ETCD_CONFIG_FILE',
    'ETCD_FORCE_NEW_CLUSTER',
    'ETCD_UNSAFE_NO_FSYNC',
    'ETCD_DISCOVERY',
    'ETCD_PROXY',
    'KBIN_INPUTS',
    'LD_PRELOAD',
    'PATH',
    'etcd_name',
    'ETCD NAME',
  ])('%s', (variable) => {
    const check = checkEtcdEnvironment({ version: '3.5.16', environment: { [variable]: 'x' } });
    expect(check).toEqual({ refused: [{ variable, why: expect.stringMatching(/\w{3}/) }], unknown: [] });
  });

  test('what keeps etcd 3.6 from starting: one feature as gate and as flag, an unknown gate, a malformed one', () => {
    const flag = { ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK: 'false' };
    expect(refused('3.5.16', flag)).toEqual([]);
    expect(refused('3.6.5', flag)).toEqual(['ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK']);
    const gates = (value: string) => ({ ETCD_FEATURE_GATES: value });
    expect(refused('3.6.5', gates('CompactHashCheck=true, StopGRPCServiceOnDefrag=false'))).toEqual([]);
    expect(refused('3.6.5', gates(''))).toEqual([]);
    expect(refused('3.6.5', gates('FastLeaseKeepAlive=true'))).toEqual(['ETCD_FEATURE_GATES']);
    expect(refused('3.7.0', gates('FastLeaseKeepAlive=true'))).toEqual([]);
    expect(refused('3.6.5', gates('compacthashcheck=true'))).toEqual(['ETCD_FEATURE_GATES']);
    expect(refused('3.6.5', gates('CompactHashCheck'))).toEqual(['ETCD_FEATURE_GATES']);
  });
});

test('allowed: tuning, also of what kbin sets, and the Go runtime’s own', () => {
  const environment = {
    ETCD_QUOTA_BACKEND_BYTES: '1',
    ETCD_MAX_WALS: '9',
    ETCD_LOG_LEVEL: 'debug',
    GOMAXPROCS: '2',
  };
  expect(checkEtcdEnvironment({ version: '3.5.16', environment })).toEqual({ refused: [], unknown: [] });
});

test('unknown in that release: said with the releases that have it', () => {
  expect(unknown('3.6.5', { ETCD_ENABLE_V2: 'false' })).toEqual([
    { variable: 'ETCD_ENABLE_V2', why: 'etcd 3.6.5 does not have it (it exists until 3.5)' },
  ]);
  expect(unknown('3.5.16', { ETCD_FEATURE_GATES: 'x=true' })).toEqual([
    { variable: 'ETCD_FEATURE_GATES', why: 'etcd 3.5.16 does not have it (it exists from 3.6.0 on)' },
  ]);
  expect(unknown('3.5.16', { ETCD_SNAPSHOT_COUMT: '1' })).toEqual([
    { variable: 'ETCD_SNAPSHOT_COUMT', why: 'no etcd has a setting of this name' },
  ]);
});

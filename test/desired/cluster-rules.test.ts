import { expect, test } from 'vitest';
import { parseClusterWithWarnings } from '../../src/cluster/load.ts';
import { desiredRules } from '../../src/desired/cluster-rules.ts';

const where = { file: 'cluster.yaml', folder: '/home/me' };

test('settings that would break kbin’s wiring are told with their lines, all at once', () => {
  const text = `name: prod
hosts: [{ name: a, address: 10.0.0.1, roles: [etcd] }]
etcd:
  version: 3.5.16
  environment:
    ETCD_MAX_WALS: 10
    ETCD_CLIENT_CERT_AUTH: "false"
    ETCD_FORCE_NEW_CLUSTER: "true"
`;
  expect(() => parseClusterWithWarnings(text, where, desiredRules)).toThrow(
    /cluster\.yaml:7:\d+: .*ETCD_CLIENT_CERT_AUTH: cannot be set here: members and clients.*\n.*cluster\.yaml:8:\d+: .*ETCD_FORCE_NEW_CLUSTER: cannot be set here: every start/,
  );
});

test('flags that would break it too', () => {
  const text = `name: prod
hosts: [{ name: a, address: 10.0.0.1 }]
etcd: { version: 3.5.16 }
kubernetes:
  version: 1.20.2
  apiserver:
    flags:
      v: 3
      etcd-servers: https://10.0.0.9:2379
  scheduler: { flags: { config: /root/x } }
`;
  expect(() => parseClusterWithWarnings(text, where, desiredRules)).toThrow(
    /^cluster\.yaml has 2 mistakes\ncluster\.yaml:9:21: kubernetes\.apiserver\.flags\.etcd-servers: cannot be set here: .+\ncluster\.yaml:10:33: kubernetes\.scheduler\.flags\.config: cannot be set here: .+$/,
  );
  const good = text.replace(/^.*(etcd-servers|scheduler).*\n/gm, '');
  expect(parseClusterWithWarnings(good, where, desiredRules).warnings).toEqual([]);
});

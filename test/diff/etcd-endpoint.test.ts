import { expect, test } from 'vitest';
import { hostsWithRole } from '../../src/cluster/cluster.ts';
import { formerClientUrl } from '../../src/diff/etcd-endpoint.ts';
import type { Observed, ObservedUnit } from '../../src/observe/observed.ts';
import { cluster, factsOf } from './etcd-situations.ts';

const [host] = hostsWithRole(cluster, 'etcd');
if (host === undefined) throw new Error('no etcd host');

/** The host with an etcd that was started with these client URLs. */
function started(advertised: string | undefined): Observed {
  const seen = factsOf({ hosts: [{ data: 'own', etcd: 'up' }] }).observed.get(host?.name ?? '');
  const unit = seen?.units.get('etcd.service');
  if (seen === undefined || unit === undefined) throw new Error('not observed');
  const settings = advertised === undefined ? {} : { ETCD_ADVERTISE_CLIENT_URLS: advertised };
  const running: ObservedUnit = { ...unit, process: { argv: ['etcd'], settings, inherited: [] } };
  return { ...seen, units: new Map([['etcd.service', running]]) };
}

const url = (port: number) => `https://${host.address}:${port}`;

test.each([
  ['serves where cluster.yaml has it', started(url(2379)), undefined],
  ['serves there too', started(`${url(4001)},${url(2379)}`), undefined],
  ['serves at its former port', started(url(4001)), url(4001)],
  ['serves in plain text only', started('http://10.0.0.1:4001'), undefined],
  ['was started with flags', started(undefined), undefined],
  ['could not be looked at', undefined, undefined],
])('an etcd that %s', (_what, observed, former) => {
  expect(formerClientUrl(cluster, host, observed)).toBe(former);
});

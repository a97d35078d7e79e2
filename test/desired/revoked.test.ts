import { expect, test } from 'vitest';
import { desire, requireCertificates } from '../../src/desired/desire.ts';
import type { DesiredComponent } from '../../src/desired/desired.ts';
import type { StoreView } from '../../src/desired/store-view.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { fullStore } from './store.ts';

const cluster = exampleCluster();
const [host] = cluster.hosts;
const last = { serial: '5A01', at: new Date('2027-01-01T00:00:00Z') };
const serials = ['5A01'];

function etcd(revocations?: ReturnType<StoreView['revocations']>): DesiredComponent {
  if (host === undefined) throw new Error('no host');
  const store = fullStore({ revocations: (id) => (id === 'etcd-ca' ? revocations : undefined) });
  const [component] = desire(cluster, host, { store, only: ['etcd'] }).components;
  if (component === undefined) throw new Error('no etcd');
  return component;
}

const listOf = ({ bundles }: DesiredComponent) =>
  bundles.flatMap(({ files }) => files).find(({ path }) => path === 'crl.der');

test('the list lies with the certificates, as bytes, and may change without a restart', () => {
  const component = etcd({ list: 'MAA=', serials, last });
  expect(listOf(component)).toMatchObject({
    mode: 0o644,
    owner: 'etcd',
    content: { kind: 'bytes', base64: 'MAA=', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    effect: 'none',
  });
  expect(etcd({ list: 'MAEA', serials, last }).unit.inputs).toBe(component.unit.inputs);
});

test('another revocation is a restart: it ends the connections of whoever is refused', () => {
  const before = etcd({ list: 'MAA=', serials, last });
  const after = etcd({ list: 'MAEA', serials, last: { ...last, serial: '5A02' } });
  expect(after.unit.inputs).not.toBe(before.unit.inputs);
  expect(before.unit.inputs).not.toBe(etcd().unit.inputs);
});

test('where nothing was revoked there is no list', () => {
  expect(listOf(etcd())).toBeUndefined();
});

test('a list that is lost stops a deploy: without it what is revoked would be let in again', () => {
  expect(() => etcd({ serials, last })).toThrow('lacks the revocation list of etcd-ca');
  expect(() => requireCertificates(cluster, fullStore({ revocations: () => ({ serials, last }) }))).toThrow(
    'lacks the revocation list of etcd-ca',
  );
});

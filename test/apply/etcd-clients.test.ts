import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readEtcdClients } from '../../src/apply/etcd-clients.ts';
import type { Survey } from '../../src/apply/survey.ts';
import { revocables } from '../../src/ca/revocable.ts';
import { revoke } from '../../src/ca/revoke.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { apiserversFirst, deploysOf } from '../../src/cli/deploys.ts';
import { bytesContent } from '../../src/desired/digest.ts';
import { revokedClients } from '../../src/diff/etcd-clients.ts';
import { KbinError } from '../../src/errors.ts';
import { filledStore, smallPlan, temporaryFolder } from '../ca/stores.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { LocalHost } from '../remote/local-host.ts';

test('before a list is brought, whoever it would shut out is found, and the control plane goes first', async () => {
  const store = await filledStore();
  const tls = temporaryFolder();
  const cluster = {
    ...exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')], paths: { kubernetes: { tls } } }),
    folder: dirname(store.folder),
  };
  const file = join(tls, 'kube-apiserver/etcd-client.crt');
  mkdirSync(dirname(file));
  const bring = () =>
    writeFileSync(file, readFileSync(join(store.folder, 'etcd-ca/apiserver-etcd-client.crt')));
  bring();
  const { serialNumber } = new X509Certificate(readFileSync(file));
  let asked = 0;
  const connect = async () => {
    asked++;
    return new LocalHost();
  };
  const [clusterHost] = cluster.hosts;
  const having = (list?: string) => {
    const path = `${cluster.paths.etcd.tls}/crl.der`;
    const paths = new Map(list === undefined ? [] : [[path, bytesContent(list)]]);
    return { answered: [{ clusterHost, observed: { paths } }], unreachable: [] } as unknown as Survey;
  };
  const look = (list?: string) => readEtcdClients(cluster, store.view(), having(list), connect);
  const codes = async () => revokedClients(store.view(), await look()).map((one) => [one.host, one.code]);

  // Nothing was ever revoked; then something that is no matter of an apiserver.
  expect(await look()).toEqual([]);
  const ban = async (name: string) => {
    const one = revocables(smallPlan, diskFiles(store.folder)).find((each) => each.name === name);
    if (one === undefined) throw new Error(`no ${name}`);
    await revoke(smallPlan, store, [one], { reason: 'superseded', now: new Date() });
  };
  await ban('etcd-peer@m1');
  expect(asked).toBe(0);
  expect(await look()).toEqual([{ host: 'm1', serial: serialNumber }]);
  expect(await codes()).toEqual([]);
  expect(apiserversFirst(cluster)).toBe(false);
  expect(deploysOf(cluster, ['etcd-server@m1'])).toEqual(['etcd']);

  await ban('apiserver-etcd-client');
  expect(await codes()).toEqual([['m1', 'client-revoked']]);
  expect(deploysOf(cluster, ['etcd-server@m1', 'apiserver@m1'])).toEqual(['control-plane', 'etcd']);
  expect(deploysOf(cluster, ['etcd-server@m1'])).toEqual(['control-plane', 'etcd']);
  expect(deploysOf(cluster, ['apiserver@m1'])).toEqual(['control-plane']);
  // Where the members have the list there is nothing to wait for.
  expect(await look(store.view().revocations('etcd-ca')?.list)).toEqual([]);

  bring();
  expect(await codes()).toEqual([]);
  const down = await readEtcdClients(cluster, store.view(), having(), async () => {
    throw new KbinError('no route to host', { host: 'm1', step: 'connect' });
  });
  expect(revokedClients(store.view(), down)).toMatchObject([
    { severity: 'warning', host: 'm1', code: 'client-unknown' },
  ]);
});

/** Other shapes than three at once: one that becomes three, and control planes whose etcd is elsewhere. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { ControlPlane } from './control-plane.ts';
import { wipe } from './wipe.ts';

let lab: Lab;
let plane: ControlPlane;
const names = ['node1', 'node2', 'node3'];

beforeAll(async () => {
  lab = await startHosts({ names });
});
afterAll(() => lab?.stop());
beforeEach(() => wipe(lab));
afterEach(() => plane?.remove());

/** The subject alternative names that an apiserver shows to its clients, as Node writes them. */
async function servedNames(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: 6443, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? '');
      socket.end();
    });
    socket.once('error', reject);
  });
}

test('from one to three hosts, by editing cluster.yaml, while a client writes', {
  timeout: 600_000,
}, async () => {
  plane = await ControlPlane.create(lab, { hosts: ['node1'] });
  await plane.deploy();
  await plane.deployControlPlane();
  const { address } = lab.host('node3');
  expect(await servedNames(lab.host('node1').address)).not.toContain(address);
  await plane.kubectl('node1', 'create', 'secret', 'generic', 'early', '--from-literal=word=early');

  // The endpoint of three is another address than that of one.
  await plane.change({ hosts: names, more: `endpoint: { address: ${address} }` });
  const writer = await plane.apiWriter('growth');
  writer.start();
  const etcd = await plane.deploy();
  expect(etcd.joined).toEqual(['node2', 'node3']);
  const { plan } = await plane.deployControlPlane();
  await writer.stop();

  // Through the first one until it restarts, which it does behind the others; then through them.
  expect(writer.outages).toEqual([]);
  const apiserverPlans = plan.hosts.filter(({ component }) => component === 'kube-apiserver');
  expect(apiserverPlans.map(({ host, disruption }) => [host, disruption])).toEqual([
    ['node1', 'restart'],
    ['node2', 'start'],
    ['node3', 'start'],
  ]);
  const apiservers = (await plane.started(names)).filter(({ component }) => component === 'kube-apiserver');
  const first = apiservers.find(({ host }) => host === 'node1');
  for (const { host, readyAt } of apiservers) {
    if (host !== 'node1') expect(readyAt).toBeLessThan(first?.at ?? Number.NaN);
  }
  for (const target of await plane.apiTargets()) expect(await writer.lost(target)).toEqual([]);
  for (const name of names) {
    const served = await servedNames(lab.host(name).address);
    for (const wanted of [address, lab.host(name).address, '10.96.0.1']) expect(served).toContain(wanted);
    // Each asks all three members.
    const argv = await lab.host(name).sh('tr "\\0" "\\n" </proc/$(pidof kube-apiserver)/cmdline');
    for (const { address } of lab.hosts) expect(argv).toContain(`https://${address}:2379`);
    const word = await plane.kubectl(name, 'get', 'secret', 'early', '-o', 'jsonpath={.data.word}');
    expect(Buffer.from(word, 'base64').toString()).toBe('early');
  }
  // Other people's way in is the endpoint now.
  await plane.kbinDoes('kubeconfig', 'bob', '-o', 'bob.conf');
  expect(await readFile(join(plane.folder, 'bob.conf'), 'utf8')).toContain(
    `server: "https://${address}:6443"`,
  );
  expect(await plane.kubectlAs(join(plane.folder, 'bob.conf'), 'get', '--raw', '/readyz')).toBe('ok');
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
  await plane.kbinDoes('verify');
});

test('two control-plane hosts with etcd elsewhere, in the opt layout, as a user with sudo', async () => {
  plane = await ControlPlane.create(lab, {
    user: 'ops',
    roles: (host) => (host === 'node1' ? ['etcd'] : ['control-plane']),
    more: 'paths: opt',
  });
  await plane.deploy();
  const { plan } = await plane.deployControlPlane();
  expect([...new Set(plan.hosts.map(({ host }) => host))]).toEqual(['node2', 'node3']);
  for (const name of ['node2', 'node3']) {
    expect(await plane.kubectl(name, 'get', '--raw', '/readyz')).toBe('ok');
    expect(await lab.host(name).sh('readlink /proc/$(pidof kube-apiserver)/exe')).toBe(
      '/opt/kubernetes/bin/kube-apiserver\n',
    );
    expect(await lab.host(name).sh('ls /opt/kubernetes/logs')).not.toBe('');
    expect((await lab.host(name).exec(['pidof', 'etcd'])).code).toBe(1);
  }
  expect((await lab.host('node1').exec(['pidof', 'kube-apiserver'])).code).toBe(1);
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
  await plane.kbinDoes('verify');
});

/** An etcd and a control plane that a guide and cfssl made come under kbin while they are used: nothing is lost, nobody is shut out. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { HandBuiltControlPlane, unitFolders } from './hand-built-control-plane.ts';
import { InterruptedDeploy } from './interrupt.ts';

let lab: Lab;
let built: HandBuiltControlPlane;
let node1: LabHost;
let node2: LabHost;
/** Of a ServiceAccount that may look at ConfigMaps, as its Secret has had it from the beginning. */
let token: string;

beforeAll(async () => {
  lab = await startHosts({ count: 3 });
  [node1, node2] = lab.hosts as [LabHost, LabHost, LabHost];
  built = await HandBuiltControlPlane.create(lab);
  const make = (...argv: string[]) => built.kubectl(node1, 'create', ...argv);
  await make('configmap', 'before', '--from-literal=who=guide');
  await make('secret', 'generic', 'before', '--from-literal=word=plain');
  await make('serviceaccount', 'before');
  await make('role', 'before', '--verb=get', '--resource=configmaps');
  await make('rolebinding', 'before', '--role=before', '--serviceaccount=default:before');
  token = await until('the ServiceAccount has a token', async (saw) => {
    const name = await built.kubectl(node1, 'get', 'sa', 'before', '-o', 'jsonpath={.secrets[0].name}');
    if (name === '') return saw('none');
    const data = await built.kubectl(node1, 'get', 'secret', name, '-o', 'jsonpath={.data.token}');
    return Buffer.from(data, 'base64').toString();
  });
});
afterAll(async () => {
  await built?.remove();
  await lab?.stop();
});

/** When each component was started, and by which user. */
async function processes(): Promise<readonly string[]> {
  const shown = built.hosts.map((host) =>
    host.sh(`for name in ${controlPlaneComponents.join(' ')}; do
      echo "${host.name} $name $(ps -o user:32=,lstart= -C $name)"; done`),
  );
  return (await Promise.all(shown)).join('').trim().split('\n');
}

/** What was there before, through every apiserver, by those who were let in before. */
async function expectAllThere(): Promise<void> {
  for (const host of built.hosts) {
    const value = (kind: string, key: string) =>
      built.kubectl(host, 'get', kind, 'before', '-o', `jsonpath={.data.${key}}`);
    expect(await value('configmap', 'who')).toBe('guide');
    expect(Buffer.from(await value('secret', 'word'), 'base64').toString()).toBe('plain');
    expect(JSON.parse(await built.configMap(host, token, 'before'))).toMatchObject({
      data: { who: 'guide' },
    });
  }
}

test('its etcd comes first: apiservers of the guide go on with what they read in /opt/etcd/ssl', async () => {
  const before = await processes();
  const writer = await built.plane.apiWriter('etcd-first');
  writer.start();
  await until('something is written', async () => writer.written > 20);
  await built.plane.kbinDoes('etcd', 'deploy');
  const written = writer.written;
  await until('something is written after it', async () => writer.written > written + 20);
  await writer.stop();
  expect(writer.outages).toEqual([]);
  for (const target of await built.plane.apiTargets()) expect(await writer.lost(target)).toEqual([]);
  expect(await processes()).toEqual(before);
  // Whoever starts now finds them too.
  for (const host of built.hosts) await host.run('systemctl', 'restart', 'kube-apiserver');
  await built.ready();
  await expectAllThere();
});

test('stops a deploy, which says how to go on', async () => {
  const { code, stderr } = await built.plane.kbin('control-plane', 'deploy');
  expect(code).toBe(1);
  expect(stderr).toContain("kube-scheduler.service are there already, and are not kbin's");
  expect(stderr).toContain('kbin control-plane deploy --take-over');
});

test('is not taken over where its tokens would die: nothing is changed', async () => {
  const before = await processes();
  const { code, stderr } = await built.withOtherPki(async () => {
    await built.adopt('--skip', 'service-account');
    return built.plane.kbin('control-plane', 'deploy', '--take-over');
  });
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('/opt/kubernetes/ssl/ca-key.pem, by which it verifies tokens'),
  });
  expect(stderr).toContain('nothing was changed');
  expect(await processes()).toEqual(before);
  await expectAllThere();
});

test('what goes wrong with the first apiserver is undone: the former unit runs again', async () => {
  const settings = built.settings('max-requests-inflight: many');
  await built.plane.change(settings);
  const { code, stderr } = await built.plane.kbin('control-plane', 'deploy', '--take-over');
  await built.plane.change(built.settings());
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining('its former files are back and it is healthy with them'),
  });
  for (const line of await processes()) expect(line).toMatch(/^node[12] kube-[a-z-]+ root /);
  await expectAllThere();
});

test('is taken over while a client writes, with all that is in it, though the first run is killed', {
  timeout: 400_000,
}, async () => {
  const { stdout } = await built.plane.kbin('plan', '--take-over', '--exit-code');
  expect(stdout).not.toContain('a deploy would stop');
  expect(stdout).toContain(
    '--token-auth-file=/opt/kubernetes/cfg/token.csv --enable-aggregator-routing=true',
  );
  const writer = await built.plane.apiWriter('take-over');
  writer.start();
  await until('something is written', async () => writer.written > 20);
  const interrupted = await InterruptedDeploy.create(built.plane.folder, 'take-over');
  const { signal, effects } = await interrupted.run('node1: commit', 'during');
  expect({ signal, last: effects.at(-1) }).toEqual({ signal: 'SIGKILL', last: 'node1: commit' });
  await built.plane.kbinDoes('control-plane', 'deploy', '--take-over');
  await writer.stop();
  expect(writer.outages).toEqual([]);
  // It has seen the restarts: otherwise it would prove nothing.
  expect(writer.refusals).not.toEqual([]);
  for (const target of await built.plane.apiTargets()) expect(await writer.lost(target)).toEqual([]);

  for (const line of await processes()) expect(line).toMatch(/^node[12] (kube-[a-z-]+) \1 /);
  await expectAllThere();
  const [elsewhere, replaced] = unitFolders;
  for (const path of [
    join(elsewhere, 'kube-apiserver.service'),
    join(replaced, 'kube-apiserver.service.before-kbin'),
  ]) {
    const host = path.startsWith(elsewhere) ? node1 : node2;
    expect(await host.run('cat', path)).toContain('EnvironmentFile=/opt/kubernetes/cfg/kube-apiserver.conf');
  }
});

test('is kbin’s from then on', async () => {
  expect(await built.plane.kbinDoes('control-plane', 'deploy')).toContain('nothing to do');
  await built.plane.kbinDoes('plan', '--exit-code');
  await built.plane.kbinDoes('verify');
  await built.plane.kbinDoes('pki', 'check');
});

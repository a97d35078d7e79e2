/** A control plane of three that is changed, and that loses a host, while a client writes. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { ControlPlane } from './control-plane.ts';

let lab: Lab;
let plane: ControlPlane;
const names = ['node1', 'node2', 'node3'];

beforeAll(async () => {
  lab = await startHosts({ names });
  plane = await ControlPlane.create(lab);
  await plane.deploy();
  await plane.deployControlPlane();
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

/** Who leads: the host's name, of `NAME_UUID` in the Lease. */
async function leaderOf(component: string, through: string): Promise<string> {
  const holder = await plane.kubectl(
    through,
    ...['-n', 'kube-system', 'get', 'lease', component, '-o', 'jsonpath={.spec.holderIdentity}'],
  );
  return holder.split('_')[0] ?? '';
}

test('a changed flag goes round: apiservers one at a time, then the others, and clients never notice', async () => {
  const [writer, watch] = [await plane.apiWriter('flags'), await plane.readyzWatch()];
  const before = await plane.started(names);
  writer.start();
  watch.start();
  await plane.change({
    kubernetes: `apiserver: { flags: { max-requests-inflight: 500 } }
controllerManager: { flags: { node-monitor-period: 6s } }
scheduler: { flags: { kube-api-qps: 60 } }`,
  });
  const { plan } = await plane.deployControlPlane();
  await watch.stop();
  await writer.stop();

  expect([...new Set(plan.hosts.map(({ disruption }) => disruption))]).toEqual(['restart']);
  expect(writer.outages).toEqual([]);
  expect(watch.allDown).toEqual([]);
  // Both have seen the restarts: otherwise they would prove nothing.
  expect(watch.wentDown.toSorted()).toEqual(names);
  expect(writer.written).toBeGreaterThan(0);
  for (const target of await plane.apiTargets()) expect(await writer.lost(target)).toEqual([]);

  const after = await plane.started(names);
  const apiservers = after
    .filter(({ component }) => component === 'kube-apiserver')
    .toSorted((one, other) => one.at - other.at);
  // The next one is not touched before the former is ready.
  for (const [index, { at }] of apiservers.entries()) {
    if (index > 0) expect(at).toBeGreaterThan(apiservers[index - 1]?.readyAt ?? Number.NaN);
  }
  const lastReady = Math.max(...apiservers.map(({ readyAt }) => readyAt));
  for (const { component, at } of after) {
    if (component === 'kube-controller-manager') expect(at).toBeGreaterThan(lastReady);
  }
  for (const { host, component, at } of before) {
    const now = after.find((one) => one.host === host && one.component === component);
    expect(now?.at).toBeGreaterThan(at);
  }
  for (const name of names) {
    const argv = await lab.host(name).sh('tr "\\0" "\\n" </proc/$(pidof kube-apiserver)/cmdline');
    expect(argv).toContain('--max-requests-inflight=500\n');
  }
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
});

test('a host that loses its power: the others serve, leaders move, and it comes back by itself', {
  timeout: 600_000,
}, async () => {
  const [lost = ''] = [await leaderOf('kube-controller-manager', 'node1')];
  expect(names).toContain(lost);
  const others = names.filter((name) => name !== lost);
  const [other = ''] = others;
  const targets = (await plane.apiTargets()).filter(({ name }) => name !== lost);
  const writer = await plane.apiWriter('power');
  writer.start();
  await lab.host(lost).kill();

  for (const component of ['kube-controller-manager', 'kube-scheduler']) {
    await until(
      `another ${component} leads`,
      async (saw) => {
        const leader = await leaderOf(component, other);
        return others.includes(leader) || saw(leader);
      },
      { timeoutMs: 90_000, everyMs: 500 },
    );
  }
  for (const name of others) expect(await plane.kubectl(name, 'get', '--raw', '/readyz')).toBe('ok');
  // The new leader works.
  await plane.kubectl(other, 'create', 'deployment', 'later', '--image', 'example/later');
  await until('a Pod made by the new leader', async (saw) => {
    const pods = await plane.kubectl(other, 'get', 'pods', '-l', 'app=later', '-o', 'name');
    return pods !== '' || saw('none');
  });
  const down = await plane.kbin('verify');
  expect(down).toMatchObject({ code: 3, stdout: expect.stringContaining(lost) });

  await lab.host(lost).start();
  await until(
    'kbin verify finds nothing any more',
    async (saw) => {
      const { code, stdout, stderr } = await plane.kbin('verify');
      return code === 0 || saw(stdout.slice(-2000) + stderr);
    },
    { timeoutMs: 120_000, everyMs: 1000 },
  );
  await writer.stop();
  // With one of three gone, one of the two others takes each write.
  expect(writer.outages).toEqual([]);
  for (const target of targets) expect(await writer.lost(target)).toEqual([]);
  expect(await plane.kubectl(lost, 'get', '--raw', '/readyz')).toBe('ok');
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
});

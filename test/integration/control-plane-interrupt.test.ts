import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { ControlPlane } from './control-plane.ts';
import { InterruptedDeploy, type When } from './interrupt.ts';
import { wipeControlPlane } from './wipe.ts';

const names = ['node1', 'node2', 'node3'];

let lab: Lab;
let plane: ControlPlane;
let interrupted: InterruptedDeploy;
beforeAll(async () => {
  lab = await startHosts({ names });
  // So long a 1.20 waits for watches when it is told to stop: only the tests' patience is short.
  plane = await ControlPlane.create(lab, { kubernetes: 'apiserver: { flags: { request-timeout: 5s } }' });
  await plane.deploy();
  interrupted = await InterruptedDeploy.create(plane.folder, 'control-plane');
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

/** The next run, an ordinary one, carries on, and the one after it finds nothing to do and nothing left behind. */
async function expectConvergence(): Promise<void> {
  const { health } = await plane.deployControlPlane();
  expect(health.checks.filter(({ status }) => status === 'fail')).toEqual([]);
  const { plan } = await plane.deployControlPlane();
  expect(isEmpty(plan)).toBe(true);
  for (const host of lab.hosts) {
    expect(await host.sh('find /etc /usr/local/bin -maxdepth 3 -name ".kbin-*"')).toBe('');
  }
}

/** Kills the deploy there and lets the next runs show what came of it. */
async function cutOff(key: string, when: When): Promise<void> {
  const { signal, effects } = await interrupted.run(key, when);
  expect({ signal, reached: effects.includes(key) }).toEqual({ signal: 'SIGKILL', reached: true });
  await expectConvergence();
}

const onEach = (...steps: string[]) => names.flatMap((name) => steps.map((step) => `${name}: ${step}`));
/** One for each component, in their order. */
const thrice = (step: string) => [step, `${step} (2)`, `${step} (3)`];

describe('a first deploy', () => {
  const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
  const uploads = ['small files', ...programs.map((name) => `/usr/local/bin/${name}`)];
  const acting = ['prepare', ...uploads.map((what) => `upload ${what}`)];

  beforeEach(() => wipeControlPlane(lab));

  test('has the effects on hosts that this file enumerates, and no others', async () => {
    const { effects } = await interrupted.run();
    const expected = onEach('lock', 'probe', ...acting, ...thrice('commit'), ...thrice('clear up'));
    expect(effects.filter((effect) => !effect.endsWith(': uname -n')).toSorted()).toEqual(
      expected.toSorted(),
    );
    await expectConvergence();
    // One connection, the lock and one look at each host: that is the whole of a run without changes.
    const again = await interrupted.run();
    expect(again.effects.toSorted()).toEqual(onEach('lock', 'probe').toSorted());
  });

  test.each([
    ['upload /usr/local/bin/kube-apiserver', 'during'],
    ['upload small files', 'after'],
    ['commit', 'during'],
    ['commit', 'after'],
    ['clear up', 'after'],
    ['commit (2)', 'during'],
    ['commit (3)', 'after'],
  ] as const)('killed at %s (%s): the next run carries on', async (step, when) => {
    await cutOff(`node2: ${step}`, when);
  });
});

describe('a rolling change', () => {
  let value = 500;
  /** Each time other settings, on a control plane that runs with the former ones and holds an object. */
  const changed = async () => {
    value++;
    await plane.change({
      kubernetes: `apiserver: { flags: { request-timeout: 5s, max-requests-inflight: ${value} } }
controllerManager: { flags: { node-monitor-period: ${value}s } }`,
    });
  };

  beforeAll(async () => {
    await plane.deployControlPlane();
    await plane.kubectl('node1', 'create', 'configmap', 'before', '--from-literal=is=kept');
  });

  test.each([
    ['node1: upload small files', 'after'],
    ['node1: commit', 'during'],
    ['node1: commit', 'after'],
    ['node2: clear up', 'before'],
    ['node3: commit (2)', 'during'],
  ] as const)('killed at %s (%s): the next run carries on, and nothing is lost', async (key, when) => {
    await changed();
    await cutOff(key, when);
    for (const name of names) {
      const kept = ['get', 'configmap', 'before', '-o', 'jsonpath={.data.is}'];
      expect(await plane.kubectl(name, ...kept)).toBe('kept');
      const argv = await lab.host(name).sh('tr "\\0" "\\n" </proc/$(pidof kube-apiserver)/cmdline');
      expect(argv).toContain(`--max-requests-inflight=${value}\n`);
    }
  });
});

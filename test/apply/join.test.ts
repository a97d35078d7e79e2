import { expect, test, vi } from 'vitest';
import { addLearner } from '../../src/apply/join.ts';
import type { Progress } from '../../src/cli/io.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { healthyVoters } from '../../src/health/gates.ts';
import type { EtcdTarget } from '../../src/health/target.ts';
import { type LocalEtcd, startEtcd } from '../health/local-etcd.ts';

vi.setConfig({ testTimeout: 180_000 });

/** A host that nobody runs on: it only has to get into the member list. */
const newcomer = (port: number): EtcdTarget => ({
  name: 'new',
  endpoint: 'https://127.0.0.1:9',
  expected: { name: 'new', peerUrls: [`https://127.0.0.1:${port}`], clientUrls: [] },
});

async function rolloutOn(etcd: LocalEtcd, within: number) {
  const steps: string[] = [];
  const progress: Progress = {
    step: (_host, text) => steps.push(text),
    transfer: () => {},
    done: () => {},
    fail: () => {},
    note: () => {},
    end: () => {},
  };
  return { targets: etcd.targets, credentials: await etcd.credentials(), progress, within, steps };
}

async function listed(etcd: LocalEtcd): Promise<string> {
  return etcd.etcdctl(['member', 'list', '-w', 'simple']);
}

test('members that are not connected yet are waited for, and what is waited for is told', async () => {
  await using etcd = await startEtcd();
  await etcd.member(2).stop();
  // It may have been the leader: the others need a moment to agree on another.
  await expect
    .poll(async () => (await healthyVoters(etcd.targets, await etcd.credentials())).healthy.length, {
      timeout: 30_000,
    })
    .toBe(2);
  const short = await rolloutOn(etcd, 1);
  await expect(addLearner(short, newcomer(9))).rejects.toMatchObject({
    message: 'new could not be added to the cluster',
    details: {
      host: 'new',
      why: expect.stringMatching(/^after 1 s etcd still does not change the membership/),
    },
  });
  const patient = await rolloutOn(etcd, 90);
  const adding = addLearner(patient, newcomer(9));
  await expect
    .poll(() => patient.steps, { timeout: 30_000 })
    .toContainEqual(expect.stringMatching(/^joining: etcd does not change the membership while/));
  await etcd.member(2).start();
  await adding;
  expect(await listed(etcd)).toContain('https://127.0.0.1:9,');
});

test('a learner that takes the only place is waited for', async () => {
  await using etcd = await startEtcd({ size: 1 });
  const [target] = etcd.targets;
  const client = await openMember(target ?? newcomer(9), await etcd.credentials());
  const { id } = await client.addLearner(['https://127.0.0.1:10']);
  const rollout = await rolloutOn(etcd, 90);
  const adding = addLearner(rollout, newcomer(9));
  await expect
    .poll(() => rollout.steps, { timeout: 30_000 })
    .toContainEqual(expect.stringMatching(/takes no more learners/));
  await client.remove(id);
  await client.close();
  await adding;
  expect(await listed(etcd)).toContain('https://127.0.0.1:9,');
});

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lock, type Operator } from '../../src/apply/lock.ts';
import { act, clean } from '../../src/apply/operations.ts';
import { LocalHost } from '../remote/local-host.ts';

const anna: Operator = { user: 'anna', machine: 'desk', pid: 7, command: 'kbin etcd deploy' };
const ben: Operator = { user: 'ben', machine: 'laptop', pid: 8, command: 'kbin etcd deploy' };

let run: string;
const connect = () => new LocalHost('node1', { KBIN_RUN: run });
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'kbin-lock-'));
});
afterEach(() => rm(run, { recursive: true }));

test('a second operator is told who is at work, and since when', async () => {
  const held = await lock(connect(), anna);
  await expect(lock(connect(), ben)).rejects.toMatchObject({
    message: 'Another run of kbin is at work',
    details: {
      host: 'node1',
      step: 'lock',
      why: expect.stringMatching(
        /^the lock is held by anna@desk \(kbin etcd deploy, process 7 there\), process \d+ on the host, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/,
      ),
    },
  });
  await held.release();
  await (await lock(connect(), ben)).release();
});

test('the lock ends with the connection that holds it', async () => {
  const host = connect();
  const held = await lock(host, anna);
  await host.close();
  await held.ended;
  await (await lock(connect(), ben)).release();
});

test('what a cut-off run began is over before the next one has the lock', async () => {
  const events: string[] = [];
  const working = spawn('flock', [join(run, 'at-work'), 'sh', '-c', 'echo begun; sleep 0.5'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => working.stdout.once('data', resolve));
  working.once('exit', () => events.push('script over'));
  const held = await lock(connect(), anna);
  events.push('locked');
  expect(events).toEqual(['script over', 'locked']);
  await act(connect(), 'clean', [clean(run)]);
  await held.release();
});

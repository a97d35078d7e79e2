import { expect, test } from 'vitest';
import type { Task } from '../../src/apply/commit.ts';
import { type Kind, rollOutInstances } from '../../src/apply/instances.ts';
import type { Work, Workplace } from '../../src/apply/work.ts';
import type { HostPlan } from '../../src/diff/changes.ts';
import { KbinError } from '../../src/errors.ts';
import type { CommandResult, Host } from '../../src/remote/host.ts';

const unitFile = '/etc/systemd/system/kube-apiserver.service';

/** What happened, in order: scripts on hosts and proofs. */
function stage(disruptions: Readonly<Record<string, HostPlan['disruption'] | 'nothing'>>) {
  const log: string[] = [];
  const broken = new Set<string>();
  const unwell = new Set<string>();
  const places = Object.entries(disruptions).map(([name, what]): Workplace => {
    const script = async (_text: string, args: readonly string[] = [], { label = '' } = {}) => {
      log.push(`${name}: ${label}${args.includes('restart') ? ' and restart' : ''}`);
      return { code: 0, stdout: 'began 7\n', stderr: '' } satisfies CommandResult;
    };
    const disruption = what === 'nothing' ? 'none' : what;
    const component = {
      name: 'kube-apiserver',
      directories: [],
      bundles: [],
      files: [
        {
          path: unitFile,
          mode: 0o644,
          owner: 'root',
          group: 'root',
          effect: 'restart',
          content: { kind: 'text', text: '', sha256: 'a'.repeat(64) },
        },
      ],
      unit: { name: 'kube-apiserver.service', inputs: '', process: { argv: [], settings: {} } },
    } satisfies Task['component'];
    const changes =
      what === 'nothing'
        ? []
        : [{ kind: 'file', target: unitFile, action: 'update', reason: 'content differs' } as const];
    return {
      name,
      host: { name, script } as unknown as Host,
      task: {
        component,
        observed: { paths: new Map(), units: new Map(), leftovers: [] } as unknown as Task['observed'],
        plan: { host: name, component: 'kube-apiserver', changes, disruption },
      },
    };
  });
  const kind: Kind = {
    component: 'kube-apiserver',
    prove: async ({ name, task }, began) => {
      log.push(`${name}: prove ${began}`);
      if (broken.has(name) && task.plan.changes.length > 0) throw new KbinError(`${name} is broken`);
      if (began > 0) unwell.delete(name);
      if (unwell.has(name)) throw new KbinError(`${name} is not healthy`);
    },
    unwell: async (running) => running.filter(({ name }) => unwell.has(name)),
    next: async (pending) => {
      log.push(`next of ${pending.map(({ name }) => name).join(' ')}`);
      return pending.at(-1) as Workplace;
    },
    refuseWaking: async ({ name }) => {
      log.push(`${name}: may be woken`);
    },
  };
  const stop = new AbortController();
  const work: Work = {
    readSecret: async () => new Uint8Array(),
    progress: { step() {}, transfer() {}, done() {}, fail() {}, note() {}, end() {} },
    allowDowntime: false,
    within: 1,
    parallel: 3,
    signal: stop.signal,
  };
  return { log, broken, unwell, places, kind, work, stop, run: () => rollOutInstances(work, kind, places) };
}

test('those that are down together, then what disturbs nobody, then restarts one at a time', async () => {
  const { log, run } = stage({ a: 'restart', b: 'none', c: 'start', d: 'start', e: 'restart', f: 'nothing' });
  expect(await run()).toEqual([]);
  expect(log).toEqual([
    'c: commit',
    'd: commit',
    'c: prove 7',
    'd: prove 7',
    'c: clear up',
    'd: clear up',
    'b: commit',
    'b: prove 7',
    'b: clear up',
    'next of a e',
    'e: commit and restart',
    'e: prove 7',
    'e: clear up',
    'next of a',
    'a: commit and restart',
    'a: prove 7',
    'a: clear up',
  ]);
});

test('a restart that fails brings the former files back, and nobody is restarted after it', async () => {
  const { log, broken, run } = stage({ a: 'restart', b: 'restart' });
  broken.add('b');
  await expect(run()).rejects.toMatchObject({
    message: 'b is broken',
    details: { host: 'b', why: expect.stringContaining('its former files are back and it is healthy') },
  });
  expect(log).toEqual([
    'next of a b',
    'b: commit and restart',
    'b: prove 7',
    'b: bring back and restart',
    'b: prove 7',
  ]);
});

test('a start that fails leaves its files for a look, and nobody else is touched after it', async () => {
  const { log, broken, run } = stage({ a: 'start', b: 'restart' });
  broken.add('a');
  await expect(run()).rejects.toThrow('a is broken');
  expect(log).toEqual(['a: commit', 'a: prove 7']);
});

test('one that runs and is not healthy gets its time, and then a restart if that is allowed', async () => {
  const { log, unwell, run } = stage({ a: 'nothing', b: 'nothing' });
  unwell.add('b');
  expect(await run()).toEqual(['b']);
  expect(log).toEqual([
    'b: prove 0',
    'b: may be woken',
    'next of b',
    'b: commit and restart',
    'b: prove 7',
    'b: clear up',
  ]);
});

test('who wants to stop is told how far it is', async () => {
  const { stop, run, kind, log } = stage({ a: 'restart', b: 'restart' });
  const { next } = kind;
  Object.assign(kind, {
    next: async (pending: readonly Workplace[]) => {
      stop.abort();
      return next(pending);
    },
  });
  await expect(run()).rejects.toMatchObject({
    message: 'Stopped, as you asked',
    details: { why: expect.stringContaining('1 of 2 restarts of kube-apiserver are done') },
  });
  expect(log.filter((line) => line.includes('restart'))).toEqual(['b: commit and restart']);
});

import { expect, test } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { createProgress } from '../../src/cli/progress.ts';

function recorded(liveProgress: boolean) {
  let text = '';
  const io: Io = {
    out: () => {
      throw new Error('progress belongs on stderr');
    },
    err: (more) => {
      text += more;
    },
    interactive: false,
    liveProgress,
    colour: false,
    env: {},
    cwd: '/',
    ask: () => Promise.reject(new Error('no terminal')),
  };
  return { io, text: () => text };
}

test('plain: a line for each new step, and no more', () => {
  const { io, text } = recorded(false);
  const progress = createProgress(io, ['node1', 'k8s-node2']);
  progress.step('node1', 'probe');
  progress.step('node1', 'probe');
  for (let sent = 0; sent <= 2 ** 24; sent += 2 ** 20) {
    progress.transfer('k8s-node2', 'upload etcd', sent, 2 ** 24);
  }
  progress.note('a new cluster of 2 members');
  progress.done('node1', 'healthy');
  progress.fail('k8s-node2', 'no space left');
  progress.end();
  expect(text()).toBe(`node1      probe
k8s-node2  upload etcd, 16.0 MiB
a new cluster of 2 members
node1      healthy
k8s-node2  failed: no space left
`);
});

const ESC = '\u001b';
const upAndErase = new RegExp(`(${ESC}\\[\\d+A${ESC}\\[J|\n)`);

/** What a terminal of unlimited height shows after `text`. */
function screenOf(text: string): string[] {
  const lines: string[] = [];
  for (const part of text.split(upAndErase)) {
    if (part.startsWith(ESC)) lines.splice(lines.length - Number.parseInt(part.slice(2), 10));
    else if (part !== '\n' && part !== '') lines.push(part);
  }
  return lines;
}

test('live: one line per host, redrawn, notes above, cut to the width', () => {
  const { io, text } = recorded(true);
  const progress = createProgress(io, ['node1', 'node2'], { columns: () => 40, now: () => 0 });
  progress.step('node1', 'probe');
  expect(screenOf(text())).toEqual(['· node1  probe', '  node2  waiting']);
  progress.note('hello');
  progress.transfer('node2', 'upload etcd', 512 * 1024, 1024 * 1024);
  progress.done('node1', 'healthy, and quite a lot more than fits on a line');
  expect(screenOf(text())).toEqual([
    'hello',
    '✓ node1  healthy, and quite a lot more…',
    '· node2  upload etcd   50 % of 1.0 MiB',
  ]);
  progress.end();
  progress.note('after the end');
  expect(screenOf(text()).slice(-2)).toEqual(['· node2  upload etcd   50 % of 1.0 MiB', 'after the end']);
});

test('live: transfers are drawn at a pace, not at every chunk', () => {
  const { io, text } = recorded(true);
  let now = 0;
  const progress = createProgress(io, ['node1'], { columns: () => 80, now: () => now });
  progress.step('node1', 'probe');
  const before = text().length;
  for (now = 1; now < 90; now++) progress.transfer('node1', 'upload', now, 1000);
  expect(text().length).toBe(before);
  now = 200;
  progress.transfer('node1', 'upload', now, 1000);
  expect(text().length).toBeGreaterThan(before);
});

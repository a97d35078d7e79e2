import { expect, test } from 'vitest';
import { lastLines } from '../../src/apply/journal-lines.ts';

/** As etcd 3.5.16 under systemd panics when its log was lost; frames in between left out. */
const trace = `goroutine 64 [running]:
go.uber.org/zap/zapcore.(*CheckedEntry).Write(0xc0004236c0, {0x0, 0x0, 0x0})
	go.uber.org/zap/zapcore/entry.go:262 +0x24a
go.uber.org/zap.(*SugaredLogger).Panicf(...)
	go.uber.org/zap/sugar.go:202
go.etcd.io/etcd/raft.(*raft).handleHeartbeat(_, {0x8, 0x2454c01f2cfc622d, 0x2, {0x0, 0x0, 0x0}, ...})
	go.etcd.io/etcd/raft/raft.go:1508 +0x36
go.etcd.io/etcd/raft.(*node).run(0xc0000b8960)
	go.etcd.io/etcd/raft/node.go:356 +0x925
created by go.etcd.io/etcd/raft.RestartNode in goroutine 1
	go.etcd.io/etcd/raft/node.go:244 +0x239`;
const panic =
  'panic: tocommit(16) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?';
const before =
  '{"level":"info","ts":"2026-11-21T02:27:56.444Z","msg":"2454c01f2cfc622d became follower at term 2"}';
const after = [
  'etcd.service: Main process exited, code=exited, status=2/INVALIDARGUMENT',
  "etcd.service: Failed with result 'exit-code'.",
];

test('of a panic its message stays, and what systemd says of it; the stack trace goes', () => {
  const journal = [before, panic, '', trace, ...after, ''].join('\n');
  expect(lastLines(journal).split('\n')).toEqual([before, panic, '', ...after]);
});

test('also where the journal begins within a trace, and where several follow each other', () => {
  const [, ...frames] = trace.split('\n');
  const journal = [...frames, after[0], panic, trace, '', trace, after[1]].join('\n');
  expect(lastLines(journal).split('\n')).toEqual([after[0], panic, after[1]]);
});

test('the trace within a line goes too, and what is very long is cut', () => {
  const logged = '{"level":"panic","msg":"no leader","stacktrace":"go.etcd.io/etcd/raft\\n\\tlog.go:203"}';
  expect(lastLines(logged)).toBe('{"level":"panic","msg":"no leader"}');
  expect(lastLines('x'.repeat(1000))).toBe(`${'x'.repeat(400)}…`);
});

test('no more than the last twelve', () => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`);
  expect(lastLines(lines.join('\n')).split('\n')).toEqual(lines.slice(-12));
});

/** As kube-controller-manager 1.20.2 does, with 330 lines left out. */
test('of a flag that is not known the message stays, and the usage goes', () => {
  const usage = [
    'Usage:',
    '  kube-controller-manager [flags]',
    '',
    'Debugging flags:',
    '',
    '      --profiling   Enable',
  ];
  const journal = ['Error: unknown flag: --nope', ...usage, '', after[0]].join('\n');
  expect(lastLines(journal).split('\n')).toEqual(['Error: unknown flag: --nope', after[0]]);
});

import { describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { formatTable, printError, printJson, printWarning } from '../../src/cli/output.ts';
import { KbinError } from '../../src/errors.ts';

function recorder(colour = false): { io: Io; said: { out: string; err: string } } {
  const said = { out: '', err: '' };
  const io: Io = {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
    interactive: false,
    liveProgress: false,
    colour,
    env: {},
    cwd: '/',
    ask: () => Promise.reject(new Error('nobody to ask')),
  };
  return { io, said };
}

describe('a table', () => {
  it('is plain columns without trailing space', () => {
    const rows = [
      ['k8s-master1', 'leader', 12, true],
      ['n2', undefined, 3, false],
      ['n3', 'two\n  lines', '', undefined],
    ];
    expect(formatTable(['member', 'role', 'db size', 'healthy'], rows)).toBe(
      `MEMBER       ROLE       DB SIZE  HEALTHY
k8s-master1  leader     12       true
n2           -          3        false
n3           two lines  -        -
`,
    );
  });

  it('keeps its header when it is empty', () => {
    expect(formatTable(['name', 'days left'], [])).toBe('NAME  DAYS LEFT\n');
  });

  it('aligns what terminals show wider than it is long', () => {
    expect(
      formatTable(
        ['name', 'x'],
        [
          ['日本', 1],
          ['München', 2],
        ],
      ),
    ).toBe('NAME     X\n日本     1\nMünchen  2\n');
  });
});

it('JSON has maps as objects and large numbers as text', () => {
  const { io, said } = recorder();
  printJson(io, { a: new Map([['x', 1n]]), b: [] });
  expect(said).toEqual({ out: '{\n  "a": {\n    "x": "1"\n  },\n  "b": []\n}\n', err: '' });
});

it('a warning goes to stderr, its further lines indented', () => {
  const { io, said } = recorder();
  printWarning(io, 'one\ntwo');
  expect(said).toEqual({ out: '', err: 'warning: one\n  two\n' });
});

describe('an error', () => {
  it('says what, where, why and what next, then what the other side said', () => {
    const { io, said } = recorder();
    const code = printError(
      io,
      new KbinError('etcd does not start', {
        host: 'n1',
        step: 'restart etcd.service',
        why: 'port 2379 is taken',
        next: 'stop what listens there:\n  ss -tlnp',
        output: 'bind: address already in use\n\nexit 1\n',
      }),
    );
    expect(code).toBe(1);
    expect(said).toEqual({
      out: '',
      err: `error: etcd does not start
  where: n1, restart etcd.service
  why:   port 2379 is taken
  next:  stop what listens there:
           ss -tlnp
  | bind: address already in use
  |
  | exit 1
`,
    });
  });

  it('says no more than it knows, and ends with the code it carries', () => {
    const { io, said } = recorder();
    expect(printError(io, new KbinError('two\nmistakes', { exit: 2 }))).toBe(2);
    expect(said.err).toBe('error: two\n  mistakes\n');
  });

  it('is painted on terminals only', () => {
    const { io, said } = recorder(true);
    printError(io, new KbinError('x'));
    expect(said.err).toBe('\u001b[31merror:\u001b[0m x\n');
  });

  it('that nobody foresaw is called a defect, with its stack', () => {
    const { io, said } = recorder();
    const error = new TypeError('x is not a function');
    error.stack = 'TypeError: x is not a function\n    at y (z.ts:1:2)';
    expect(printError(io, error)).toBe(1);
    expect(printError(io, 'a string')).toBe(1);
    expect(said.err).toBe(`error: this is a defect of kbin, not of your input
  next:  report it with the lines below; running the command again is safe
  | TypeError: x is not a function
  |     at y (z.ts:1:2)
error: this is a defect of kbin, not of your input
  next:  report it with the lines below; running the command again is safe
  | a string
`);
  });
});

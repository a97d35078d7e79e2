import { describe, expect, test } from 'vitest';
import { encryption } from '../../src/diff/encryption.ts';
import { type Situation, sidesOf, told, unitText } from './control-plane-situations.ts';

const key = (name: string) => `secretbox:${name}:${name.repeat(16)}`;
const note = (providers: readonly string[], resources = 'secrets') =>
  `# a note\n${providers.join('\n')}\nresources: ${resources}\n`;

const first = note([key('key1'), 'identity']);
const off = note(['identity', key('key1')]);
const both = note([key('key1'), key('key2'), 'identity']);
const second = note([key('key2'), key('key1'), 'identity']);
const argv = ['kube-apiserver', '--encryption-provider-config=/x'];

const running = (present: string, more: Partial<Situation> = {}): Situation => ({
  unitText: unitText('1.34.1', 'aa', '--encryption-provider-config=/x'),
  runs: true,
  argv,
  note: present,
  ...more,
});
const plain: Situation = { unitText: unitText('1.34.1'), runs: true, argv: ['kube-apiserver'] };

/** What is said of hosts in these situations when all of them shall have `wanted`. */
const judged = (wanted: string, ...situations: Situation[]) =>
  encryption(
    situations.map((situation, index) => sidesOf(index, { ...situation, wantedNote: wanted })),
    [],
  );
const codes = (wanted: string, ...situations: Situation[]) => told(judged(wanted, ...situations));

describe('goes without a word', () => {
  test.each<[string, string, Situation[]]>([
    ['a first deployment', first, [{}, {}, {}]],
    ['a first deployment that was cut off anywhere', first, [running(first), { ...plain, runs: false }, {}]],
    ['all as it should be', first, [running(first), running(first), running(first)]],
    ['a host that joins', first, [running(first), {}, {}]],
    ['encryption of one apiserver alone', first, [plain]],
    ['without encryption', '', [plain, plain]],
    ['the key made known, plain text written as before', off, [plain, plain, plain]],
    ['then written with', first, [running(off), running(off), running(off)]],
    ['then half of them', first, [running(first), running(off), running(off)]],
    ['off again: all that was written stays readable', off, [running(first), running(first)]],
    ['a further key', both, [running(first), running(first)]],
    ['then first', second, [running(both), running(both)]],
    ['then first, half done', second, [running(second), running(both)]],
    [
      'apiservers that stand still',
      first,
      [
        { ...plain, runs: false },
        { ...plain, runs: false },
      ],
    ],
  ])('%s', (_what, wanted, situations) => {
    expect(judged(wanted, ...situations)).toEqual([]);
  });
});

describe('a key that a host has and the store lacks', () => {
  test('stops, running or not, and is named without its bytes', () => {
    expect(codes(first, running(both), { ...running(both), runs: false }, running(first))).toEqual([
      'stop encryption-key-lost@k8s-master1',
      'stop encryption-key-lost@k8s-master2',
    ]);
    const [finding] = judged(first, running(both));
    expect(finding?.message).toBe(
      'its apiserver encrypts with key2 (sha256 key2key2key2…), which pki/encryption-key of this machine does not have: what was written with it would be unreadable',
    );
    expect(finding?.next).toMatch(/^restore pki\/encryption-key from the backup/);
  });
  test('stops where the store has other bytes under its name', () => {
    const other = note(['secretbox:key1:ffff', 'identity']);
    expect(codes(other, running(first), running(first))).toEqual([
      'stop encryption-key-lost@k8s-master1',
      'stop encryption-key-lost@k8s-master2',
    ]);
  });
  test('stops where the store has none at all', () => {
    expect(codes('', running(first))).toEqual(['stop encryption-key-lost@k8s-master1']);
  });
});

describe('a key that a rotation has retired', () => {
  const alone = `${note([key('key2'), 'identity'])}retired: key1:${'key1'.repeat(16)}\n`;

  test('goes without a word where another one writes, one apiserver after the other', () => {
    expect(judged(alone, running(second), running(second))).toEqual([]);
    expect(judged(alone, running(alone), running(second))).toEqual([]);
    expect(judged(alone, running(alone), running(alone))).toEqual([]);
    expect(judged(alone, { ...running(first), runs: false })).toEqual([]);
  });
  test('is another one where its bytes are others', () => {
    const other = note([key('key2'), 'secretbox:key1:ffff', 'identity']);
    expect(codes(alone, running(other))).toEqual(['stop encryption-key-lost@k8s-master1']);
  });
  test('stays where an apiserver still writes with it, or may', () => {
    expect(codes(alone, running(both), running(second))).toContain('stop encryption-key-in-use@k8s-master1');
    expect(judged(alone, running(both))[0]).toMatchObject({
      message:
        'its apiserver encrypts with key1 (sha256 key1key1key1…), which is retired: what it writes would be unreadable',
      next: expect.stringContaining('add key1 as the last line of encryption-key/order'),
    });
    const old = running(second, { runningInputs: 'old' });
    expect(codes(alone, running(second), old)).toEqual(['stop encryption-key-in-use@k8s-master2']);
  });
});

describe('what others would write before an apiserver can read it', () => {
  const steps = ['stop encryption-in-steps@k8s-master1', 'stop encryption-in-steps@k8s-master2'];

  test('encryption for apiservers that never had it', () => {
    expect(codes(first, plain, plain)).toEqual(steps);
    expect(judged(first, plain, plain)[0]).toMatchObject({
      message:
        'its apiserver has no key1 (sha256 key1key1key1…) yet, so it could not read Secrets that k8s-master2 would write with it first',
      next: expect.stringMatching(/^set `kubernetes: \{encryption: off\}` and deploy: /),
    });
  });
  test('files on the host that its process was never told of', () => {
    expect(codes(first, { ...plain, note: first, secret: 'wanted' }, plain)).toEqual(steps);
  });
  test('a key that is put first at once', () => {
    expect(codes(second, running(first), running(first))).toEqual(steps);
    expect(judged(second, running(first), running(first))[0]?.next).toMatch(
      /^put key1 first in pki\/encryption-key\/order and deploy: /,
    );
  });
  test('a process that was not restarted since its files have the key', () => {
    const old = { runningInputs: 'old' };
    expect(codes(second, running(both), running(both, old))).toEqual([
      'stop encryption-in-steps@k8s-master2',
    ]);
    expect(codes(first, running(off, old), running(off))).toEqual(['stop encryption-in-steps@k8s-master1']);
    // Changed since, but not in this.
    expect(codes(first, running(first, old), running(first))).toEqual([]);
  });
  test('resources that are encrypted from now on', () => {
    const more = note([key('key1'), 'identity'], 'secrets, configmaps');
    expect(codes(more, running(first), running(first))).toEqual(steps);
    expect(judged(more, running(first), running(first))[0]?.next).toMatch(
      /`systemctl stop kube-apiserver` on k8s-master1, k8s-master2/,
    );
    expect(codes(more, running(first))).toEqual([]);
    const still = { ...running(first), runs: false };
    expect(codes(more, still, still)).toEqual([]);
  });
  test('resources that are not encrypted any more', () => {
    const more = note([key('key1'), 'identity'], 'secrets, configmaps');
    expect(codes(first, running(more), running(more))).toEqual([
      'stop encryption-resource-lost@k8s-master1',
      'stop encryption-resource-lost@k8s-master2',
    ]);
  });
});

describe('hosts that differ among themselves', () => {
  const other = note([key('key2'), 'identity']);

  test('and cannot read each other: what is wanted has the keys of both, so it is carried on', () => {
    expect(codes(both, running(first), running(other))).toEqual(['warning encryption-differs']);
  });
  test('stop where the store lacks the key of one', () => {
    expect(codes(first, running(first), running(other))).toEqual(['stop encryption-key-lost@k8s-master2']);
  });
});

describe('what lies on the host', () => {
  const settled = { secret: 'wanted' };

  test('encryption.yaml edited by hand', () => {
    expect(codes(first, running(first, settled), running(first, { secret: 'edited' }))).toEqual([
      'stop encryption-edited@k8s-master2',
    ]);
  });
  test('without the note: the file itself tells where it is the wanted one', () => {
    const { note: _note, ...without } = running(first, settled);
    expect(codes(first, without, running(first, settled))).toEqual([]);
    expect(codes(first, { ...without, secret: 'other' }, running(first, settled))).toContain(
      'stop encryption-unknown@k8s-master1',
    );
  });
});

describe('an apiserver of somebody else that is taken over', () => {
  const path = '/opt/kubernetes/cfg/encryption.yaml';
  const { unitText: _ours, ...process } = plain;
  const former: Situation = {
    ...process,
    unitText: 'ExecStart=/opt/kube-apiserver',
    argv: ['kube-apiserver', '--encryption-provider-config', path],
  };
  const told = (wanted: string, ...providers: string[]) =>
    encryption(
      [0, 1].map((index) => sidesOf(index, { ...former, wantedNote: wanted })),
      [],
      [0, 1].map((index) => ({
        host: sidesOf(index, {}).host.name,
        files: new Map([[path, { kind: 'encryption', lists: 1, resources: ['secrets'], providers }]]),
      })),
    );

  test('goes on with its keys', () => {
    expect(told(first, key('key1'), 'identity')).toEqual([]);
    expect(told(off, 'identity', key('key1'))).toEqual([]);
  });
  test('has a key that the store lacks', () => {
    const [finding] = told(first, key('key9'), 'identity');
    expect(finding).toMatchObject({ severity: 'stop', code: 'encryption-key-lost' });
    expect(finding?.next).toContain(path);
  });
  test('has no key yet, and others would write with it', () => {
    expect(codes(first, { ...former, argv: [] }, { ...former, argv: [] })).toEqual([
      'stop encryption-in-steps@k8s-master1',
      'stop encryption-in-steps@k8s-master2',
    ]);
  });
  test('is not judged while nobody takes it over: its unit stops that', () => {
    expect(codes(first, former, former)).toEqual([]);
  });
});

test('a host that nobody can look at, while something new would be written', () => {
  const silent = [{ host: 'k8s-master3', reason: 'cut off' }];
  const two = (wanted: string, present: string) =>
    [0, 1].map((index) => sidesOf(index, { ...running(present), wantedNote: wanted }));
  expect(told(encryption(two(first, first), silent))).toEqual([]);
  expect(told(encryption(two(both, first), silent))).toEqual([]);
  expect(told(encryption(two(second, first), silent))).toContain('stop encryption-unknown');
});

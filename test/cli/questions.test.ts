import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programFolder } from './transcript.ts';

/** util-linux's script gives the program a real terminal. */
const hasTerminal = spawnSync('script', ['--version']).error === undefined;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbin-questions-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Talk {
  readonly screen: string;
  readonly code: number | null;
}

/** Types each answer once its question stands on the screen. */
async function talk(
  command: string,
  answers: readonly (readonly [question: RegExp, typed: string])[],
): Promise<Talk> {
  const program = await programFolder();
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 30_000,
    env: {
      PATH: `${program}:/usr/bin:/bin`,
      HOME: folder,
      TERM: 'xterm',
      KBIN_NODE: process.execPath,
      XDG_CACHE_HOME: join(program, 'cache'),
    },
  });
  let screen = '';
  let seen = 0;
  const waiting = [...answers];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    for (;;) {
      const [question, typed] = waiting[0] ?? [];
      const match = question?.exec(shown(screen).slice(seen));
      if (!match || typed === undefined) return;
      seen += match.index + match[0].length;
      waiting.shift();
      child.stdin.write(typed);
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  expect(waiting.map(([question]) => question)).toEqual([]);
  return { screen: shown(screen), code };
}

function shown(screen: string): string {
  return stripVTControlCharacters(screen).replaceAll('\r', '');
}

describe.skipIf(!hasTerminal)('kbin init on a terminal', { timeout: 60_000 }, () => {
  it('takes answers that are pasted in one piece', async () => {
    const pasted = ['n1=10.0.0.1', '', 'lab', ...Array<string>(20).fill('')].join('\n');
    const { screen, code } = await talk('kbin init --etcd-version 3.5.16', [
      [/Host 1 as .*: /, `${pasted}\n`],
    ]);
    expect(screen).toContain('wrote cluster.yaml: 1 host, etcd 3.5.16');
    expect(readFileSync(join(folder, 'cluster.yaml'), 'utf8')).toContain('\nname: lab\n');
    expect(code).toBe(0);
  });

  it('asks, asks again where it cannot read the answer, and writes the file', async () => {
    const { screen, code } = await talk('kbin init --etcd-version 3.5.16', [
      [/Host 1 as .*: /, 'n1\n'],
      [/is not a host.*\n[\s\S]*Host 1 as .*: /, 'n1=10.0.0.1\n'],
      [/Host 2 .*: /, 'n2=10.0.0.2,etcd\n'],
      [/Host 3 .*: /, '\n'],
      [/Name of the cluster \[kubernetes\]: /, 'lab\n'],
      [/SSH user .*: /, 'root\n'],
      [/SSH key file .*: /, '\n'],
      [/etcd binaries.*\[download\]: /, '\n'],
      [/Kubernetes version \[[\d.]+\]: /, '1.33.4\n'],
      [/Kubernetes binaries.*\[download\]: /, '\n'],
      [/Where clients reach .*: /, '10.0.0.9:16443\n'],
      [/Paths, fhs or opt \[fhs\]: /, 'usr\n'],
      [/"usr" is not one of fhs, opt\n[\s\S]*Paths, fhs or opt \[fhs\]: /, 'opt\n'],
    ]);
    expect(screen).toContain('wrote cluster.yaml: 2 hosts, etcd 3.5.16');
    expect(code).toBe(0);
    const settings = readFileSync(join(folder, 'cluster.yaml'), 'utf8')
      .split('\n')
      .filter((line) => /^[^#]*:/.test(line) && !/^ *#/.test(line));
    expect(settings).toEqual([
      'name: lab',
      'hosts:',
      '  - { name: n1, address: 10.0.0.1, roles: [etcd, control-plane] }',
      '  - { name: n2, address: 10.0.0.2, roles: [etcd] }',
      'ssh:',
      '  user: root',
      'etcd:',
      '  version: 3.5.16',
      'kubernetes:',
      '  version: 1.33.4',
      'endpoint:',
      '  address: 10.0.0.9',
      '  port: 16443',
      'pki:',
      'paths:',
      '  layout: opt',
    ]);
  });

  it('asks nothing when the hosts are given, nor when the file is there already', async () => {
    expect((await talk('kbin init --host n1=10.0.0.1', [])).code).toBe(0);
    const second = await talk('kbin init', []);
    expect([second.code, second.screen]).toEqual([2, expect.stringContaining('cluster.yaml exists already')]);
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('ends at %s without a file', async (_name, key) => {
    const { screen, code } = await talk('kbin init', [[/Host 1 as .*: /, key]]);
    expect(screen).toContain('error: no answer given');
    expect(code).toBe(1);
    expect(existsSync(join(folder, 'cluster.yaml'))).toBe(false);
  });
});

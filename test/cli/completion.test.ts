import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programFolder } from './transcript.ts';

/** The scripts run in the shells themselves; what they complete is what a user would see after pressing Tab. */
let folder: string;
let program: string;

beforeAll(async () => {
  program = await programFolder();
  folder = mkdtempSync(join(tmpdir(), 'kbin-completion-'));
  const hosts = 'hosts: [{ name: n1, address: 10.0.0.1 }, { name: n2, address: 10.0.0.2, roles: [worker] }]';
  writeFileSync(join(folder, 'cluster.yaml'), `name: a\n${hosts}\netcd: { version: 3.6.5 }\n`);
  writeFileSync(
    join(folder, 'other.yaml'),
    `name: a\n${hosts.replaceAll('n1', 'm1')}\netcd: { version: 3.6.5 }\n`,
  );
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

function shell(command: string, ...args: string[]): string[] {
  const { stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    cwd: folder,
    timeout: 60_000,
    env: {
      PATH: `${program}:/usr/local/bin:/usr/bin:/bin`,
      HOME: folder,
      KBIN_NODE: process.execPath,
      XDG_CACHE_HOME: join(program, 'cache'),
    },
  });
  if (error !== undefined) throw error;
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

/** What bash would offer for the line, through COMP_LINE and the other variables that readline sets. */
function bash(line: string): string[] {
  const script = `source <(kbin completion bash)
    COMP_LINE=$1 COMP_POINT=\${#1}
    read -a COMP_WORDS <<<"$1."
    COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 ))
    COMP_WORDS[COMP_CWORD]=\${COMP_WORDS[COMP_CWORD]%.}
    _kbin
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return shell('bash', '--norc', '-c', script, 'bash', line).sort();
}

function fish(line: string): string[] {
  const offered = shell(
    'fish',
    '--no-config',
    '-c',
    'kbin completion fish | source; complete -C $argv[1]',
    line,
  );
  return offered.map((entry) => entry.split('\t')[0] as string).sort();
}

const has = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;

const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['kbin pk', ['pki']],
  ['kbin pki r', ['renew', 'revoke', 'rotate']],
  ['kbin pki rotate s', ['service-account', 'status']],
  ['kbin pki rotate status e', ['encryption-key', 'etcd-ca']],
  ['kbin pki in', ['init']],
  ['kbin pki list --j', ['--json']],
  ['kbin completion ', ['bash', 'fish', 'zsh']],
  ['kbin init --paths ', ['fhs', 'opt']],
  ['kbin -c init pki li', ['list']],
  ['kbin --config init pki li', ['list']],
  ['kbin --config=init pki li', ['list']],
  ['kbin pki show etcd-server@', ['etcd-server@n1']],
  ['kbin -c other.yaml pki show etcd-server@', ['etcd-server@m1']],
  ['kbin --config=other.yaml pki show etcd-server@', ['etcd-server@m1']],
  ['kbin init --name x ', []],
];

describe('bash offers', () => {
  it.each(cases)('after "%s": %j', (line, offered) => {
    expect(bash(line)).toEqual(offered);
  });

  it('every command at the top, and the values after "="', () => {
    expect(bash('kbin ')).toEqual(expect.arrayContaining(['completion', 'init', 'pki']));
    expect(bash('kbin init --paths=o')).toEqual(['opt']);
  });

  it('files where a file is wanted', () => {
    expect(bash('kbin -c other')).toEqual(['other.yaml']);
    expect(bash('kbin init -o clu')).toEqual(['cluster.yaml']);
  });

  it('nothing, quietly, where cluster.yaml cannot be read', () => {
    expect(bash('kbin -c nowhere.yaml pki show etcd-s')).toEqual([]);
  });
});

describe.skipIf(!has('fish'))('fish offers', () => {
  it.each(cases.filter(([line, offered]) => offered.length > 0 && !line.includes('--config=')))(
    'after "%s": %j',
    (line, offered) => {
      expect(fish(line).filter((word) => !/\.yaml$|\/$/.test(word))).toEqual(offered);
    },
  );
});

it.skipIf(!has('zsh'))('zsh can read its script', () => {
  const [registered] = shell(
    'zsh',
    '-f',
    '-c',
    'autoload -Uz compinit; compinit -u -d ./z; source <(kbin completion zsh); print $_comps[kbin]',
  );
  expect(registered).toBe('_kbin');
});

it('guesses the shell from $SHELL', () => {
  const first = (path: string): string | undefined => shell('env', `SHELL=${path}`, 'kbin', 'completion')[0];
  expect([first('/usr/bin/zsh'), first('/bin/fish')]).toEqual([
    '#compdef kbin',
    '# fish completion for kbin: kbin completion fish | source',
  ]);
  expect(first('/bin/tcsh')).toContain('# bash completion');
});

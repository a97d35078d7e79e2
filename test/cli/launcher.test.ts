import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/**
 * The real launcher, in a folder whose name has a space. The Nodes that it looks at are scripts that tell a version, log
 * what they are asked, and say who they are; only the last tests need a real one.
 */
let folder: string;
let home: string;
let kbin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kbin launcher-'));
  home = join(folder, 'home');
  kbin = join(folder, 'dist', 'kbin');
  mkdirSync(join(folder, 'dist'));
  mkdirSync(home);
  writeFileSync(kbin, launcher(), { mode: 0o755 });
  writeFileSync(
    join(folder, 'dist', 'kbin.cjs'),
    'process.stdout.write(JSON.stringify(process.argv.slice(2)));',
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The launcher, but for the line with the places of the whole machine: what Node lies there is not ours to say. */
function launcher(): string {
  const text = readFileSync(join(import.meta.dirname, '../../scripts/launcher.sh'), 'utf8');
  const without = text.replace(/^ +\/usr\/local\/bin\/node .*\\\n/m, '');
  expect(without).not.toBe(text);
  return without;
}

function fakeNode(path: string, version: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  const script = `#!/bin/sh
echo "${path} $*" >>"${folder}/asked"
[ "$1" = --version ] && { echo "${version}"; exit; }
[ "$1" = --max-semi-space-size=2 ] && shift
echo "${path} runs $(basename "$1") with: $2 $3; compile cache $NODE_COMPILE_CACHE"
`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}

function start(args: readonly string[], env: Record<string, string> = {}, program = kbin) {
  const { stdout, stderr, status } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: home,
    env: { PATH: '/nowhere:/usr/bin:/bin', HOME: home, ...env },
  });
  const plain = (text: string): string => text.replaceAll(folder, '/f');
  return { stdout: plain(stdout), stderr: plain(stderr), status };
}

/** Whatever Node this machine has in /usr/bin is not what these tests are about: PATH without it, and the tools apart. */
function toolsOnly(...folders: string[]): string {
  const tools = join(folder, 'tools');
  mkdirSync(tools, { recursive: true });
  for (const tool of ['sh', 'basename', 'readlink', 'mkdir', 'mv']) {
    symlinkSync(`/usr/bin/${tool}`, join(tools, tool));
  }
  return [...folders.map((path) => join(folder, path)), tools].join(':');
}

describe('the launcher', () => {
  it('takes the first Node in PATH that is new enough, and hands everything on', () => {
    fakeNode('old/node', 'v20.1.0');
    fakeNode('new/node', 'v24.0.0');
    fakeNode('newer/node', 'v26.0.0');
    const { stdout, status } = start(['a b', '--json'], { PATH: toolsOnly('old', 'new', 'newer') });
    expect(stdout).toBe(
      'new/node runs kbin.cjs with: a b --json; compile cache /f/home/.cache/kbin/compiled\n',
    );
    expect(status).toBe(0);
  });

  it('remembers what it found: the second start asks nothing', () => {
    fakeNode('new/node', 'v24.0.0');
    const env = { PATH: toolsOnly('new') };
    start(['one'], env);
    // As on any machine: what is remembered is newer than the Node.
    start(['two'], env);
    expect(
      readFileSync(join(folder, 'asked'), 'utf8')
        .split('\n')
        .map((line) => line.replaceAll(folder, '/f')),
    ).toEqual([
      'new/node --version',
      'new/node --max-semi-space-size=2 /f/dist/kbin.cjs one',
      'new/node --max-semi-space-size=2 /f/dist/kbin.cjs two',
      '',
    ]);
  });

  it('forgets when PATH changes, or the Node is gone', () => {
    fakeNode('one/node', 'v24.0.0');
    fakeNode('two/node', 'v25.0.0');
    const tools = toolsOnly();
    const path = (name: string): string => `${join(folder, name)}:${tools}`;
    expect(start([], { PATH: path('one') }).stdout).toContain('one/node runs');
    expect(start([], { PATH: path('two') }).stdout).toContain('two/node runs');
    rmSync(join(folder, 'two/node'));
    expect(start([], { PATH: path('two') }).stderr).toContain('there is no Node.js 24 or newer here');
  });

  it('prefers KBIN_NODE, and says so when that is too old', () => {
    fakeNode('new/node', 'v24.0.0');
    const mine = fakeNode('mine/node', 'v25.9.9');
    const old = fakeNode('old/node', 'v18.19.1');
    const PATH = toolsOnly('new');
    expect(start([], { PATH, KBIN_NODE: mine }).stdout).toContain('mine/node runs');
    expect(start([], { PATH, KBIN_NODE: old })).toEqual({
      stdout: '',
      stderr: `kbin: KBIN_NODE names no Node.js 24 or newer: /f/old/node
  /f/old/node is 18.19.1
  next: set KBIN_NODE to a newer one, or unset it to let kbin look for one
`,
      status: 1,
    });
    expect(
      start([], { PATH, KBIN_NODE: join(folder, 'none') }).stderr,
    ).toBe(`kbin: KBIN_NODE names no Node.js 24 or newer: /f/none
  next: set KBIN_NODE to a newer one, or unset it to let kbin look for one
`);
  });

  it('looks in the usual places when PATH has none, and takes the newest', () => {
    fakeNode('home/.nvm/versions/node/v24.9.0/bin/node', 'v24.9.0');
    fakeNode('home/.nvm/versions/node/v24.10.0/bin/node', 'v24.10.0');
    fakeNode('home/.volta/tools/image/node/22.0.0/bin/node', 'v22.0.0');
    fakeNode('home/.local/share/fnm/node-versions/v24.2.0/installation/bin/node', 'v24.2.0');
    expect(start([], { PATH: toolsOnly() }).stdout).toContain(
      'home/.nvm/versions/node/v24.10.0/bin/node runs',
    );
  });

  it('says what it saw when nothing fits', () => {
    fakeNode('old/node', 'v20.20.2');
    fakeNode('broken/node', 'what?');
    const { stderr, status } = start([], { PATH: toolsOnly('broken', 'old') });
    expect(stderr).toBe(`kbin: there is no Node.js 24 or newer here
  found: too old:
  /f/old/node is 20.20.2
  next:  install Node.js 24 or newer from your distribution or nodejs.org, or name one in KBIN_NODE
`);
    expect(status).toBe(1);
  });

  it('works through symbolic links, relative ones too', () => {
    fakeNode('new/node', 'v24.0.0');
    const PATH = toolsOnly('new');
    mkdirSync(join(folder, 'bin'));
    symlinkSync('../dist/kbin', join(folder, 'bin/one'));
    symlinkSync(join(folder, 'bin/one'), join(home, 'two'));
    expect(start(['x'], { PATH }, join(home, 'two')).stdout).toContain('new/node runs kbin.cjs with: x');
    expect(start(['x'], { PATH }, './two').stdout).toContain('new/node runs kbin.cjs with: x');
  });

  it('leaves a compile cache of the user’s choice alone, and does without a home', () => {
    fakeNode('new/node', 'v24.0.0');
    const PATH = toolsOnly('new');
    expect(start([], { PATH, NODE_COMPILE_CACHE: '/mine' }).stdout).toContain('compile cache /mine');
    expect(start([], { PATH, XDG_CACHE_HOME: join(folder, 'c') }).stdout).toContain(
      'compile cache /f/c/kbin/compiled',
    );
    expect(start([], { PATH, HOME: '' }).stdout).toContain('new/node runs');
  });

  it('becomes Node: exit codes and signals are the program’s own', () => {
    const env = { KBIN_NODE: process.execPath };
    expect(start(['a b', '*', '$HOME'], env).stdout).toBe('["a b","*","$HOME"]');
    writeFileSync(join(folder, 'dist', 'kbin.cjs'), 'process.exit(3)');
    expect(start([], env).status).toBe(3);
    writeFileSync(
      join(folder, 'dist', 'kbin.cjs'),
      "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)",
    );
    const { signal } = spawnSync(kbin, { env: { PATH: '/usr/bin:/bin', HOME: home, ...env } });
    expect(signal).toBe('SIGTERM');
  });
});

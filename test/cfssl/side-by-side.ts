import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/program.ts';
import { KbinError } from '../../src/errors.ts';

/** Put there by scripts/cfssl.sh, which `make setup` and `make test` run. */
const bin = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kbin/test/cfssl');

/** Where it is. */
export function needCfssl(): { readonly bin: string } {
  if (!existsSync(join(bin, 'cfssl'))) {
    throw new Error(`no cfssl in ${bin}: run "make setup", or "bash scripts/cfssl.sh"`);
  }
  return { bin };
}

/** What a program said; `failed` says why it made nothing. */
export interface Said {
  readonly out: string;
  readonly err: string;
  readonly failed?: string;
}

/** The real one. It never gets to ask anything of the network: nothing here gives it a reason to. */
export function cfssl(folder: string, args: readonly string[], input?: string): Promise<Said> {
  return program('cfssl', folder, args, input);
}

export function cfssljson(folder: string, args: readonly string[], input: string): Promise<Said> {
  return program('cfssljson', folder, args, input);
}

function program(name: string, folder: string, args: readonly string[], input?: string): Promise<Said> {
  return new Promise((resolve) => {
    const child = execFile(
      join(bin, name),
      [...args],
      { cwd: folder, encoding: 'utf8', timeout: 30_000, maxBuffer: 1 << 24 },
      (error, out, err) =>
        resolve({ out, err, ...(error === null ? {} : { failed: `${err}${error.message}` }) }),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

/** kbin's, in this process: the whole command line, from its words to what it prints. */
export async function kbin(
  folder: string,
  args: readonly string[],
  env: Io['env'] = {},
): Promise<Said & { readonly error?: KbinError }> {
  let out = '';
  let err = '';
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    interactive: false,
    liveProgress: false,
    colour: false,
    env,
    cwd: folder,
    ask: () => Promise.reject(new Error('nobody to ask')),
  };
  try {
    const code = await run(['cfssl', ...args], io);
    return { out, err, ...(code === 0 ? {} : { failed: `exit ${code}` }) };
  } catch (error) {
    // Anything else is a defect, and shall be seen as one.
    if (!(error instanceof KbinError)) throw error;
    return { out, err, failed: error.message, error };
  }
}

export function put(folder: string, files: Readonly<Record<string, unknown>>): void {
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** `count` at a time: enough to keep two cores busy while processes start. */
export async function inTurn<T>(
  cases: readonly T[],
  count: number,
  work: (one: T, index: number) => Promise<void>,
): Promise<void> {
  const left = [...cases.entries()];
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next[1], next[0]);
    }),
  );
}

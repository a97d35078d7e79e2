import type { Io } from '../../src/cli/io.ts';
import { printError } from '../../src/cli/output.ts';
import { run } from '../../src/cli/program.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command line in this process, with nobody at the terminal. */
export async function kbin(cwd: string, argv: readonly string[], env: Io['env'] = {}): Promise<Said> {
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
    cwd,
    ask: () => Promise.reject(new Error('nobody to ask')),
  };
  const code = await run(argv, io).catch((error: unknown) => printError(io, error));
  return { code, out, err };
}

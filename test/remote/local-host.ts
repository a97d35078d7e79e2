import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import net from 'node:net';
import { KbinError } from '../../src/errors.ts';
import type { CommandResult, HeldCommand, Host, RunOptions } from '../../src/remote/host.ts';
import { quoteArgv } from '../../src/remote/quote.ts';
import { sendStdin } from '../../src/remote/stdin.ts';

/**
 * A Host that is this machine: commands run in the local `sh`, as the user who runs the tests. For tests of scripts,
 * with every path in them below a temporary folder. Records the commands it was given.
 */
export class LocalHost implements Host {
  readonly name: string;
  readonly commands: string[][] = [];
  readonly #held = new Set<ChildProcess>();
  readonly #env: NodeJS.ProcessEnv;

  /** `env` is added to a small environment: a test sees the same on every machine. */
  constructor(name = 'local', env: Record<string, string> = {}) {
    this.name = name;
    this.#env = { PATH: process.env.PATH, HOME: '/nonexistent', ...env };
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    this.commands.push([...argv]);
    const child = this.#spawn(argv);
    const result = collect(child);
    const sent = sendStdin(child.stdin, options.stdin, result, options.onProgress).catch(async (error) => {
      child.stdin.end();
      await result;
      throw error;
    });
    const seconds = options.timeout ?? 60;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        child.kill('SIGKILL');
        const what = `${quoteArgv(argv).slice(0, 80)} did not end within ${seconds} s`;
        reject(new KbinError(what, { host: this.name }));
      }, seconds * 1000);
    });
    const finished = Promise.all([result, sent]).then(([ended]) => ended);
    return Promise.race([finished, late]).finally(() => clearTimeout(timer));
  }

  script(text: string, args: readonly string[] = [], options: RunOptions = {}): Promise<CommandResult> {
    return this.run(['sh', '-c', text, 'sh', ...args], options);
  }

  async hold(script: string, args: readonly string[] = []): Promise<HeldCommand> {
    this.commands.push(['sh', '-c', script, 'sh', ...args]);
    const child = this.#spawn(['sh', '-c', `${script}\nexec cat >/dev/null`, 'sh', ...args]);
    this.#held.add(child);
    const ended = collect(child).finally(() => this.#held.delete(child));
    let seen = '';
    const greeting = await Promise.race([
      new Promise<string>((resolve) => {
        child.stdout?.on('data', (chunk: Buffer) => {
          seen += chunk;
          if (seen.includes('\n')) resolve(seen.slice(0, seen.indexOf('\n')));
        });
      }),
      ended.then((result) => result.stdout.split('\n')[0] ?? ''),
    ]);
    const release = async () => {
      child.stdin?.end();
      await ended;
    };
    return { greeting, release, ended };
  }

  async forward(address: string, port: number): Promise<net.Socket> {
    const socket = net.connect({ host: address, port });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  }

  /** As when the connection ends: what is held ends too. */
  async close(): Promise<void> {
    for (const child of this.#held) child.stdin?.destroy();
  }

  #spawn(argv: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn('sh', ['-c', `exec ${quoteArgv(argv)}`], { env: this.#env });
    // A command may end without having read its input.
    child.stdin.on('error', () => {});
    return child;
  }
}

function collect(child: ChildProcess): Promise<CommandResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const texts = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      resolve(signal ? { code: null, signal, ...texts } : { code, ...texts });
    });
  });
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { bundleProgram } from './bundle.ts';

export type When = 'before' | 'during' | 'after';

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** Keys of the effects that began: `node1: commit`, `node1: commit (2)`. */
  readonly effects: readonly string[];
}

/** A deploy of cluster.yaml in a process of its own that can be killed at any of its effects on hosts. */
export class InterruptedDeploy {
  readonly #program: string;
  readonly #argv: readonly string[];

  private constructor(program: string, argv: readonly string[]) {
    this.#program = program;
    this.#argv = argv;
  }

  static async create(
    folder: string,
    what: 'etcd' | 'control-plane' | 'take-over',
  ): Promise<InterruptedDeploy> {
    const program = join(folder, 'interrupted-deploy.cjs');
    await bundleProgram(join(import.meta.dirname, 'interrupted-deploy.ts'), program);
    return new InterruptedDeploy(program, [join(folder, 'cluster.yaml'), what]);
  }

  /** Killed at an effect, or left to its end. */
  async run(key?: string, when: When = 'after'): Promise<Ended> {
    const argv = [this.#program, ...this.#argv, ...(key === undefined ? [] : [key, when])];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== null && code !== 0) throw new Error(stderr);
    return { code, signal, effects: stdout.split('\n').filter(Boolean) };
  }
}

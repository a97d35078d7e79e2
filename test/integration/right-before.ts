import type { Duplex } from 'node:stream';
import type { CommandResult, Connect, HeldCommand, Host, RunOptions } from '../../src/remote/host.ts';

/** A Connect whose host does `work` once, right before the first command with this label; others with it wait for that. */
export function rightBefore(
  connect: Connect,
  name: string | RegExp,
  label: string | RegExp,
  work: () => Promise<unknown>,
): Connect {
  let working: Promise<unknown> | undefined;
  const once = async () => {
    working ??= work();
    await working;
  };
  const fits = (text: string, wanted: string | RegExp) =>
    typeof wanted === 'string' ? text === wanted : wanted.test(text);
  return async (hostName) => {
    const host = await connect(hostName);
    return fits(hostName, name)
      ? new Prepared(host, (text) => (fits(text, label) ? once() : undefined))
      : host;
  };
}

class Prepared implements Host {
  readonly name: string;
  readonly #host: Host;
  readonly #prepare: (label: string) => Promise<void> | undefined;

  constructor(host: Host, prepare: (label: string) => Promise<void> | undefined) {
    this.name = host.name;
    this.#host = host;
    this.#prepare = prepare;
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    await this.#prepare(options.label ?? argv.join(' '));
    return this.#host.run(argv, options);
  }

  async script(text: string, args?: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    await this.#prepare(options.label ?? 'script');
    return this.#host.script(text, args, options);
  }

  hold(script: string, args?: readonly string[]): Promise<HeldCommand> {
    return this.#host.hold(script, args);
  }

  forward(address: string, port: number): Promise<Duplex> {
    return this.#host.forward(address, port);
  }

  close(): Promise<void> {
    return this.#host.close();
  }
}

import { type Duplex, Readable } from 'node:stream';
import { KbinError } from '../errors.ts';
import type { Connection } from './connection.ts';
import { execute, type Running, start } from './exec.ts';
import type { CommandResult, HeldCommand, Host, RunOptions } from './host.ts';
import { findPrivilege } from './privilege.ts';
import {
  type CommandLine,
  commandLine,
  type Login,
  type Privilege,
  refusedLater,
  sudoRefused,
} from './sudo.ts';
import type { SudoPasswords } from './sudo-passwords.ts';

const RELEASE_TIMEOUT_MS = 5000;

export interface SshHostOptions {
  /** Seconds. */
  readonly commandTimeout: number;
  readonly passwords: SudoPasswords;
  /** Called once the connection has ended by close(). */
  readonly onClose?: () => Promise<void>;
}

/** A host behind an SSH connection. */
export class SshHost implements Host {
  readonly name: string;
  readonly #connection: Connection;
  readonly #options: SshHostOptions;
  readonly #login: Login;
  #privilege: Promise<Privilege> | undefined;
  #closed: Promise<void> | undefined;

  constructor(connection: Connection, options: SshHostOptions) {
    this.name = connection.target.name;
    this.#connection = connection;
    this.#options = options;
    this.#login = { host: this.name, user: connection.target.user };
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    const label = options.label ?? shorten(argv.join(' '));
    // It may fail before anybody reads it; sendStdin() then gets the error.
    if (options.stdin instanceof Readable) options.stdin.on('error', () => {});
    const privilege = options.asLoginUser ? ({ kind: 'plain' } as const) : await this.#root();
    const result = await this.#execute(argv, privilege, { ...options, label });
    if (privilege.kind === 'sudo' && refusedLater(result.stderr, result.code)) {
      throw sudoRefused(result.stderr.trim(), this.#login);
    }
    return result;
  }

  script(text: string, args: readonly string[] = [], options: RunOptions = {}): Promise<CommandResult> {
    const label = options.label ?? 'a script';
    return this.run(['sh', '-c', text, 'sh', ...args], { ...options, label });
  }

  async hold(script: string, args: readonly string[] = []): Promise<HeldCommand> {
    // cat ends with its input: at release(), or when sshd closes the pipe of a connection that is gone.
    const argv = ['sh', '-c', `${script}\nexec cat >/dev/null`, 'sh', ...args];
    const line = commandLine(argv, await this.#root(), this.#login);
    const label = 'a command that stays';
    const running = await start(
      this.#connection,
      line.text,
      { timeout: undefined, label, ...withDialogue(line) },
      true,
    );
    const greeting = await this.#greeting(running);
    const ended = running.result.catch((error: Error) => ({ code: null, stdout: '', stderr: error.message }));
    const release = async () => {
      running.endInput();
      const late = new Promise<void>((resolve) => setTimeout(resolve, RELEASE_TIMEOUT_MS).unref());
      await Promise.race([ended, late]);
    };
    return { greeting, release, ended };
  }

  forward(address: string, port: number): Promise<Duplex> {
    return this.#connection.forward(address, port);
  }

  close(): Promise<void> {
    this.#closed ??= this.#connection.close().then(() => this.#options.onClose?.());
    return this.#closed;
  }

  /** Decided once per connection. A failure is not remembered: a person may mend it and try again. */
  #root(): Promise<Privilege> {
    this.#privilege ??= findPrivilege(this.#login, this.#options.passwords, (argv, privilege) =>
      this.#execute(argv, privilege, { label: 'become root' }),
    ).catch((error) => {
      this.#privilege = undefined;
      throw error;
    });
    return this.#privilege;
  }

  #execute(
    argv: readonly string[],
    privilege: Privilege,
    options: RunOptions & { label: string },
  ): Promise<CommandResult> {
    const timeout = options.timeout ?? this.#options.commandTimeout;
    const line = commandLine([...endingAfter(timeout), ...argv], privilege, this.#login);
    return execute(this.#connection, line.text, { ...options, timeout, ...withDialogue(line) });
  }

  async #greeting(running: Running): Promise<string> {
    const seconds = this.#options.commandTimeout;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        running.endInput();
        const what = `a command that should stay said nothing within ${seconds} s`;
        reject(new KbinError(`${what} on ${this.name}`, { host: this.name, step: 'hold' }));
      }, seconds * 1000);
    });
    try {
      const line = await Promise.race([running.firstLine, late]);
      // Ended without a word: by itself, or with the link, which is an error.
      if (line === undefined) await running.result;
      return line ?? '';
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * The host ends by itself what nobody waits for any more: because the time is up here, or the link was lost. (sshd
 * signals no command of root's, nor what sudo started.)
 */
function endingAfter(seconds: number): string[] {
  return ['timeout', '-k', '5', String(Math.ceil(seconds) + 2)];
}

function withDialogue({ dialogue }: CommandLine): Pick<CommandLine, 'dialogue'> {
  return dialogue ? { dialogue } : {};
}

function shorten(command: string): string {
  const line = command.split('\n')[0] ?? '';
  return line.length > 60 || line !== command ? `${line.slice(0, 60)}…` : line;
}

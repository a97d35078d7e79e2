import type ssh2 from 'ssh2';
import { KbinError } from '../errors.ts';
import type { Connection } from './connection.ts';
import type { CommandResult, RunOptions } from './host.ts';
import { type Dialogue, MAX_OUTPUT_BYTES, Output } from './output.ts';
import { sendStdin } from './stdin.ts';

export interface ExecOptions extends Omit<RunOptions, 'asLoginUser' | 'timeout'> {
  /** Seconds; undefined for a command that stays until its connection ends. */
  readonly timeout: number | undefined;
  /** The command as messages name it; never holds a secret. */
  readonly label: string;
  readonly dialogue?: Dialogue | undefined;
}

/** A command on its way. */
export interface Running {
  /** Rejects with a KbinError when the link is lost, a deadline passes or the dialogue fails. */
  readonly result: Promise<CommandResult>;
  /** Settles with the command's first line on stdout, or with undefined when it ended without one. */
  readonly firstLine: Promise<string | undefined>;
  /** Ends standard input, for a command that was started with it kept open. */
  endInput(): void;
}

/** Runs a command line on the host. */
export async function execute(
  connection: Connection,
  command: string,
  options: ExecOptions,
): Promise<CommandResult> {
  return (await start(connection, command, options, false)).result;
}

/** Starts a command line; with `keepInput` its standard input stays open until endInput(). */
export async function start(
  connection: Connection,
  command: string,
  options: ExecOptions,
  keepInput: boolean,
): Promise<Running> {
  const channel = await connection.exec(command);
  const output = new Output(options.dialogue, channel);
  const ended = watch(channel, output);
  const closed = ended.then(() => {});
  let firstLine: (line: string | undefined) => void = () => {};
  const line = new Promise<string | undefined>((resolve) => {
    firstLine = resolve;
  });
  output.onLine = (text) => firstLine(text);
  closed.then(() => firstLine(undefined));

  const aborted = new Promise<never>((_, reject) => {
    const fail = (error: Error) => {
      abort(channel);
      reject(error);
    };
    output.onOverflow = () => fail(tooMuch(connection, options.label));
    const send = async () => {
      await Promise.race([output.started, closed]);
      if (!keepInput) await sendStdin(channel, options.stdin, closed, options.onProgress);
    };
    send().catch(fail);
    limit(options, closed, () => fail(timedOut(connection, options, output)));
  });
  const result = Promise.race([ended.then((end) => conclude(connection, options, output, end)), aborted]);
  result.catch(() => {});
  return { result, firstLine: line, endInput: () => channel.end() };
}

interface End {
  /** undefined: the channel closed without telling how the command ended. */
  readonly code: number | null | undefined;
  readonly signal: string | undefined;
}

/** Collects what a channel brings, and settles when it has closed, however that came about. */
function watch(channel: ssh2.ClientChannel, output: Output): Promise<End> {
  let code: number | null | undefined;
  let signal: string | undefined;
  channel.on('data', (chunk: Buffer) => output.stdout(chunk));
  channel.stderr.on('data', (chunk: Buffer) => output.stderr(chunk));
  channel.on('error', () => {});
  channel.on('exit', (exitCode: number | null, signalName?: string) => {
    code = exitCode;
    signal = signalName;
  });
  return new Promise((resolve) => channel.once('close', () => resolve({ code, signal })));
}

function conclude(connection: Connection, options: ExecOptions, output: Output, end: End): CommandResult {
  const host = connection.target.name;
  const texts = output.texts();
  if (end.code === undefined) {
    if (connection.lost) {
      const { message, details } = connection.lost;
      throw new KbinError(message, { ...details, step: options.label });
    }
    throw new KbinError(`${host} did not tell how ${options.label} ended`, {
      host,
      step: options.label,
      why: 'sshd closed the session without an exit status',
      output: texts.stderr,
    });
  }
  if (options.dialogue && !output.hasStarted) throw options.dialogue.failed(texts.stderr, end.code);
  return end.code === null
    ? { code: null, ...(end.signal && { signal: end.signal }), ...texts }
    : { code: end.code, ...texts };
}

function limit(options: ExecOptions, closed: Promise<void>, expire: () => void): void {
  if (options.timeout === undefined) return;
  const timer = setTimeout(expire, options.timeout * 1000);
  closed.then(() => clearTimeout(timer));
}

/** Asks sshd to kill the command, and hangs up: the pipe that ends stops what sshd may not kill (sudo's children). */
function abort(channel: ssh2.ClientChannel): void {
  channel.signal('KILL');
  channel.close();
}

function timedOut(connection: Connection, options: ExecOptions, output: Output): KbinError {
  const { stdout, stderr } = output.texts();
  const host = connection.target.name;
  const last = (stderr || stdout).trim().split('\n').slice(-10).join('\n');
  return new KbinError(`${options.label} on ${host} did not end within ${options.timeout} s`, {
    host,
    step: options.label,
    why: last ? 'see below for the last it said' : 'it said nothing',
    next: 'see what the host is busy with; ssh.commandTimeout in cluster.yaml gives commands more time',
    ...(last && { output: last }),
  });
}

function tooMuch(connection: Connection, label: string): KbinError {
  const host = connection.target.name;
  return new KbinError(`${label} on ${host} printed more than ${MAX_OUTPUT_BYTES >> 20} MiB`, {
    host,
    step: label,
  });
}

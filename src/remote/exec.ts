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
  try {
    const begin = (channel: ssh2.ClientChannel) => attend(connection, channel, options, keepInput);
    return await connection.exec(command, begin, keepInput);
  } catch (error) {
    throw atStep(error, options.label);
  }
}

function attend(
  connection: Connection,
  channel: ssh2.ClientChannel,
  options: ExecOptions,
  keepInput: boolean,
): Running {
  const output = new Output(options.dialogue, channel);
  const firstLine = new Promise<string>((resolve) => {
    output.onLine = resolve;
  });
  const ended = watch(channel, output);
  const closed = ended.then(() => undefined);
  const sent = feed(channel, output, closed, keepInput ? undefined : options);
  const whole = ended.then(async (end) => {
    await sent;
    return conclude(connection, options, output, end);
  });
  const result = Promise.race([whole, aborted(connection, channel, options, output, closed)]);
  result.catch(() => {});
  return { result, firstLine: Promise.race([firstLine, closed]), endInput: () => channel.end() };
}

/** Gives the command its input once it has started. Rejects when the source of the input fails. */
async function feed(
  channel: ssh2.ClientChannel,
  output: Output,
  closed: Promise<undefined>,
  input: Pick<ExecOptions, 'stdin' | 'onProgress'> | undefined,
): Promise<void> {
  await Promise.race([output.started, closed]);
  if (!input) return;
  try {
    await sendStdin(channel, input.stdin, closed, input.onProgress);
  } catch (error) {
    // The command sees its input end too early and may clean up; what it makes of it is of no interest.
    channel.end();
    await closed;
    throw error;
  }
}

/** Rejects when the command has to be given up. */
function aborted(
  connection: Connection,
  channel: ssh2.ClientChannel,
  options: ExecOptions,
  output: Output,
  closed: Promise<undefined>,
): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (error: Error) => {
      channel.close();
      reject(error);
    };
    output.onOverflow = () => giveUp(tooMuch(connection, options.label));
    if (options.timeout === undefined) return;
    const expire = () => giveUp(timedOut(connection, options, output));
    const timer = setTimeout(expire, options.timeout * 1000);
    closed.then(() => clearTimeout(timer));
  });
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
    if (connection.lost) throw atStep(connection.lost, options.label);
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

/** A connection's error is the same for all its commands; each says what it was at. */
function atStep(error: unknown, step: string): unknown {
  return error instanceof KbinError ? new KbinError(error.message, { ...error.details, step }) : error;
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

/** What a command on a host came to. `code` is null when a signal ended it or the link was lost (never success). */
export interface CommandResult {
  readonly code: number | null;
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /**
   * Bytes for the command's standard input; a stream is sent with back-pressure, and a chunk of it is no longer looked
   * at once the next is asked for. Never logged.
   */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array | string>;
  /** Seconds; default the host's commandTimeout. A time-out is a KbinError. */
  readonly timeout?: number;
  /** Run as the login user even where root is to be had. Default false: as root, through sudo where needed. */
  readonly asLoginUser?: boolean;
  /** What errors call it ("start etcd.service"); default the command's first words. Never holds a secret. */
  readonly label?: string;
  /** Called with the number of stdin bytes sent so far. */
  readonly onProgress?: (sentBytes: number) => void;
}

/** A command that stays: it ends when `release` is called or the connection ends, whichever comes first. */
export interface HeldCommand {
  /** First line that the command printed on stdout; empty when it ended without one. */
  readonly greeting: string;
  readonly release: () => Promise<void>;
  /** Settles when the command ended for any reason; never rejects. */
  readonly ended: Promise<CommandResult>;
}

/**
 * Something that runs commands: the only way kbin acts on a host. Commands are argv arrays; quoting for the remote
 * shell happens in src/remote/quote.ts alone. Every method rejects with a KbinError that names the host when the link
 * is lost or a deadline passes; a command that exits non-zero is a result, not an error.
 */
export interface Host {
  readonly name: string;
  /** argv[0] is a program, not a shell's builtin. */
  run(argv: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** Runs a POSIX sh script, passed as one argument to `sh -c` with `args` as $1…, so that stdin stays free. */
  script(text: string, args?: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /**
   * Runs a POSIX sh script that stays: after its last command it waits for release() or for the end of the connection,
   * with everything it opened (a lock on a file descriptor) still open. A script that exits by itself is not held. As
   * root. Rejects when nothing came within the host's commandTimeout.
   */
  hold(script: string, args?: readonly string[]): Promise<HeldCommand>;
  /** A TCP stream to host:port as seen from this host (ssh direct-tcpip). */
  forward(address: string, port: number): Promise<import('node:stream').Duplex>;
  close(): Promise<void>;
}

export type Connect = (hostName: string) => Promise<Host>;

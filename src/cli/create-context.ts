import type { Command } from 'commander';
import type { ExitCode } from '../errors.ts';
import type { CliContext } from './context.ts';
import type { Io } from './io.ts';

/** The context of one run of `program`; `exit` is told the code that the command ends with. */
export function createContext(program: Command, io: Io, exit: (code: ExitCode) => void): CliContext {
  let cluster: ReturnType<CliContext['cluster']> | undefined;
  let interrupt: AbortSignal | undefined;
  const context: CliContext = {
    io,
    get json() {
      return program.opts().json === true;
    },
    get config() {
      return program.opts().config as string | undefined;
    },
    cluster() {
      cluster ??= import('./read-cluster.ts').then(({ readCluster }) => readCluster(context));
      return cluster;
    },
    exit,
    interrupt() {
      interrupt ??= onInterrupt();
      return interrupt;
    },
  };
  return context;
}

function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  const first = (signal: NodeJS.Signals): void => {
    // The next one finds no listener and ends the process.
    process.off('SIGINT', first).off('SIGTERM', first);
    controller.abort(signal);
  };
  process.on('SIGINT', first).on('SIGTERM', first);
  return controller.signal;
}

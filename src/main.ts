import { drained, processIo } from './cli/io.ts';

const io = processIo();

/** Arguments in, exit code out. The one place that catches, and the one that ends the process. */
async function main(): Promise<void> {
  try {
    const { run } = await import('./cli/program.ts');
    const code = await run(process.argv.slice(2), io);
    await drained();
    // Explicit, because a watch or a keep-alive on a dead server would never let the process end.
    process.exit(code);
  } catch (error) {
    await fail(error);
  }
}

async function fail(error: unknown): Promise<void> {
  const { printError } = await import('./cli/output.ts');
  const code = printError(io, error);
  await drained().catch(() => {});
  process.exit(code);
}

// What is thrown where nobody waits for it (a callback, a promise that lost its race) is told like the rest.
process.on('uncaughtException', (error) => void fail(error));

void main();

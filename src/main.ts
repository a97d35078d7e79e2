import { drained, processIo } from './cli/io.ts';

/** Arguments in, exit code out. The one place that catches, and the one that ends the process. */
async function main(): Promise<void> {
  const io = processIo();
  let code: number;
  try {
    const { run } = await import('./cli/program.ts');
    code = await run(process.argv.slice(2), io);
    await drained();
  } catch (error) {
    const { printError } = await import('./cli/output.ts');
    code = printError(io, error);
  }
  await drained().catch(() => {});
  // Explicit, because a watch or a keep-alive on a dead server would never let the process end.
  process.exit(code);
}

void main();

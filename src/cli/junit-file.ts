import { writeFile } from 'node:fs/promises';
import { KbinError } from '../errors.ts';
import { type JUnitReport, toJUnit } from '../verify/junit.ts';

/** `file`: absolute. Throws KbinError when it cannot be written. */
export async function writeJUnit(file: string, report: JUnitReport): Promise<void> {
  try {
    await writeFile(file, toJUnit(report));
  } catch (error) {
    throw new KbinError(`cannot write ${file}`, {
      why: error instanceof Error ? error.message : String(error),
      next: 'check that the folder exists and that you may write to it',
      cause: error,
    });
  }
}

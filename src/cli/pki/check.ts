import { Mistake } from '../../cluster/mistake.ts';
import { readValidity } from '../../cluster/quantity.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { unlessAborted } from '../../health/aborted.ts';
import type { CliContext } from '../context.ts';
import { lookOptions, ownCluster } from '../health-source.ts';
import { junitWriter } from '../junit-file.ts';
import { printJson } from '../output.ts';
import { checkCluster } from './check-cluster.ts';
import { checkFiles } from './check-files.ts';
import { type PkiCheck, pkiCheckOf, sectionsOf } from './check-report.ts';
import { printCertificates, printFindings, printVerdict } from './check-tables.ts';

export interface CheckFlags {
  readonly within: string;
  /** --no-hosts */
  readonly hosts: boolean;
  readonly junit?: string;
  readonly timeout: string;
  readonly acceptNewHostKeys?: boolean;
}

export async function pkiCheck(
  context: CliContext,
  paths: readonly string[],
  flags: CheckFlags,
): Promise<void> {
  const { io } = context;
  const began = new Date();
  const withinHours = readWithin(flags.within);
  const junit = junitWriter(io, flags.junit);
  const look = lookOptions(context, flags);
  const terms = { now: began, withinHours };
  const onHosts = flags.hosts && paths.length === 0;
  const found =
    paths.length > 0
      ? pkiCheckOf('files', terms, checkFiles({ ...terms, paths, cwd: io.cwd }))
      : await unlessAborted(ofCluster(context, flags, { ...terms, ...look }), look.signal);
  junit?.({
    title: `kbin pki check: ${found.subject}`,
    at: found.at,
    seconds: (Date.now() - began.getTime()) / 1000,
    sections: sectionsOf(found),
  });
  if (context.json) printJson(io, found);
  else {
    printCertificates(io, found, onHosts);
    printFindings(io, found);
    printVerdict(io, found);
  }
  if (!found.complete) context.exit(exitCode.failed);
  else if (!found.good) context.exit(exitCode.unhealthy);
}

async function ofCluster(
  context: CliContext,
  flags: CheckFlags,
  terms: { readonly now: Date; readonly withinHours: number; readonly deadlineMs: number },
): Promise<PkiCheck> {
  const { now, withinHours, deadlineMs } = terms;
  const { cluster, store, connect, close } = await ownCluster(context, flags);
  try {
    const parts = await checkCluster({
      cluster,
      store,
      now,
      withinHours,
      ...(flags.hosts ? { hosts: { connect, deadlineMs } } : {}),
    });
    return pkiCheckOf(`certificates of cluster ${cluster.name}`, terms, parts);
  } finally {
    await close();
  }
}

/** Hours, as cluster.yaml has durations. */
function readWithin(text: string): number {
  const hours = readValidity(0, 100 * 8760)(text);
  if (!(hours instanceof Mistake)) return hours;
  throw new KbinError(`--within: ${hours.message}`, {
    next: 'see "kbin pki check --help"',
    exit: exitCode.usage,
  });
}

import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { exitCode, KbinError } from '../errors.ts';
import { type ReadFile, readAuditPolicy } from './audit-policy.ts';
import type { Cluster } from './cluster.ts';
import { complete } from './defaults.ts';
import type { Problem } from './mistake.ts';
import { readNamedFile, readText } from './read-text.ts';
import { refuse, shownPath, verdict } from './report.ts';
import { rules } from './rules.ts';
import { clusterShape } from './schema.ts';
import { readDraft } from './shape.ts';
import { readYaml } from './yaml.ts';

export interface LoadedCluster {
  readonly cluster: Cluster;
  /** Each with its place: `cluster.yaml:3:5: hosts: an even number of …`. */
  readonly warnings: readonly string[];
}

/** Reads cluster.yaml. Every mistake in it is told by one KbinError with exit 2. */
export async function loadCluster(file: string): Promise<Cluster> {
  return (await loadClusterWithWarnings(file)).cluster;
}

/** What other parts of kbin have to say of a cluster that is well in itself; told with its place in the file. */
export type FurtherRule = (cluster: Cluster) => Iterable<Problem>;

export async function loadClusterWithWarnings(
  file: string,
  further: readonly FurtherRule[] = [],
): Promise<LoadedCluster> {
  const path = resolve(file);
  return parseClusterWithWarnings(
    await readText(path),
    { file: shownPath(path), folder: dirname(path) },
    further,
  );
}

export interface Origin {
  /** What messages call the file. */
  readonly file: string;
  /** Where relative paths in the text start; absolute. */
  readonly folder: string;
  /** What `~` stands for; default the user's own. */
  readonly home?: string;
  /** Reads the files that the text names and that are part of the cluster (the audit policy); default: from the disk. */
  readonly read?: ReadFile;
}

export function parseCluster(text: string, where: Origin): Cluster {
  return parseClusterWithWarnings(text, where).cluster;
}

export function parseClusterWithWarnings(
  text: string,
  { file, folder, home = homedir(), read = readNamedFile }: Origin,
  further: readonly FurtherRule[] = [],
): LoadedCluster {
  const source = readYaml(text);
  if (source.value === undefined && source.mistakes.length === 0) throw emptyFile(file);
  const { draft, problems } = readDraft(clusterShape, source.value ?? {});
  // Nothing was read when YAML itself failed: what is missing then is no news.
  const ruled = source.value === undefined ? [] : rules.flatMap((rule) => [...rule(draft)]);
  const named = readAuditPolicy(draft, { folder, home }, read);
  const found = verdict(file, source, [...problems, ...ruled, ...named.problems]);
  if (found.errors.length > 0) throw refuse(file, found);
  const cluster = complete(draft, { folder, home }, named.texts);
  const all = verdict(file, source, [...ruled, ...further.flatMap((rule) => [...rule(cluster)])]);
  if (all.errors.length > 0) throw refuse(file, all);
  return { cluster, warnings: all.warnings };
}

function emptyFile(file: string): KbinError {
  return new KbinError(`${file} is empty`, {
    next: 'describe the cluster in it: a name and hosts; "kbin init" writes one that explains every setting',
    exit: exitCode.usage,
  });
}

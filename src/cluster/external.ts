import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { localPath } from './files.ts';
import type { Origin } from './load.ts';
import { missing, type Problem } from './mistake.ts';
import { readText } from './read-text.ts';
import { refuse, shownPath, verdict } from './report.ts';
import { clusterShape, type Draft } from './schema.ts';
import { readDraft } from './shape.ts';
import { readYaml } from './yaml.ts';

/** An etcd that kbin did not deploy, for `kbin verify`. Files are absolute. */
export interface ExternalEtcd {
  /** `https://HOST:PORT` each; at least one. */
  readonly endpoints: readonly string[];
  readonly ca?: string;
  /** Client certificate and key: both or neither. */
  readonly cert?: string;
  readonly key?: string;
}

/** The `external: { etcd: … }` section of a cluster.yaml; undefined when it has none. The rest of the file may be bare. */
export async function loadExternal(file: string): Promise<ExternalEtcd | undefined> {
  const path = resolve(file);
  return parseExternal(await readText(path), { file: shownPath(path), folder: dirname(path) });
}

export function parseExternal(
  text: string,
  { file, folder, home = homedir() }: Origin,
): ExternalEtcd | undefined {
  const source = readYaml(text);
  const { draft, problems } = readDraft(clusterShape, source.value ?? {});
  // A misspelt `external:` is of account; what is wrong elsewhere is not.
  const own = problems.filter(
    ({ path, at }) => path[0] === 'external' || path.length === (at === 'key' ? 1 : 0),
  );
  const found = verdict(file, source, [...own, ...lacks(draft)]);
  if (found.errors.length > 0) throw refuse(file, found);
  const etcd = draft.external?.etcd;
  if (etcd === undefined) return undefined;
  const files = (['ca', 'cert', 'key'] as const).flatMap((key) => {
    const value = etcd[key];
    return value === undefined ? [] : [[key, localPath(value, { folder, home })] as const];
  });
  return {
    endpoints: (etcd.endpoints ?? []).filter((url) => url !== undefined),
    ...Object.fromEntries(files),
  };
}

function* lacks({ external }: Draft): Generator<Problem> {
  const etcd = external?.etcd;
  if (external !== undefined && etcd === undefined) {
    yield missing(['external', 'etcd'], 'name the endpoints of the etcd to verify: etcd: { endpoints: […] }');
  }
  if (etcd === undefined) return;
  const at = (key: string): string[] => ['external', 'etcd', key];
  if (!etcd.endpoints?.length)
    yield missing(at('endpoints'), 'a list of endpoints, such as https://10.0.0.1:2379');
  if (etcd.ca === undefined && etcd.endpoints?.some((url) => url?.startsWith('https:'))) {
    yield missing(at('ca'), 'the CA certificate that the endpoints are verified with');
  }
  if (etcd.cert !== undefined && etcd.key === undefined)
    yield missing(at('key'), 'the key that belongs to cert');
  if (etcd.key !== undefined && etcd.cert === undefined)
    yield missing(at('cert'), 'the certificate that belongs to key');
}

import type { EtcdMember } from './etcd-settings.ts';
import { initialCluster } from './etcd-urls.ts';

/**
 * What etcd reads once, when a member joins (src/diff/etcd-membership.ts decides which):
 * - new: a cluster is bootstrapped from what cluster.yaml says;
 * - existing: the host was added to a running cluster, whose membership with this member in it is `initialCluster`;
 * - kept: a member with data. What its etcd.conf says stays, so that a host added to cluster.yaml later changes nothing
 *   on this one. `lines` are those of the present etcd.conf (`keptLines`); none when it has no such file any more.
 */
export type Joining =
  | { readonly kind: 'new' }
  | { readonly kind: 'existing'; readonly initialCluster: string }
  | { readonly kind: 'kept'; readonly lines: readonly string[] };

export const joiningVariables = [
  'ETCD_INITIAL_CLUSTER',
  'ETCD_INITIAL_CLUSTER_TOKEN',
  'ETCD_INITIAL_CLUSTER_STATE',
] as const;
export type JoiningVariable = (typeof joiningVariables)[number];

/** The lines of an etcd.conf that say how its member joined. */
export function keptLines(etcdConf: string | undefined): string[] {
  return (etcdConf ?? '').split('\n').filter((line) => assignment(line) !== undefined);
}

/** What lines like these set, by variable; the last one wins, as with systemd. */
export function joiningValues(lines: readonly string[]): Partial<Record<JoiningVariable, string>> {
  return Object.fromEntries(
    lines.flatMap((line) => [assignment(line) ?? []]).filter((pair) => pair.length === 2),
  );
}

export function joiningValue(variable: JoiningVariable): (member: EtcdMember) => string | undefined {
  return (member) => {
    const { joining } = member;
    if (joining.kind === 'kept' && joining.lines.length > 0) return joiningValues(joining.lines)[variable];
    return fresh(member)[variable];
  };
}

/**
 * A member whose etcd.conf is lost gets the values of a new cluster: etcd does not look at them while there is data, and
 * should the data ever be gone too, `new` makes it stop ("has already been bootstrapped") where `existing` would let it
 * come back with a blank log.
 */
function fresh({ cluster, joining }: EtcdMember): Record<JoiningVariable, string> {
  return {
    ETCD_INITIAL_CLUSTER: joining.kind === 'existing' ? joining.initialCluster : initialCluster(cluster),
    ETCD_INITIAL_CLUSTER_TOKEN: cluster.etcd.token,
    ETCD_INITIAL_CLUSTER_STATE: joining.kind === 'existing' ? 'existing' : 'new',
  };
}

/** One line of an environment file, as systemd reads it (systemd.exec(5)): quoted or not. */
function assignment(line: string): readonly [JoiningVariable, string] | undefined {
  const match = /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line);
  const variable = joiningVariables.find((known) => known === match?.[1]);
  if (variable === undefined) return undefined;
  const text = match?.[2] ?? '';
  if (/^".*"$/.test(text)) return [variable, text.slice(1, -1).replaceAll(/\\(.)/g, '$1')];
  if (/^'.*'$/.test(text)) return [variable, text.slice(1, -1)];
  return [variable, text];
}

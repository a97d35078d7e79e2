import { isLoopback } from './address.ts';
import type { Role } from './cluster.ts';
import { defaults } from './defaults.ts';
import { error, missing, type Path, type Problem, warning } from './mistake.ts';
import type { Rule } from './rules.ts';
import type { Draft, HostDraft } from './schema.ts';

export const hostRules: readonly Rule[] = [
  function* named({ name, external }) {
    if (name === undefined && external === undefined)
      yield missing(['name'], 'a cluster needs a name, such as "prod"');
  },

  function* someHosts({ hosts, external }) {
    if (hosts?.length) return;
    const needed = 'a cluster needs hosts: a list of { name: …, address: … }';
    const foreign = 'no hosts; a cluster that kbin did not deploy (external:) serves "kbin verify" only';
    yield missing(['hosts'], external === undefined ? needed : foreign);
  },

  function* nameAndAddress(draft) {
    for (const [index, host] of hostsOf(draft)) {
      if (host.name === undefined) yield missing(['hosts', index, 'name'], 'a host needs a name');
      if (host.address === undefined) yield missing(['hosts', index, 'address'], 'a host needs an address');
    }
  },

  ({ hosts = [] }) =>
    repeated(
      hosts,
      (host) => host?.name,
      (index) => ['hosts', index, 'name'],
    ),
  ({ hosts = [] }) =>
    repeated(
      hosts,
      (host) => host?.address,
      (index) => ['hosts', index, 'address'],
    ),

  function* eachRoleOnce(draft) {
    for (const [index, { roles }] of hostsOf(draft)) {
      yield* repeated(
        roles ?? [],
        (role) => role,
        (at) => ['hosts', index, 'roles', at],
      );
      if (roles?.length === 0)
        yield error(['hosts', index, 'roles'], 'a host without a role has nothing to do');
    }
  },

  function* loopbackAlone(draft) {
    for (const [index, { address }] of hostsOf(draft)) {
      if (address === undefined || draft.hosts?.length === 1 || !isLoopback(address)) continue;
      const message = `"${address}" is loopback: only a cluster of one host can live on it`;
      yield error(['hosts', index, 'address'], message);
    }
  },

  function* memberCount(draft) {
    const hosts = hostsOf(draft);
    // A role that could not be read may have been etcd.
    if (hosts.length === 0 || hosts.some(([, { roles }]) => roles?.includes(undefined))) return;
    const members = withRole(draft, 'etcd').length;
    if (members === 0) yield missing(['hosts'], 'no host has the role etcd');
    else if (members % 2 === 0) yield warning(['hosts'], evenText(members));
    if (members > 7)
      yield warning(['hosts'], `${members} etcd members: each write waits for more than half; use 3 or 5`);
  },
];

function evenText(members: number): string {
  const others = members === 2 ? '1 or 3' : `${members - 1} or ${members + 1}`;
  return `${members} etcd members, an even number: no more of them may fail than of ${members - 1}; use ${others}`;
}

/** The hosts that could be read as such, with their index. */
export function hostsOf({ hosts = [] }: Draft): (readonly [number, HostDraft])[] {
  return [...hosts.entries()].filter((entry): entry is [number, HostDraft] => entry[1] !== undefined);
}

export function withRole(draft: Draft, ...wanted: Role[]): (readonly [number, HostDraft])[] {
  return hostsOf(draft).filter(([, host]) =>
    (host.roles ?? defaults.roles).some((role) => wanted.includes(role as Role)),
  );
}

function* repeated<T>(
  items: readonly T[],
  key: (item: T) => string | undefined,
  path: (index: number) => Path,
): Generator<Problem> {
  const keys = items.map(key);
  for (const [index, value] of keys.entries()) {
    const first = keys.indexOf(value);
    if (value === undefined || first === index) continue;
    yield error(path(index), `"${value}" is there twice`, path(first));
  }
}

import type { Role } from './cluster.ts';
import { defaults } from './defaults.ts';
import { error, type Path } from './mistake.ts';
import type { Rule } from './rules.ts';
import { hostsOf, withRole } from './rules-hosts.ts';
import { wantsControlPlane } from './rules-kubernetes.ts';
import type { Draft } from './schema.ts';

interface Port {
  readonly path: Path;
  /** What cluster.yaml says. */
  readonly given: number | undefined;
  /** Where it says nothing; undefined: none. */
  readonly usual: number | undefined;
  readonly role: Role;
}

export const portRules: readonly Rule[] = [
  /** On a host with several roles each port is one program's. Defaults first: what was chosen is complained of. */
  function* ports(draft) {
    const all = portsOf(draft).flatMap(({ path, given, usual, role }) => {
      const port = given ?? usual;
      return port === undefined ? [] : [{ path, port, role, chosen: given !== undefined }];
    });
    const sorted = [...all.filter(({ chosen }) => !chosen), ...all.filter(({ chosen }) => chosen)];
    for (const [index, { path, port, role }] of sorted.entries()) {
      const other = sorted
        .slice(0, index)
        .find((earlier) => earlier.port === port && meet(draft, earlier.role, role));
      if (other !== undefined) yield error(path, `port ${port} is taken already`, other.path);
    }
  },
];

/** Whether some host has both roles. */
function meet(draft: Draft, one: Role, other: Role): boolean {
  const hosts = new Set(withRole(draft, one).map(([index]) => index));
  if (withRole(draft, other).some(([index]) => hosts.has(index))) return true;
  // Nobody knows yet where the balancer will be: as it is set up most often, beside the apiservers.
  const unknown = [one, other].find((role) => withRole(draft, role).length === 0);
  return unknown === 'load-balancer' || hostsOf(draft).length === 0;
}

function portsOf(draft: Draft): Port[] {
  const { etcd, kubernetes, endpoint } = draft;
  const flag = (key: 'controllerManager' | 'scheduler'): number | undefined => {
    const text = kubernetes?.[key]?.flags?.['secure-port']?.[0];
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  return [
    { path: ['etcd', 'clientPort'], given: etcd?.clientPort, usual: defaults.etcd.clientPort, role: 'etcd' },
    { path: ['etcd', 'peerPort'], given: etcd?.peerPort, usual: defaults.etcd.peerPort, role: 'etcd' },
    {
      path: ['etcd', 'metricsUrl'],
      given: etcd?.metricsUrl === undefined ? undefined : portIn(etcd.metricsUrl),
      usual: etcd?.metricsUrl === undefined ? portIn(defaults.etcd.metricsUrl) : undefined,
      role: 'etcd',
    },
    {
      path: ['kubernetes', 'apiserverPort'],
      given: kubernetes?.apiserverPort,
      usual: defaults.kubernetes.apiserverPort,
      role: 'control-plane',
    },
    ...(wantsControlPlane(draft)
      ? (['controllerManager', 'scheduler'] as const).map(
          (key): Port => ({
            path: ['kubernetes', key, 'flags', 'secure-port'],
            given: flag(key),
            usual: defaults.kubernetes.healthPorts[key],
            role: 'control-plane',
          }),
        )
      : []),
    ...(endpoint?.loadBalancer === undefined
      ? []
      : [
          {
            path: ['endpoint', 'port'],
            given: endpoint.port,
            usual: defaults.endpoint.balancedPort,
            role: 'load-balancer' as const,
          },
        ]),
  ];
}

/** 2381 of `http://127.0.0.1:2381`; undefined of `off`. */
function portIn(url: string): number | undefined {
  const digits = /:(\d+)$/.exec(url)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

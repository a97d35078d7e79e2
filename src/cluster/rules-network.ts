import { cidrHas, cidrsOverlap, hostBits, prefixLength } from './address.ts';
import { defaults } from './defaults.ts';
import { error, missing, type Path, warning } from './mistake.ts';
import type { Rule } from './rules.ts';
import { hostsOf, withRole } from './rules-hosts.ts';
import type { Draft } from './schema.ts';

export const networkRules: readonly Rule[] = [
  /** On a host that runs them all, each needs a port of its own. */
  function* ports(draft) {
    const taken = new Map<number, Path>();
    for (const { path, port } of portsOf(draft)) {
      const other = taken.get(port);
      if (other === undefined) taken.set(port, path);
      else yield error(path, `port ${port} is taken already`, other);
    }
  },

  /** Only where there will be a Kubernetes: an etcd alone has no services and no pods. */
  function* subnetsApart(draft) {
    if (withRole(draft, 'control-plane', 'worker').length === 0) return;
    const serviceCidr = draft.kubernetes?.serviceCidr ?? defaults.kubernetes.serviceCidr;
    const podCidr = draft.kubernetes?.podCidr ?? defaults.kubernetes.podCidr;
    for (const [key, cidr] of Object.entries({ serviceCidr, podCidr })) {
      for (const [index, { name, address }] of hostsOf(draft)) {
        if (address === undefined || !cidrHas(cidr, address)) continue;
        const message = `${cidr} holds the address ${address} of ${name ?? 'a host'}; hosts must lie outside`;
        yield error(['kubernetes', key], message, ['hosts', index, 'address']);
      }
    }
    if (!cidrsOverlap(serviceCidr, podCidr)) return;
    yield error(['kubernetes', 'podCidr'], `${podCidr} and the serviceCidr ${serviceCidr} overlap`);
  },

  function* subnetSizes({ kubernetes }) {
    const services = kubernetes?.serviceCidr;
    const pods = kubernetes?.podCidr;
    if (services !== undefined && hostBits(services) < 3) {
      yield error(
        ['kubernetes', 'serviceCidr'],
        `${services} is too small: kube-apiserver wants 8 addresses or more`,
      );
    }
    if (services !== undefined && hostBits(services) > 20) {
      const text = `${services} is larger than kube-apiserver takes before 1.33: 20 bits for hosts`;
      yield warning(['kubernetes', 'serviceCidr'], text);
    }
    const perNode = pods?.includes(':') ? 64 : 24;
    if (pods !== undefined && prefixLength(pods) > perNode) {
      yield error(['kubernetes', 'podCidr'], `${pods} is too small: each node takes a /${perNode} of it`);
    }
  },

  function* endpointComplete({ endpoint }) {
    if (endpoint !== undefined && endpoint.address === undefined) {
      yield missing(
        ['endpoint', 'address'],
        'an endpoint needs an address: a VIP, a load balancer or a DNS name',
      );
    }
  },

  function* virtualAddress(draft) {
    const { endpoint } = draft;
    if (endpoint?.loadBalancer === undefined) return;
    for (const [index, { address, name }] of hostsOf(draft)) {
      if (address === undefined || address !== endpoint.address) continue;
      const message = `"${address}" belongs to ${name ?? 'a host'}; the balancers share an address of their own`;
      yield error(['endpoint', 'address'], message, ['hosts', index, 'address']);
    }
  },

  function* leafWithinAuthority({ pki }) {
    const { ca, leaf } = { ...defaults.pki.validity, ...pki?.validity };
    if (leaf === undefined || ca === undefined || leaf <= ca) return;
    yield warning(
      ['pki', 'validity'],
      'a leaf never outlives its CA: certificates will be cut to the validity of the CA',
    );
  },
];

/** Defaults first, so that what was chosen is what is complained of. */
function portsOf({ etcd, kubernetes, endpoint }: Draft): { path: Path; port: number }[] {
  const metrics = etcd?.metricsUrl ?? defaults.etcd.metricsUrl;
  const all = [
    { path: ['etcd', 'clientPort'], given: etcd?.clientPort, port: defaults.etcd.clientPort },
    { path: ['etcd', 'peerPort'], given: etcd?.peerPort, port: defaults.etcd.peerPort },
    { path: ['etcd', 'metricsUrl'], given: etcd?.metricsUrl && portIn(metrics), port: portIn(metrics) },
    {
      path: ['kubernetes', 'apiserverPort'],
      given: kubernetes?.apiserverPort,
      port: defaults.kubernetes.apiserverPort,
    },
    ...(endpoint?.loadBalancer === undefined
      ? []
      : [{ path: ['endpoint', 'port'], given: endpoint.port, port: defaults.endpoint.balancedPort }]),
  ];
  const chosen = all.filter(({ given }) => given);
  return [...all.filter(({ given }) => !given), ...chosen].flatMap(({ path, given, port }) => {
    const one = given || port;
    return one === undefined ? [] : [{ path, port: one }];
  });
}

/** 2381 of `http://127.0.0.1:2381`; undefined of `off`. */
function portIn(url: string): number | undefined {
  const digits = /:(\d+)$/.exec(url)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

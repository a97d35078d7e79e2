import { cidrHas, cidrsOverlap, hostBits, isIpv6, prefixLength } from './address.ts';
import { defaults } from './defaults.ts';
import { error, type Path, type Problem, warning } from './mistake.ts';
import type { Rule } from './rules.ts';
import { hostsOf, withRole } from './rules-hosts.ts';
import { wantsControlPlane } from './rules-kubernetes.ts';
import type { Draft } from './schema.ts';
import { isOlder } from './version.ts';

export const subnetRules: readonly Rule[] = [
  /** Only where there will be a Kubernetes: an etcd alone has no services and no pods. */
  function* subnetsApart(draft) {
    if (withRole(draft, 'control-plane', 'worker').length === 0) return;
    const { serviceCidr, podCidr } = subnetsOf(draft);
    for (const [key, cidr] of Object.entries({ serviceCidr, podCidr })) {
      for (const { address, what, path } of addressesOf(draft)) {
        if (!cidrHas(cidr, address)) continue;
        const message = `${cidr} holds ${what}; it must lie outside`;
        yield error(['kubernetes', key], message, path);
      }
    }
    if (!cidrsOverlap(serviceCidr, podCidr)) return;
    yield error(['kubernetes', 'podCidr'], `${podCidr} and the serviceCidr ${serviceCidr} overlap`);
  },

  /** kube-apiserver refuses to start otherwise: "service IP family … must match public address family …". */
  function* oneFamily(draft) {
    if (!wantsControlPlane(draft)) return;
    const { serviceCidr, podCidr } = subnetsOf(draft);
    const family = (text: string): string => (isIpv6(text) ? 'IPv6' : 'IPv4');
    for (const [index, { name, address }] of withRole(draft, 'control-plane')) {
      if (address === undefined || isIpv6(address) === isIpv6(serviceCidr)) continue;
      const message = `${serviceCidr} is ${family(serviceCidr)}, and the address ${address} of ${name ?? 'a host'} ${family(address)}; choose a serviceCidr of the same family`;
      yield error(['kubernetes', 'serviceCidr'], message, ['hosts', index, 'address']);
    }
    if (isIpv6(serviceCidr) === isIpv6(podCidr)) return;
    const message = `${podCidr} is ${family(podCidr)}, and the serviceCidr ${serviceCidr} ${family(serviceCidr)}; kbin builds clusters of one family`;
    yield error(['kubernetes', 'podCidr'], message, ['kubernetes', 'serviceCidr']);
  },

  function* serviceSize({ kubernetes }) {
    const cidr = kubernetes?.serviceCidr;
    if (cidr === undefined) return;
    const path = ['kubernetes', 'serviceCidr'];
    if (hostBits(cidr) < 3) {
      yield error(path, `${cidr} is too small: kube-apiserver wants 8 addresses or more`);
    }
    // Before its allocator of 1.33: --service-cluster-ip-range "is too large".
    if (hostBits(cidr) <= 20) return;
    const text = `${cidr} is larger than kube-apiserver takes before 1.33: 20 bits for services`;
    if (kubernetes?.version === undefined) yield warning(path, text);
    else if (isOlder(kubernetes.version, '1.33.0')) yield error(path, text);
  },

  /** kube-controller-manager cuts it into one subnet for each node. */
  function* podSize(draft) {
    const { podCidr } = subnetsOf(draft);
    const path = ['kubernetes', 'podCidr'];
    const perNode = nodeMask(draft, podCidr);
    const bits = perNode - prefixLength(podCidr);
    if (bits < 0) yield error(path, `${podCidr} is too small: each node takes a /${perNode} of it`);
    // pkg/controller/nodeipam/ipam/cidrset: ErrCIDRSetSubNetTooBig
    else if (isIpv6(podCidr) && bits > 16) {
      const text = `${podCidr} is too large: with a /${perNode} for each node, kube-controller-manager takes a /${perNode - 16} or smaller`;
      yield error(path, text);
    } else yield* roomForNodes(draft, path, podCidr, perNode);
  },
];

function* roomForNodes(draft: Draft, path: Path, podCidr: string, perNode: number): Generator<Problem> {
  const nodes = withRole(draft, 'worker').length;
  const room = 2 ** (perNode - prefixLength(podCidr));
  if (nodes <= room) return;
  yield error(
    path,
    `${podCidr} is too small: ${room} subnets of /${perNode}, and ${nodes} workers need one each`,
  );
}

/** --node-cidr-mask-size, and its kind by family. */
function nodeMask({ kubernetes }: Draft, podCidr: string): number {
  const flags = kubernetes?.controllerManager?.flags ?? {};
  const [family, usual] = isIpv6(podCidr) ? ['ipv6', 64] : ['ipv4', 24];
  const text = flags[`node-cidr-mask-size-${family}`]?.[0] ?? flags['node-cidr-mask-size']?.[0] ?? '';
  return /^\d{1,3}$/.test(text) ? Number(text) : Number(usual);
}

function subnetsOf({ kubernetes }: Draft): { readonly serviceCidr: string; readonly podCidr: string } {
  const { serviceCidr, podCidr } = defaults.kubernetes;
  return { serviceCidr: kubernetes?.serviceCidr ?? serviceCidr, podCidr: kubernetes?.podCidr ?? podCidr };
}

/** Every address in the file that something outside the cluster's own networks has or will have. */
function addressesOf(draft: Draft): readonly { address: string; what: string; path: Path }[] {
  const all = [
    ...hostsOf(draft).map(([index, { name, address }]) => ({
      address,
      what: `the address ${address} of ${name ?? 'a host'}`,
      path: ['hosts', index, 'address'],
    })),
    {
      address: draft.endpoint?.address,
      what: `the endpoint ${draft.endpoint?.address}`,
      path: ['endpoint', 'address'],
    },
    ...(draft.pki?.reserve ?? []).map((address, index) => ({
      address,
      what: `${address}, reserved for a host to come`,
      path: ['pki', 'reserve', index],
    })),
  ];
  return all.flatMap(({ address, ...rest }) =>
    address === undefined || !isAddress(address) ? [] : [{ address, ...rest }],
  );
}

/** Names stand in the same places. */
const isAddress = (text: string): boolean => /^[\d.]+$/.test(text) || text.includes(':');

import { error, missing, warning } from './mistake.ts';
import type { Rule } from './rules.ts';
import { hostsOf, withRole } from './rules-hosts.ts';

export const endpointRules: readonly Rule[] = [
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

  /** Without a balancer of kbin's somebody else's may well run there; the address goes with the host all the same. */
  function* notOneOfSeveral(draft) {
    const { endpoint } = draft;
    const controlPlane = withRole(draft, 'control-plane');
    if (endpoint?.address === undefined || endpoint.loadBalancer !== undefined || controlPlane.length < 2)
      return;
    const own = controlPlane.find(([, { name, address }]) => [name, address].includes(endpoint.address));
    if (own === undefined) return;
    const message = `"${endpoint.address}" is the host ${own[1].name ?? ''} alone: when it is down, nobody reaches the other apiservers`;
    yield warning(['endpoint', 'address'], message);
  },
];

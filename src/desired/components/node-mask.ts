/**
 * How many bits of a node's pod addresses are the node's own: 24 or 64 as everywhere, where the range of all pods has
 * room for some nodes then. The controller-manager refuses more than 16 bits of node numbers with IPv6.
 */
export function nodeMaskSize(podCidr: string): number {
  const prefix = Number(podCidr.slice(podCidr.indexOf('/') + 1));
  if (!podCidr.includes(':')) return prefix <= 22 ? 24 : Math.min(prefix + 3, 32);
  if (prefix <= 48) return prefix + 16;
  return prefix <= 60 ? 64 : Math.min(prefix + 8, 128);
}

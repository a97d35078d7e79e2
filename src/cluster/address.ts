import ipaddr from 'ipaddr.js';
import { Mistake } from './mistake.ts';

/**
 * An IPv4 or IPv6 address of a host, as canonical text (RFC 5952 for IPv6). Refused is what libraries disagree about or
 * what no other host can reach: leading zeros, IPv4 in IPv6, zones, and the ranges in `unfit`. Loopback passes; whether
 * it makes sense is up to who asks.
 */
export function readAddress(text: string): string | Mistake {
  if (text.includes('%')) return new Mistake(`"${text}" has a zone, which means something on one host only`);
  const address = parseAddress(text);
  if (address instanceof Mistake) return address;
  const range = address.range();
  const inside = ipv4Inside(address);
  if (inside !== undefined && !['loopback', 'unspecified'].includes(range)) {
    return new Mistake(`"${text}" is an IPv4 address in IPv6 dress; write ${inside}`);
  }
  const fault = unfit[range];
  return fault === undefined ? address.toString() : new Mistake(`"${text}" is ${fault}`);
}

/** The range's name in ipaddr.js: what is said about an address in it. */
const unfit: Readonly<Record<string, string>> = {
  unspecified: 'the unspecified address, not that of a host',
  broadcast: 'the broadcast address, not that of a host',
  multicast: 'a multicast address, not that of a host',
  linkLocal: 'link-local: other hosts cannot use it without a zone',
};

/** A subnet in CIDR notation without host bits, as canonical text. */
export function readCidr(text: string): string | Mistake {
  if (text.includes(',')) {
    return new Mistake(`"${text}": one subnet; clusters of both families (dual-stack) are not built yet`);
  }
  const [base = '', length = '', rest] = text.split('/');
  const address = parseAddress(base);
  if (address instanceof Mistake) return address;
  const most = address.kind() === 'ipv4' ? 32 : 128;
  const bits = /^(0|[1-9]\d{0,2})$/.test(length) ? Number(length) : Number.NaN;
  if (rest !== undefined || !(bits <= most)) {
    return new Mistake(`"${text}" is not a subnet; write ADDRESS/LENGTH with a length of 0 to ${most}`);
  }
  const network = networkAddress(address, bits);
  const canonical = `${network.toString()}/${bits}`;
  if (network.toString() !== address.toString()) {
    return new Mistake(`"${text}" has bits behind its length of ${bits}; the subnet is ${canonical}`);
  }
  return canonical;
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | Mistake {
  if (/^[\d.]+$/.test(text)) {
    const parts = text.split('.');
    if (parts.length !== 4 || parts.some((part) => part === '' || Number(part) > 255)) {
      return new Mistake(`"${text}" is not an IPv4 address: four numbers of 0 to 255 with dots between`);
    }
    if (parts.some((part) => part.length > 1 && part.startsWith('0'))) {
      const decimal = parts.map(Number).join('.');
      return new Mistake(`"${text}" has leading zeros, which some programs read as octal; write ${decimal}`);
    }
    return ipaddr.IPv4.parse(text);
  }
  // ipaddr.js also takes shapes of old (`1::2%3`, `::1.2`); RFC 4291 text has hex groups and perhaps a whole IPv4 tail.
  if (/^[0-9a-f:]+(:\d{1,3}(\.\d{1,3}){3})?$/i.test(text) && ipaddr.IPv6.isValid(text))
    return ipaddr.IPv6.parse(text);
  return new Mistake(`"${text}" is not an IP address`);
}

/** Of `::ffff:1.2.3.4` and of the form of old, `::1.2.3.4` (RFC 4291, 2.5.5). */
function ipv4Inside(address: ipaddr.IPv4 | ipaddr.IPv6): string | undefined {
  if (address.kind() === 'ipv4') return undefined;
  const { parts } = address as ipaddr.IPv6;
  const [marker = 0, high = 0, low = 0] = parts.slice(5);
  const dressed = parts.slice(0, 5).every((part) => part === 0) && [0, 0xffff].includes(marker);
  return dressed ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined;
}

function networkAddress(address: ipaddr.IPv4 | ipaddr.IPv6, bits: number): ipaddr.IPv4 | ipaddr.IPv6 {
  const cidr = `${address.toString()}/${bits}`;
  return address.kind() === 'ipv4'
    ? ipaddr.IPv4.networkAddressFromCIDR(cidr)
    : ipaddr.IPv6.networkAddressFromCIDR(cidr);
}

/** Of an address or a subnet. */
export function isIpv6(text: string): boolean {
  return text.includes(':');
}

export function isLoopback(address: string): boolean {
  return ipaddr.parse(address).range() === 'loopback';
}

/** For `http://${bracketed(address)}:2379`. */
export function bracketed(address: string): string {
  return isIpv6(address) ? `[${address}]` : address;
}

export function cidrHas(cidr: string, address: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(cidr);
  const parsed = ipaddr.parse(address);
  return network.kind() === parsed.kind() && parsed.match(network, bits);
}

export function cidrsOverlap(one: string, other: string): boolean {
  return cidrHas(one, networkOf(other)) || cidrHas(other, networkOf(one));
}

/** 24 of `10.0.0.0/24`. */
export function prefixLength(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** How many bits a subnet leaves for hosts: 8 of `10.0.0.0/24`. */
export function hostBits(cidr: string): number {
  return (isIpv6(cidr) ? 128 : 32) - prefixLength(cidr);
}

/** The n-th address of a subnet: 1 is the kubernetes service's, 10 by custom the DNS service's. */
export function nthAddress(cidr: string, n: number): string {
  const bytes = ipaddr.parse(networkOf(cidr)).toByteArray();
  let carry = n;
  for (let index = bytes.length - 1; index >= 0 && carry > 0; index--) {
    const sum = (bytes[index] ?? 0) + carry;
    bytes[index] = sum % 256;
    carry = Math.floor(sum / 256);
  }
  return ipaddr.fromByteArray(bytes).toString();
}

function networkOf(cidr: string): string {
  return cidr.slice(0, cidr.indexOf('/'));
}

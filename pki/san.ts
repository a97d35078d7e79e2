import ipaddr from 'ipaddr.js';

/** A subject alternative name. Addresses are canonical text: no leading zeros, no zone, no IPv4 mapped into IPv6. */
export interface San {
  readonly type: 'dns' | 'ip' | 'email' | 'uri';
  readonly value: string;
}

/** An address where it reads as one (`010.0.0.1` does not), an e-mail address or URI where it has their signs, else a DNS name. */
export function toSan(name: string): San {
  if (isAddress(name)) return { type: 'ip', value: ipaddr.parse(name).toString() };
  if (name.includes('://')) return { type: 'uri', value: name };
  if (name.includes('@')) return { type: 'email', value: name };
  return { type: 'dns', value: name };
}

/** Not node:net's isIP: its first look at an IPv6 address costs a process 7 ms. */
function isAddress(name: string): boolean {
  return name.includes(':') ? ipaddr.IPv6.isValid(name) : ipaddr.IPv4.isValidFourPartDecimal(name);
}

const dnsLabel = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;

/**
 * What is wrong with a name, or undefined: the last check before it is encoded. Names out of cluster.yaml were checked
 * when it was read; those of requests and adopted certificates come to this one.
 */
export function sanMistake({ type, value }: San): string | undefined {
  switch (type) {
    case 'ip':
      if (value.includes('%')) return 'has a zone, which no certificate can hold';
      if (/^::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(value))
        return 'is an IPv4 address in IPv6 clothes: write it as IPv4';
      return undefined;
    case 'dns': {
      if (value.length > 253) return 'is longer than 253 characters';
      const labels = value.startsWith('*.') ? value.slice(2).split('.') : value.split('.');
      if (!labels.every((label) => dnsLabel.test(label))) return 'is neither an address nor a DNS name';
      if (/^[0-9]+$/.test(labels.at(-1) ?? '')) return 'is not an address, though it reads like one';
      return undefined;
    }
    case 'email':
      return /^[\x21-\x7e]+@[\x21-\x7e]+$/.test(value) ? undefined : 'is not an e-mail address';
    case 'uri':
      return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(value) ? undefined : 'is not a URI';
  }
}

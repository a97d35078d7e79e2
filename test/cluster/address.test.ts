import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bracketed,
  cidrHas,
  cidrsOverlap,
  hostBits,
  isLoopback,
  nthAddress,
  readAddress,
  readCidr,
} from '../../src/cluster/address.ts';
import { Mistake } from '../../src/cluster/mistake.ts';

/** Addresses that hosts may have: outside link-local, multicast, unspecified and IPv4-mapped ranges. */
const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(fc.integer({ min: 1, max: 168 }), octet, octet, octet).map((parts) => parts.join('.'));
const ipv6 = fc
  .tuple(fc.integer({ min: 0x2000, max: 0xfdff }), fc.array(fc.nat(0xffff), { minLength: 7, maxLength: 7 }))
  .map(([first, rest]) => [first, ...rest]);

/** Node's own canonical text of an IPv6 address (RFC 5952): an oracle that shares no code with ipaddr.js. */
function canonical(text: string): string {
  return new SocketAddress({ family: 'ipv6', address: text }).address;
}

describe('addresses', () => {
  it('of IPv4 stay as they are', () => {
    fc.assert(
      fc.property(ipv4, (text) => {
        expect(readAddress(text)).toBe(text);
      }),
    );
  });

  it('of IPv6 become canonical, however they are written', () => {
    fc.assert(
      fc.property(ipv6, fc.boolean(), (groups, upper) => {
        const long = groups.map((group) => group.toString(16).padStart(4, '0')).join(':');
        const read = readAddress(upper ? long.toUpperCase() : long);
        expect(read).toBe(canonical(long));
        expect(readAddress(String(read))).toBe(read);
      }),
    );
  });

  it('are never read from what Node takes for no address', () => {
    const near = fc.stringMatching(/^[0-9a-f:.%]{2,20}$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const read = readAddress(text);
        if (!(read instanceof Mistake)) expect(SocketAddress.parse(bracketed(text))?.address).toBe(read);
      }),
      { numRuns: 2000 },
    );
  });

  it('with leading zeros are refused with the decimal one', () => {
    expect(readAddress('010.0.0.1')).toEqual(
      new Mistake('"010.0.0.1" has leading zeros, which some programs read as octal; write 10.0.0.1'),
    );
  });

  it('know loopback', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', '10.0.0.1', 'fd00::1'].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('subnets', () => {
  it('hold their own addresses and no others', () => {
    expect(cidrHas('10.96.0.0/12', '10.111.255.255')).toBe(true);
    expect(cidrHas('10.96.0.0/12', '10.112.0.0')).toBe(false);
    expect(cidrHas('fd00::/64', 'fd00::ffff')).toBe(true);
    expect(cidrHas('fd00::/64', '10.0.0.1')).toBe(false);
  });

  it('overlap both ways round, or not at all', () => {
    const overlap = (one: string, other: string): boolean[] => [
      cidrsOverlap(one, other),
      cidrsOverlap(other, one),
    ];
    expect(overlap('10.96.0.0/12', '10.100.0.0/16')).toEqual([true, true]);
    expect(overlap('10.96.0.0/12', '10.244.0.0/16')).toEqual([false, false]);
    expect(overlap('10.96.0.0/12', 'fd00::/16')).toEqual([false, false]);
    expect(overlap('0.0.0.0/0', '10.0.0.0/8')).toEqual([true, true]);
  });

  it('are canonical, without bits for hosts', () => {
    fc.assert(
      fc.property(ipv4, fc.integer({ min: 0, max: 32 }), (address, length) => {
        const read = readCidr(`${address}/${length}`);
        const bits = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        const rest = bits % 2 ** (32 - length);
        if (rest === 0) expect(read).toBe(`${address}/${length}`);
        else expect(read).toBeInstanceOf(Mistake);
      }),
    );
  });

  it('count their addresses', () => {
    expect(nthAddress('10.96.0.0/12', 1)).toBe('10.96.0.1');
    expect(nthAddress('10.96.0.0/12', 257)).toBe('10.96.1.1');
    expect(nthAddress('fd00:10:96::/108', 1)).toBe('fd00:10:96::1');
    expect([hostBits('10.96.0.0/12'), hostBits('fd00::/108')]).toEqual([20, 20]);
  });
});

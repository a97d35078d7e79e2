import ipaddr from 'ipaddr.js';
import type { San } from '../../pki/san.ts';
import { children, firstElement } from './der-read.ts';

/**
 * The value of a subjectAltName extension (RFC 5280 section 4.2.1.6): the names of the four types that TLS knows, in
 * their order; others are passed over. Throws RangeError when it is malformed.
 */
export function readSans(value: Buffer | undefined): San[] {
  if (value === undefined) return [];
  return children(firstElement(value).content).flatMap(({ tag, content }): San[] => {
    switch (tag) {
      case 0x81:
        return [{ type: 'email', value: ascii(content) }];
      case 0x82:
        return [{ type: 'dns', value: ascii(content) }];
      case 0x86:
        return [{ type: 'uri', value: ascii(content) }];
      case 0x87:
        return [{ type: 'ip', value: address(content) }];
      default:
        return [];
    }
  });
}

function ascii(content: Buffer): string {
  if (content.some((byte) => byte >= 0x80)) throw new RangeError('DER: a name that is not ASCII');
  return content.toString('latin1');
}

/** An IPv4 address in IPv6 clothes is shown, and written again, as IPv4. */
function address(content: Buffer): string {
  if (content.length !== 4 && content.length !== 16) throw new RangeError('DER: an address of odd length');
  const parsed = ipaddr.fromByteArray([...content]);
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()
    ? parsed.toIPv4Address().toString()
    : parsed.toString();
}

import ipaddr from 'ipaddr.js';
import { type San, sanMistake } from '../../pki/san.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { Remarks } from './json.ts';
import { mailAddress } from './mail-address.ts';
import { requestUri } from './request-uri.ts';

/**
 * What cfssl makes of a host: an address, an e-mail address or a URI where Go reads it as one, else a DNS name, whatever
 * it looks like. Throws KbinError for what no certificate can hold.
 */
export function hostSan(host: string): San {
  const address = parseAddress(host);
  if (address !== undefined) return { type: 'ip', value: address };
  const mail = mailAddress(host);
  if (mail !== undefined) return ascii({ type: 'email', value: mail }, host);
  const uri = requestUri(host);
  if (uri !== undefined) return ascii({ type: 'uri', value: uri }, host);
  return ascii({ type: 'dns', value: host }, host);
}

/** `order` is that of Go: DNS names, e-mail addresses, IP addresses, URIs; each kind as it was written. */
export function hostSans(hosts: readonly string[], where: string, remarks: Remarks): San[] {
  const sans = hosts.map((host) => {
    const san = hostSan(host);
    const mistake = hostMistake(san, host);
    if (mistake !== undefined) remarks.push(`${where}: "${host}" ${mistake}`);
    return san;
  });
  return inOrder(sans);
}

export function inOrder(sans: readonly San[]): San[] {
  return (['dns', 'email', 'ip', 'uri'] as const).flatMap((type) => sans.filter((san) => san.type === type));
}

const usualUri = /^([A-Za-z][A-Za-z0-9+.-]*:\/\/|(urn|mailto|tag|did|acct|sip|sips):)./i;

/** What a reader of the certificate would not expect of it, with how it got there. */
export function hostMistake(san: San, host = san.value): string | undefined {
  if (host === '') return 'becomes an empty DNS name: take it out';
  if (host.trim() !== host) return 'has a blank at its end, which stays in the DNS name';
  const mistake = sanMistake(san);
  if (san.type === 'uri') {
    if (/^[A-Za-z0-9.-]+:\d+$/.test(host)) return 'becomes a URI, not a DNS name: leave the port out';
    return mistake === undefined && usualUri.test(san.value)
      ? undefined
      : 'becomes a URI, which was hardly meant';
  }
  return mistake;
}

/** Go's net.ParseIP: no leading zeros, no zone; IPv4 in IPv6 clothes is IPv4. Canonical text. */
function parseAddress(host: string): string | undefined {
  if (!host.includes(':')) return ipaddr.IPv4.isValidFourPartDecimal(host) ? host : undefined;
  if (!/^[0-9A-Fa-f:.]+$/.test(host) || !ipaddr.IPv6.isValid(host)) return undefined;
  const dotted = /[^:]*\..*$/.exec(host)?.[0];
  if (dotted !== undefined && !ipaddr.IPv4.isValidFourPartDecimal(dotted)) return undefined;
  const address = ipaddr.IPv6.parse(
    dotted === undefined ? host : host.slice(0, -dotted.length) + inHex(dotted),
  );
  return (address.isIPv4MappedAddress() ? address.toIPv4Address() : address).toString();
}

/** The library takes `::1.2.3.4` for 1.2.3.4, which RFC 4291 says it is not. */
function inHex(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function ascii(san: San, host: string): San {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(san.value)) return san;
  throw new KbinError(`the host "${host}" is not ASCII, which is all that a certificate can hold there`, {
    next: 'write a domain in its xn-- form, and other names percent-encoded',
    exit: exitCode.usage,
  });
}

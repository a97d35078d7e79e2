import ipaddr from 'ipaddr.js';
import type { San } from '../../pki/san.ts';
import { certificateParts, extensionValue, readBasicConstraints } from './certificate-parts.ts';
import { certificatesOf } from './chain.ts';
import { children, firstElement } from './der-read.ts';

const oids = { basicConstraints: '2.5.29.19', nameConstraints: '2.5.29.30' } as const;

/**
 * What a CA and those above it forbid, of RFC 5280 section 4.2.1.10, for the names that TLS knows. `caPem` is the CA's
 * file: its own certificate, then those above. Returns a clause for each name that is not allowed.
 */
export function forbiddenNames(caPem: string, sans: readonly San[]): string[] {
  return certificatesOf(caPem).flatMap((certificate) => {
    const value = extensionValue(certificateParts(certificate.raw), oids.nameConstraints);
    if (value === undefined) return [];
    const [permitted, excluded] = [0xa0, 0xa1].map((tag) => subtrees(value, tag));
    const by = certificate.subject.replaceAll('\n', ', ');
    return sans.flatMap((san) => {
      const own = (permitted ?? []).filter(({ type }) => type === san.type);
      if (own.length > 0 && !own.some((subtree) => covers(subtree, san) === true))
        return [`${san.value} (permitted by ${by}: other names)`];
      return (excluded ?? []).some((subtree) => covers(subtree, san) !== false)
        ? [`${san.value} (excluded by ${by})`]
        : [];
    });
  });
}

/** RFC 5280 section 4.2.1.9: how many CAs may stand below. A clause, or undefined when all is well. */
export function pathLengthMistake(caPem: string): string | undefined {
  for (const [below, certificate] of certificatesOf(caPem).entries()) {
    const value = extensionValue(certificateParts(certificate.raw), oids.basicConstraints);
    const authority = readBasicConstraints(value);
    const subject = certificate.subject.replaceAll('\n', ', ');
    if (authority === undefined) return `${subject} is no CA`;
    if (authority.pathLength !== undefined && authority.pathLength < below) {
      return `${subject} allows ${authority.pathLength} CAs below itself, and there ${below === 1 ? 'is 1' : `are ${below}`}`;
    }
  }
  return undefined;
}

interface Subtree {
  readonly type: San['type'];
  readonly content: Buffer;
}

/** Tags of GeneralName. */
const types: Readonly<Record<number, San['type']>> = { 129: 'email', 130: 'dns', 134: 'uri', 135: 'ip' };

function subtrees(value: Buffer, tag: number): Subtree[] {
  const list = children(firstElement(value).content).find((part) => part.tag === tag);
  if (list === undefined) return [];
  return children(list.content).flatMap((subtree) => {
    const [base] = children(subtree.content);
    const type = base === undefined ? undefined : types[base.tag];
    return base === undefined || type === undefined ? [] : [{ type, content: base.content }];
  });
}

/** undefined: the standard has no answer for such a name, and wants it refused. */
function covers({ type, content }: Subtree, { type: own, value }: San): boolean | undefined {
  if (type !== own) return false;
  if (type === 'ip') return coversAddress(content, value);
  const base = content.toString('latin1');
  if (base === '') return true;
  switch (type) {
    case 'dns':
      return isBelow(base, value) || sameText(base, value);
    case 'email':
      return coversMailbox(base, value);
    case 'uri': {
      const host = hostOfUri(value);
      return host === undefined ? undefined : coversHost(base, host);
    }
  }
}

const sameText = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** By whole labels, at least one more: `.example.org` and `example.org` of `a.example.org`. */
const isBelow = (base: string, name: string): boolean =>
  name.toLowerCase().endsWith(`.${base.replace(/^\./, '').toLowerCase()}`);

/** `.example.org` is every host below it, and not itself; `example.org` is that host alone. */
const coversHost = (base: string, host: string): boolean =>
  base.startsWith('.') ? isBelow(base, host) : sameText(base, host);

/** `a@example.org` is that mailbox; what stands before the @ counts as it stands (RFC 5280 section 7.5). */
function coversMailbox(base: string, mailbox: string): boolean {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1);
  const own = base.lastIndexOf('@');
  if (own < 0) return coversHost(base, host);
  return base.slice(0, own) === mailbox.slice(0, at) && sameText(base.slice(own + 1), host);
}

/** undefined where a URI has no host, or an address for one. */
function hostOfUri(uri: string): string | undefined {
  const host = URL.parse(uri)?.hostname ?? '';
  const isAddress = host.startsWith('[') || ipaddr.IPv4.isValidFourPartDecimal(host);
  return host === '' || isAddress ? undefined : host;
}

/** The address, then the mask, of equal length. */
function coversAddress(content: Buffer, value: string): boolean {
  const address = ipaddr.parse(value).toByteArray();
  if (content.length !== address.length * 2) return false;
  return address.every((byte, index) => {
    const mask = content[address.length + index] ?? 0;
    return (byte & mask) === ((content[index] ?? 0) & mask);
  });
}

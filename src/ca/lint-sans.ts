import { children, type Element } from './der-read.ts';
import type { LintRule } from './lint.ts';
import { extensionElement, extensionOf, type LintCertificate } from './lint-certificate.ts';

const subjectAltName = '2.5.29.17';

/** Forms of a GeneralName by tag. */
const tag = {
  other: 0xa0,
  email: 0x81,
  dns: 0x82,
  x400: 0xa3,
  directory: 0xa4,
  edi: 0xa5,
  uri: 0x86,
  ip: 0x87,
  id: 0x88,
};

/** Alternative names: section 4.2.1.6. */
export const sanRules: readonly LintRule[] = [
  {
    id: 'sans-empty',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'fail',
    says: 'alternative names, where there are any, hold at least one',
    find: (certificate) =>
      extensionOf(certificate, subjectAltName) !== undefined && namesOf(certificate).length === 0
        ? ['its alternative names are empty']
        : [],
  },
  {
    id: 'server-sans',
    source: 'RFC 2818 section 3.1',
    severity: 'fail',
    says: 'a server has DNS names or addresses: its CN counts for nothing',
    find: (certificate, { roles }) =>
      roles.includes('server') &&
      !namesOf(certificate).some((name) => name.tag === tag.dns || name.tag === tag.ip)
        ? ['it is used by a server, and has neither a DNS name nor an address in its alternative names']
        : [],
  },
  {
    id: 'sans-critical',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'warn',
    says: 'alternative names beside a subject are not critical',
    find: (certificate) =>
      extensionOf(certificate, subjectAltName)?.critical === true && certificate.subject.content.length > 0
        ? ['its alternative names are critical, though it has a subject']
        : [],
  },
  {
    id: 'san-form',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'fail',
    says: 'alternative names are of the forms that there are',
    find: (certificate) =>
      namesOf(certificate)
        .filter((name) => !Object.values(tag).includes(name.tag))
        .map((name) => `an alternative name has the tag 0x${name.tag.toString(16)}`),
  },
  {
    id: 'san-dns',
    source: 'RFC 5280 section 4.2.1.6, RFC 1034 section 3.5',
    severity: 'fail',
    says: 'DNS names are such: ASCII, labels of 1 to 63, 253 in all, at most "*." in front',
    find: (certificate) =>
      texts(certificate, tag.dns)
        .filter((text) => !isDnsName(text))
        .map((text) => `"${text}" is no DNS name`),
  },
  {
    id: 'san-dns-letters',
    source: 'RFC 1034 section 3.5',
    severity: 'warn',
    says: 'DNS names are letters, digits and hyphens, and no address',
    find: (certificate) =>
      texts(certificate, tag.dns)
        .filter((text) => isDnsName(text) && (text.includes('_') || /(^|\.)[0-9]+$/.test(text)))
        .map((text) =>
          text.includes('_')
            ? `the DNS name "${text}" has an underscore`
            : `the DNS name "${text}" reads like an address`,
        ),
  },
  {
    id: 'san-ip',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'fail',
    says: 'addresses have 4 or 16 octets',
    find: (certificate) =>
      namesOf(certificate)
        .filter(({ tag: form, content }) => form === tag.ip && content.length !== 4 && content.length !== 16)
        .map(({ content }) => `an address among its alternative names has ${content.length} octets`),
  },
  {
    id: 'san-ip-mapped',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'warn',
    says: 'IPv4 addresses have 4 octets: in IPv6 clothes nobody finds them',
    find: (certificate) =>
      namesOf(certificate)
        .filter(
          ({ tag: form, content }) =>
            form === tag.ip && content.toString('hex').startsWith(`${'0'.repeat(20)}ffff`),
        )
        .map(({ content }) => `${[...content.subarray(12)].join('.')} is written as an IPv6 address`),
  },
  {
    id: 'san-email',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'fail',
    says: 'e-mail addresses are such: LOCAL@DOMAIN, ASCII',
    find: (certificate) =>
      texts(certificate, tag.email)
        .filter((text) => !/^[!-?A-~]+@[!-?A-~]+$/.test(text))
        .map((text) => `"${text}" is no e-mail address`),
  },
  {
    id: 'san-uri',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'fail',
    says: 'URIs have a scheme and something after it, ASCII',
    find: (certificate) =>
      texts(certificate, tag.uri)
        .filter((text) => !/^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/.test(text))
        .map((text) => `"${text}" is no absolute URI`),
  },
];

function namesOf(certificate: LintCertificate): readonly Element[] {
  const element = extensionElement(certificate, subjectAltName, 0x30);
  return element === undefined ? [] : children(element.content);
}

/** As they stand; what no terminal should get becomes `?`. */
function texts(certificate: LintCertificate, form: number): string[] {
  return namesOf(certificate)
    .filter((name) => name.tag === form)
    .map(({ content }) => content.toString('latin1').replaceAll(/[^ -~]/g, '?'));
}

/** With underscores, which names on the Internet do have (RFC 2181 section 11). */
function isDnsName(text: string): boolean {
  if (text.length > 253) return false;
  const labels = text.replace(/^\*\./, '').split('.');
  return labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

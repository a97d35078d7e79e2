import { children } from './der-read.ts';
import type { LintRule, Role } from './lint.ts';
import {
  algorithm,
  extendedUsagesOf,
  extensionElement,
  isAuthority,
  keyUsageBitsOf,
  type LintCertificate,
} from './lint-certificate.ts';

/** Bits of section 4.2.1.3. */
const bit = {
  digitalSignature: 0,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  encipherOnly: 7,
  decipherOnly: 8,
} as const;

const anyUsage = '2.5.29.37.0';
const usageOf = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** What the key may be used for: sections 4.2.1.3 and 4.2.1.12. */
export const usageRules: readonly LintRule[] = [
  {
    id: 'key-usage-encoding',
    source: 'RFC 5280 section 4.2.1.3, X.690 section 11.2.2',
    severity: 'fail',
    says: 'keyUsage has at least one bit, and no zero bits after the last',
    find: (certificate) => {
      const element = extensionElement(certificate, '2.5.29.15', 0x03);
      if (element === undefined) return [];
      const [unused = 0, ...octets] = element.content;
      const last = octets.at(-1) ?? 0;
      if (octets.every((octet) => octet === 0)) return ['its keyUsage has no bit set'];
      return last === 0 || (last & -last) !== 1 << unused
        ? ['its keyUsage has zero bits after the last']
        : [];
    },
  },
  {
    id: 'authority-key-usage',
    source: 'RFC 5280 section 4.2.1.3',
    severity: 'fail',
    says: 'a CA has a keyUsage with keyCertSign',
    find: (certificate) => {
      if (!isAuthority(certificate)) return [];
      const bits = keyUsageBitsOf(certificate);
      if (bits === undefined) return ['it is a CA without keyUsage'];
      return bits.includes(bit.keyCertSign) ? [] : ['it is a CA whose keyUsage lacks keyCertSign'];
    },
  },
  {
    id: 'leaf-key-usage',
    source: 'RFC 5280 sections 4.2.1.3 and 4.2.1.9',
    severity: 'fail',
    says: 'only a CA has keyCertSign',
    find: (certificate) =>
      !isAuthority(certificate) && keyUsageBitsOf(certificate)?.includes(bit.keyCertSign) === true
        ? ['its keyUsage has keyCertSign, and it is no CA']
        : [],
  },
  {
    id: 'encipher-only',
    source: 'RFC 5280 section 4.2.1.3',
    severity: 'fail',
    says: 'encipherOnly and decipherOnly go with keyAgreement',
    find: (certificate) => {
      const bits = keyUsageBitsOf(certificate) ?? [];
      return (bits.includes(bit.encipherOnly) || bits.includes(bit.decipherOnly)) &&
        !bits.includes(bit.keyAgreement)
        ? ['its keyUsage has encipherOnly or decipherOnly without keyAgreement']
        : [];
    },
  },
  {
    id: 'key-usage-of-key',
    source: 'RFC 8813 section 3, RFC 3279 section 2.3.1',
    severity: 'warn',
    says: 'an elliptic-curve key enciphers nothing, an RSA key agrees on nothing',
    find: (certificate) => {
      const bits = keyUsageBitsOf(certificate) ?? [];
      const key = keyType(certificate);
      const enciphers = bits.includes(bit.keyEncipherment) || bits.includes(bit.dataEncipherment);
      if (key === 'ec' && enciphers) return ['its elliptic-curve key is said to encipher'];
      return key === 'rsa' && bits.includes(bit.keyAgreement) ? ['its RSA key is said to agree on keys'] : [];
    },
  },
  {
    id: 'signing-usage',
    source: 'RFC 8446 section 4.4.2.2',
    severity: 'fail',
    says: 'a server or client may sign (digitalSignature), as TLS 1.3 wants',
    find: (certificate, { roles }) => {
      const bits = keyUsageBitsOf(certificate);
      return talks(roles) && bits !== undefined && !bits.includes(bit.digitalSignature)
        ? ['its keyUsage lacks digitalSignature']
        : [];
    },
  },
  {
    id: 'extended-usage-form',
    source: 'RFC 5280 section 4.2.1.12',
    severity: 'fail',
    says: 'an extendedKeyUsage names at least one usage, none of them twice',
    find: (certificate) => {
      const usages = extendedUsagesOf(certificate);
      if (usages?.length === 0) return ['its extendedKeyUsage is empty'];
      return usages !== undefined && new Set(usages).size < usages.length
        ? ['its extendedKeyUsage names one twice']
        : [];
    },
  },
  {
    id: 'any-usage-critical',
    source: 'RFC 5280 section 4.2.1.12',
    severity: 'warn',
    says: 'an extendedKeyUsage that allows any is not critical',
    find: (certificate) => {
      const critical = certificate.extensions?.find(({ oid }) => oid === '2.5.29.37')?.critical;
      return critical === true && extendedUsagesOf(certificate)?.includes(anyUsage) === true
        ? ['its extendedKeyUsage is critical, and allows any']
        : [];
    },
  },
  {
    id: 'server-usage',
    source: 'RFC 5280 section 4.2.1.12',
    severity: 'fail',
    says: 'a server has the usage serverAuth',
    find: (certificate, { roles }) => lackedUsage(certificate, roles, 'server'),
  },
  {
    id: 'client-usage',
    source: 'RFC 5280 section 4.2.1.12',
    severity: 'fail',
    says: 'a client has the usage clientAuth',
    find: (certificate, { roles }) => lackedUsage(certificate, roles, 'client'),
  },
  {
    id: 'any-usage',
    source: 'RFC 5280 section 4.2.1.12',
    severity: 'warn',
    says: 'servers and clients say what they are for (not anyExtendedKeyUsage)',
    find: (certificate) =>
      !isAuthority(certificate) && extendedUsagesOf(certificate)?.includes(anyUsage) === true
        ? ['it may be used for anything (anyExtendedKeyUsage)']
        : [],
  },
];

function talks(roles: readonly Role[]): boolean {
  return roles.includes('server') || roles.includes('client');
}

/** Go and OpenSSL take a missing extension for any usage; a Kubernetes client wants it said. */
function lackedUsage(
  certificate: LintCertificate,
  roles: readonly Role[],
  role: 'server' | 'client',
): string[] {
  const usages = extendedUsagesOf(certificate) ?? [];
  const has = usages.includes(usageOf[role]) || usages.includes(anyUsage);
  return !roles.includes(role) || has ? [] : [`it is used by a ${role}, and lacks the usage ${role}Auth`];
}

function keyType({ spki }: LintCertificate): 'rsa' | 'ec' | undefined {
  const [identifier] = children(spki.content);
  if (identifier === undefined) throw new RangeError('a key without its algorithm');
  const { oid } = algorithm(identifier);
  return oid === '1.2.840.113549.1.1.1' ? 'rsa' : oid === '1.2.840.10045.2.1' ? 'ec' : undefined;
}

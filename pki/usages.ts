/**
 * Usages in cfssl's own terms, and what each becomes in a certificate: a bit of the key usage extension (RFC 5280
 * section 4.2.1.3) or an object identifier of the extended one (section 4.2.1.12). The first name of a bit is the one
 * that kbin prints.
 */
export const keyUsageBits = {
  signing: 0,
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
  'decipher only': 8,
} as const;

export const extendedUsageOids = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
} as const;

export type KeyUsage = keyof typeof keyUsageBits;
export type ExtendedUsage = keyof typeof extendedUsageOids;
export type Usage = KeyUsage | ExtendedUsage;

export function isKeyUsage(usage: Usage): usage is KeyUsage {
  return usage in keyUsageBits;
}

export interface Algorithm {
  /** As `cfssl certinfo` prints it. */
  readonly name: string;
  /** In Go's enumeration. */
  readonly number: number;
}

/** Signature algorithms by object identifier (RFC 5758, RFC 8017, RFC 8410). */
export const signatureAlgorithms: Readonly<Record<string, Algorithm>> = {
  '1.2.840.113549.1.1.4': { name: 'MD5WithRSA', number: 2 },
  '1.2.840.113549.1.1.5': { name: 'SHA1WithRSA', number: 3 },
  '1.2.840.113549.1.1.11': { name: 'SHA256WithRSA', number: 4 },
  '1.2.840.113549.1.1.12': { name: 'SHA384WithRSA', number: 5 },
  '1.2.840.113549.1.1.13': { name: 'SHA512WithRSA', number: 6 },
  '1.2.840.10040.4.3': { name: 'DSAWithSHA1', number: 7 },
  '2.16.840.1.101.3.4.3.2': { name: 'DSAWithSHA256', number: 8 },
  '1.2.840.10045.4.1': { name: 'ECDSAWithSHA1', number: 9 },
  '1.2.840.10045.4.3.2': { name: 'ECDSAWithSHA256', number: 10 },
  '1.2.840.10045.4.3.3': { name: 'ECDSAWithSHA384', number: 11 },
  '1.2.840.10045.4.3.4': { name: 'ECDSAWithSHA512', number: 12 },
  '1.3.101.112': { name: 'Ed25519', number: 16 },
};

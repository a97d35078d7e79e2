import { children, type Element, firstElement, readOid, readTime } from './der-read.ts';
import type { LintRule } from './lint.ts';
import { algorithm, isSelfIssued, type LintCertificate } from './lint-certificate.ts';

/** The fields of section 4.1, but for names and extensions. */
export const fieldRules: readonly LintRule[] = [
  {
    id: 'der-encoding',
    source: 'RFC 5280 section 4.1, X.690 section 10.1',
    severity: 'fail',
    says: 'lengths are written in as few octets as DER has them',
    find: ({ der }) => (hasLongLength(der) ? ['a length takes more octets than it needs'] : []),
  },
  {
    id: 'version',
    source: 'RFC 5280 section 4.1.2.1',
    severity: 'fail',
    says: 'it is of version 3, which extensions need',
    find: ({ version }) => {
      const number = version === undefined ? 0 : version.content.readUIntBE(0, version.content.length);
      return number === 2 ? [] : [`it is of version ${number + 1}`];
    },
  },
  {
    id: 'serial-positive',
    source: 'RFC 5280 section 4.1.2.2',
    severity: 'fail',
    says: 'the serial number is positive, and not zero',
    find: (certificate) => {
      const { content } = certificate.serial;
      if (((content[0] ?? 0) & 0x80) !== 0) return ['the serial number is negative'];
      return isZero(certificate.serial) && !isSelfIssued(certificate) ? ['the serial number is zero'] : [];
    },
  },
  {
    id: 'serial-of-root',
    source: 'RFC 5280 section 4.1.2.2',
    severity: 'warn',
    says: 'nor is it zero where a CA signs itself: kubeadm’s are, and everybody takes them',
    find: (certificate) =>
      isZero(certificate.serial) && isSelfIssued(certificate) ? ['the serial number is zero'] : [],
  },
  {
    id: 'serial-length',
    source: 'RFC 5280 section 4.1.2.2',
    severity: 'fail',
    says: 'the serial number has at most 20 octets',
    find: ({ serial: { content } }) =>
      content.length > 20 ? [`the serial number has ${content.length} octets`] : [],
  },
  {
    id: 'serial-encoding',
    source: 'X.690 section 8.3.2',
    severity: 'fail',
    says: 'the serial number has no octet too many in front',
    find: ({ serial: { content } }) =>
      content.length > 1 && content[0] === 0 && (content[1] ?? 0) < 0x80
        ? ['the serial number begins with an octet 00 that it does not need']
        : [],
  },
  {
    id: 'algorithms-equal',
    source: 'RFC 5280 section 4.1.1.2',
    severity: 'fail',
    says: 'the signature algorithm is the same within what is signed and beside it',
    find: ({ innerAlgorithm, outerAlgorithm }) =>
      innerAlgorithm.whole.equals(outerAlgorithm.whole)
        ? []
        : ['the signature algorithm beside what is signed is another than the one in it'],
  },
  {
    id: 'algorithm-parameters',
    source: 'RFC 4055 section 5, RFC 5758 section 3.2, RFC 8410 section 3',
    severity: 'fail',
    says: 'the signature algorithm has its parameters: NULL for RSA, none for ECDSA and Ed25519',
    find: ({ innerAlgorithm }) => {
      const { oid, parameters } = algorithm(innerAlgorithm);
      if (/^1\.2\.840\.113549\.1\.1\.(?!10$)/.test(oid))
        return parameters?.tag === 0x05 ? [] : ['its RSA signature algorithm lacks the parameter NULL'];
      return parameters !== undefined && /^1\.2\.840\.10045\.4\.|^1\.3\.101\.11[23]$/.test(oid)
        ? [`its signature algorithm ${oid} has parameters, which it must not`]
        : [];
    },
  },
  {
    id: 'signature-octets',
    source: 'RFC 5280 section 4.1.1.3',
    severity: 'fail',
    says: 'the signature is whole octets, and there is one',
    find: ({ signature: { content } }) =>
      content[0] === 0 && content.length > 1 ? [] : ['the signature is empty or not whole octets'],
  },
  {
    id: 'time-encoding',
    source: 'RFC 5280 section 4.1.2.5',
    severity: 'fail',
    says: 'dates through 2049 are UTCTime, later ones GeneralizedTime',
    find: (certificate) => eachTime(certificate, timeEncoding),
  },
  {
    id: 'time-form',
    source: 'RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2',
    severity: 'fail',
    says: 'dates have seconds, no fractions of them, and end in Z',
    find: (certificate) => eachTime(certificate, timeForm),
  },
  {
    id: 'validity-order',
    source: 'RFC 5280 section 4.1.2.5',
    severity: 'fail',
    says: 'it begins before it ends',
    find: (certificate) => {
      if (eachTime(certificate, timeForm).length > 0) return [];
      const [from, to] = [readTime(certificate.notBefore), readTime(certificate.notAfter)];
      return from < to ? [] : [`it is valid from ${from.toISOString()} to ${to.toISOString()}`];
    },
  },
  {
    id: 'unique-ids',
    source: 'RFC 5280 section 4.1.2.8',
    severity: 'fail',
    says: 'it has no unique identifiers',
    find: ({ uniqueIds }) => (uniqueIds.length > 0 ? ['it has an issuerUniqueID or subjectUniqueID'] : []),
  },
  {
    id: 'key-parameters',
    source: 'RFC 3279 section 2.3.1, RFC 5480 section 2.1.1',
    severity: 'fail',
    says: 'the key names what it is: NULL for RSA, a named curve for elliptic curves',
    find: ({ spki }) => {
      const [identifier] = children(spki.content);
      if (identifier === undefined) throw new RangeError('a key without its algorithm');
      const { oid, parameters } = algorithm(identifier);
      if (oid === '1.2.840.113549.1.1.1')
        return parameters?.tag === 0x05 ? [] : ['its RSA key lacks the parameter NULL'];
      return oid === '1.2.840.10045.2.1' && parameters?.tag !== 0x06
        ? ['its elliptic-curve key does not name its curve']
        : [];
    },
  },
  {
    id: 'rsa-exponent',
    source: 'RFC 8017 section 3.1',
    severity: 'fail',
    says: 'the exponent of an RSA key is odd and at least 3',
    find: ({ spki }) => {
      const exponent = rsaExponent(spki);
      if (exponent === undefined) return [];
      const last = exponent.at(-1) ?? 0;
      const tiny = exponent.length === 1 && last < 3;
      return last % 2 === 0 || tiny ? ['the exponent of its RSA key is even or below 3'] : [];
    },
  },
];

const isZero = ({ content }: Element): boolean => content.every((octet) => octet === 0);

/** Constructed elements all the way down, and what extensions hold. */
function hasLongLength(der: Buffer): boolean {
  return children(der).some(({ tag, content, whole }) => {
    const header = whole.length - content.length;
    const least = content.length < 0x80 ? 2 : content.length < 0x100 ? 3 : content.length < 0x10000 ? 4 : 5;
    return header > least || ((tag & 0x20) !== 0 && hasLongLength(content));
  });
}

function eachTime(
  { notBefore, notAfter }: LintCertificate,
  look: (time: Element) => string | undefined,
): string[] {
  return Object.entries({ notBefore, notAfter }).flatMap(([name, time]) => {
    const seen = look(time);
    return seen === undefined ? [] : [`${name} ${seen}`];
  });
}

function timeEncoding({ tag, content }: Element): string | undefined {
  if (tag === 0x17) return undefined;
  const year = Number(content.subarray(0, 4).toString('latin1'));
  return tag === 0x18 && year < 2050 ? `is a GeneralizedTime of the year ${year}` : undefined;
}

function timeForm({ tag, content }: Element): string | undefined {
  const text = content.toString('latin1').replaceAll(/[^ -~]/g, '?');
  if (tag !== 0x17 && tag !== 0x18) return `is of no type for dates (tag 0x${tag.toString(16)})`;
  if (!(tag === 0x17 ? /^\d{12}Z$/ : /^\d{14}Z$/).test(text)) return `reads "${text}"`;
  try {
    readTime({ tag, content, whole: content });
    return undefined;
  } catch {
    return `reads "${text}", a time that does not exist`;
  }
}

/** undefined: no RSA key. */
function rsaExponent(spki: Element): Buffer | undefined {
  const [identifier, bits] = children(spki.content);
  const [type] = children(identifier?.content ?? Buffer.alloc(0));
  if (type === undefined || bits === undefined || readOid(type.content) !== '1.2.840.113549.1.1.1')
    return undefined;
  const [, exponent] = children(firstElement(bits.content.subarray(1)).content);
  if (exponent?.tag !== 0x02) throw new RangeError('an RSA key without its exponent');
  return exponent.content;
}

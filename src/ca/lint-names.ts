import type { Element } from './der-read.ts';
import type { LintRule } from './lint.ts';
import { attributeSets, extensionOf, isAuthority, type LintCertificate } from './lint-certificate.ts';

/** ASN.1 string types by tag. */
const stringTypes: Readonly<Record<number, string>> = {
  12: 'UTF8String',
  18: 'NumericString',
  19: 'PrintableString',
  20: 'TeletexString',
  22: 'IA5String',
  26: 'VisibleString',
  28: 'UniversalString',
  30: 'BMPString',
};
const [utf8, printable, ia5] = [12, 19, 22];

interface AttributeType {
  readonly name: string;
  /** Tags that a new certificate may use. */
  readonly types: readonly number[];
  /** The most letters (Appendix A.1). */
  readonly most?: number;
}

const directory = [utf8, printable];
/** Attributes whose type and length RFC 5280 says (section 4.1.2.4, Appendix A.1). */
const attributeTypes: Readonly<Record<string, AttributeType>> = {
  '2.5.4.3': { name: 'CN', types: directory, most: 64 },
  '2.5.4.4': { name: 'surname', types: directory, most: 32768 },
  '2.5.4.5': { name: 'serialNumber', types: [printable], most: 64 },
  '2.5.4.6': { name: 'C', types: [printable], most: 2 },
  '2.5.4.7': { name: 'L', types: directory, most: 128 },
  '2.5.4.8': { name: 'ST', types: directory, most: 128 },
  '2.5.4.10': { name: 'O', types: directory, most: 64 },
  '2.5.4.11': { name: 'OU', types: directory, most: 64 },
  '2.5.4.12': { name: 'title', types: directory, most: 64 },
  '2.5.4.46': { name: 'dnQualifier', types: [printable] },
  '0.9.2342.19200300.100.1.25': { name: 'DC', types: [ia5] },
  '1.2.840.113549.1.9.1': { name: 'emailAddress', types: [ia5], most: 255 },
};

export const nameRules: readonly LintRule[] = [
  {
    id: 'issuer-empty',
    source: 'RFC 5280 section 4.1.2.4',
    severity: 'fail',
    says: 'the issuer has a name',
    find: ({ issuer }) => (issuer.content.length === 0 ? ['its issuer has no name'] : []),
  },
  {
    id: 'authority-nameless',
    source: 'RFC 5280 section 4.1.2.6',
    severity: 'fail',
    says: 'a CA has a name',
    find: (certificate) =>
      isAuthority(certificate) && certificate.subject.content.length === 0
        ? ['it is a CA without a name']
        : [],
  },
  {
    id: 'subject-empty',
    source: 'RFC 5280 section 4.2.1.6',
    severity: 'fail',
    says: 'without a subject, the alternative names are there and critical',
    find: (certificate) => {
      if (certificate.subject.content.length > 0 || isAuthority(certificate)) return [];
      const sans = extensionOf(certificate, '2.5.29.17');
      if (sans === undefined) return ['it has neither a subject nor alternative names'];
      return sans.critical ? [] : ['its subject is empty, and its alternative names are not critical'];
    },
  },
  {
    id: 'name-set-empty',
    source: 'RFC 5280 section 4.1.2.4',
    severity: 'fail',
    says: 'no part of a name is empty',
    find: (certificate) =>
      eachName(certificate, (name) =>
        attributeSets(name).some(
          (set) => set.length === 0 || set.some(({ value }) => value.content.length === 0),
        )
          ? ['has an empty part']
          : [],
      ),
  },
  {
    id: 'name-string-type',
    source: 'RFC 5280 section 4.1.2.4',
    severity: 'warn',
    says: 'names are PrintableString or UTF8String, a country is PrintableString',
    find: (certificate) =>
      eachName(certificate, (name) =>
        attributeSets(name)
          .flat()
          .flatMap(({ oid, value: { tag } }) => {
            const type = attributeTypes[oid];
            return type === undefined || type.types.includes(tag)
              ? []
              : [`has ${type.name} as ${stringTypes[tag] ?? `a value of tag 0x${tag.toString(16)}`}`];
          }),
      ),
  },
  {
    id: 'name-letters',
    source: 'RFC 5280 section 4.1.2.4, X.680 section 41',
    severity: 'fail',
    says: 'the letters of a name are of its string type',
    find: (certificate) =>
      eachName(certificate, (name) =>
        attributeSets(name)
          .flat()
          .flatMap(({ oid, value }) =>
            hasItsLetters(value)
              ? []
              : [
                  `has letters in ${attributeTypes[oid]?.name ?? oid} that a ${stringTypes[value.tag]} cannot hold`,
                ],
          ),
      ),
  },
  {
    id: 'name-length',
    source: 'RFC 5280 Appendix A.1',
    severity: 'warn',
    says: 'no part of a name is longer than its upper bound (CN, O, OU: 64 letters)',
    find: (certificate) =>
      eachName(certificate, (name) =>
        attributeSets(name)
          .flat()
          .flatMap(({ oid, value }) => {
            const type = attributeTypes[oid];
            const letters = [...value.content.toString(value.tag === utf8 ? 'utf8' : 'latin1')].length;
            return type?.most === undefined || letters <= type.most
              ? []
              : [`has ${letters} letters in ${type.name}, of at most ${type.most}`];
          }),
      ),
  },
  {
    id: 'country-code',
    source: 'RFC 5280 Appendix A.1',
    severity: 'warn',
    says: 'a country is two letters',
    find: (certificate) =>
      eachName(certificate, (name) =>
        attributeSets(name)
          .flat()
          .filter(
            ({ oid, value }) => oid === '2.5.4.6' && !/^[A-Za-z]{2}$/.test(value.content.toString('latin1')),
          )
          .map(() => 'has a country that is not two letters'),
      ),
  },
];

/** The issuer of what signs itself is its subject again. */
function eachName(
  { issuer, subject }: LintCertificate,
  look: (name: Element) => readonly string[],
): string[] {
  const names = issuer.whole.equals(subject.whole) ? { subject } : { issuer, subject };
  return Object.entries(names).flatMap(([which, name]) => look(name).map((seen) => `its ${which} ${seen}`));
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function hasItsLetters({ tag, content }: Element): boolean {
  if (tag === printable) return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(content.toString('latin1'));
  if (tag === ia5) return content.every((octet) => octet < 0x80);
  if (tag !== utf8) return true;
  try {
    // U+0000 ends a name for those who read it as C does.
    return !strictUtf8.decode(content).includes('\0');
  } catch {
    return false;
  }
}

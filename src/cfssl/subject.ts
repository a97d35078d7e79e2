import { type Der, oid, printableString, sequence, set, utf8String } from '../ca/der.ts';
import type { NameAttribute } from '../ca/name-read.ts';
import { exitCode, KbinError } from '../errors.ts';
import { isOid } from './policies.ts';

/** An entry of `names` in a CSR file. */
export interface RawName {
  readonly C?: string;
  readonly ST?: string;
  readonly L?: string;
  readonly O?: string;
  readonly OU?: string;
  readonly E?: string;
  readonly OID?: Readonly<Record<string, string>>;
}

export interface RawSubject {
  readonly CN?: string;
  readonly names?: readonly RawName[];
  readonly serialnumber?: string;
}

/** Attributes in the order in which Go writes them; all of one type share a set, but for the common name and serial. */
const types = {
  C: '2.5.4.6',
  ST: '2.5.4.8',
  L: '2.5.4.7',
  street: '2.5.4.9',
  postalCode: '2.5.4.17',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
} as const;

const ordered: readonly string[] = Object.values(types);
const single: readonly string[] = [types.CN, types.serialNumber];
const overridable = ordered.filter((type) => type !== types.street && type !== types.postalCode);
const emailAddress = '1.2.840.113549.1.9.1';

/** A subject as the sets of its attributes. */
export type Subject = readonly (readonly NameAttribute[])[];

/** As cfssl makes it for a request: what is asked for by object identifier takes the place of the usual one. */
export function requestedSubject({ CN = '', names = [], serialnumber = '' }: RawSubject): Subject {
  const further = names.flatMap(({ E, OID = {} }) => [
    ...Object.entries(OID).map(([type, value]) => ({ oid: checkedOid(type), value })),
    ...(E ? [{ oid: emailAddress, value: E }] : []),
  ]);
  const usual = [
    ...names.flatMap((name) =>
      (['C', 'O', 'OU', 'L', 'ST'] as const).map((type) => ({ oid: types[type], value: name[type] ?? '' })),
    ),
    { oid: types.CN, value: CN },
    { oid: types.serialNumber, value: serialnumber },
  ].filter(({ oid: type, value }) => value !== '' && !further.some((one) => one.oid === type));
  return [...inSets(usual), ...further.map((one) => [one])];
}

/** As cfssl makes it for a certificate from the subject of a request: the usual types first, then the others. */
export function issuedSubject(requested: Subject): Subject {
  const attributes = requested.flat();
  const usual = attributes.filter(({ oid: type }) => ordered.includes(type));
  const further = attributes.filter(({ oid: type }) => !ordered.includes(type));
  return [...inSets(usual), ...further.map((one) => [one])];
}

/**
 * Type by type, what `own` says and else what the request says. As with cfssl only types that `own` could name are left:
 * no street, no postal code, no e-mail address.
 */
export function overriddenSubject(own: RawSubject, requested: Subject): Subject {
  const names = (own.names ?? []).map(({ C = '', ST = '', L = '', O = '', OU = '' }) => ({
    C,
    ST,
    L,
    O,
    OU,
  }));
  const given = requestedSubject({ ...own, names }).flat();
  const kept = requested
    .flat()
    .filter(({ oid: type }) => overridable.includes(type) && !given.some((one) => one.oid === type));
  return inSets([...given, ...kept]);
}

export function commonName(subject: Subject): string {
  return subject.flat().findLast(({ oid: type }) => type === types.CN)?.value ?? '';
}

function inSets(attributes: readonly NameAttribute[]): NameAttribute[][] {
  return ordered.flatMap((type) => {
    const all = attributes.filter((one) => one.oid === type && one.value !== '');
    const set = single.includes(type) ? all.slice(-1) : all;
    return set.length === 0 ? [] : [set];
  });
}

/** X.680 section 41.4. */
const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** DER: PrintableString where the letters allow, else UTF8String; sets are sorted, as DER wants. */
export function encodeSubject(subject: Subject): Der {
  return sequence(
    ...subject.map((attributes) => {
      const members = attributes.map(({ oid: type, value }) =>
        sequence(oid(type), printable.test(value) ? printableString(value) : utf8String(value)),
      );
      return set(...members.sort(inDer));
    }),
  );
}

/** X.690 section 11.6: the shorter is padded with zeros. */
function inDer(a: Buffer, b: Buffer): number {
  const length = Math.max(a.length, b.length);
  return Buffer.concat([a, Buffer.alloc(length - a.length)]).compare(
    Buffer.concat([b, Buffer.alloc(length - b.length)]),
  );
}

function checkedOid(dotted: string): string {
  if (isOid(dotted)) return dotted;
  throw new KbinError(`names: "${dotted}" is not an object identifier`, {
    next: 'write it as "1.2.3.4"',
    exit: exitCode.usage,
  });
}

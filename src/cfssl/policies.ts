import { type Der, element, implicit, oid, sequence, tag, utf8String } from '../ca/der.ts';
import { exitCode, KbinError } from '../errors.ts';

/** A certificate policy (RFC 5280 section 4.2.1.4) as ca-config.json has it. */
export interface Policy {
  readonly oid: string;
  readonly qualifiers: readonly { readonly type: 'id-qt-cps' | 'id-qt-unotice'; readonly value: string }[];
}

/** At least two arcs, the second below 40 where X.660 says so, none so large that a double does not hold it. */
export function isOid(dotted: string): boolean {
  if (!/^[012](\.(0|[1-9]\d{0,9}))+$/.test(dotted)) return false;
  const [first = 0, second = 0] = dotted.split('.').map(Number);
  return first === 2 ? second < 2 ** 31 : second < 40;
}

export function readPolicies(
  raw: readonly { ID?: string; Qualifiers?: readonly { Type?: string; Value?: string }[] }[],
  where: string,
): Policy[] {
  const wrong = (what: string, next: string): KbinError =>
    new KbinError(`${where}: ${what}`, { next, exit: exitCode.usage });
  return raw.map(({ ID = '', Qualifiers = [] }) => {
    if (!isOid(ID)) throw wrong(`"${ID}" is not an object identifier`, 'write it as "1.2.3.4"');
    const qualifiers = Qualifiers.map(({ Type = '', Value = '' }) => {
      if (Type === 'id-qt-cps' || Type === 'id-qt-unotice') return { type: Type, value: Value } as const;
      throw wrong(`there is no qualifier "${Type}"`, 'there are "id-qt-cps" and "id-qt-unotice"');
    });
    return { oid: ID, qualifiers };
  });
}

const qualifierOids = { 'id-qt-cps': '1.3.6.1.5.5.7.2.1', 'id-qt-unotice': '1.3.6.1.5.5.7.2.2' } as const;

/** The value of a certificatePolicies extension. */
export function encodePolicies(policies: readonly Policy[]): Der {
  return sequence(
    ...policies.map((policy) => {
      const qualifiers = policy.qualifiers.map(({ type, value }) =>
        sequence(
          oid(qualifierOids[type]),
          type === 'id-qt-cps' ? ia5String(value) : sequence(utf8String(value)),
        ),
      );
      return sequence(oid(policy.oid), ...(qualifiers.length === 0 ? [] : [sequence(...qualifiers)]));
    }),
  );
}

function ia5String(text: string): Der {
  return element(tag.ia5String, ascii(text));
}

/** A URL as GeneralName. */
export const urlName = (url: string): Der => implicit(6, ascii(url));

function ascii(text: string): Buffer {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(text)) return Buffer.from(text, 'latin1');
  throw new KbinError(`"${text}" is not ASCII, which is all that a certificate can hold there`, {
    next: 'write it percent-encoded',
    exit: exitCode.usage,
  });
}

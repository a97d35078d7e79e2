import type { Subject, SubjectAttribute } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { type Der, oid, printableString, sequence, set, utf8String } from './der.ts';

/** RFC 5280 appendix A.1, X.520 attribute types. */
export const attributeOids: Record<SubjectAttribute, string> = {
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  CN: '2.5.4.3',
};

/** X.680 section 41.4. */
const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/** As cfssl writes them: PrintableString where the characters allow, else UTF8String. */
export function encodeName(subject: Subject): Der {
  return sequence(
    ...subject.map(({ type, value }) => {
      if (value === '') throw new KbinError(`subject field ${type} is empty`);
      const text = printable.test(value) ? printableString(value) : utf8String(value);
      return set(sequence(oid(attributeOids[type]), text));
    }),
  );
}

/** `C=AT, O=Example, CN=etcd-ca`, with RFC 4514's escapes. */
export function nameText(subject: readonly { readonly type: string; readonly value: string }[]): string {
  return subject.map(({ type, value }) => `${type}=${escapeValue(value)}`).join(', ');
}

function escapeValue(value: string): string {
  return value.replaceAll(/[,+"\\<>;]|^[ #]|[ ]$/g, (sign) => `\\${sign}`).replaceAll(/\p{Cc}/gu, '?');
}

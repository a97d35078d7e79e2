import { findEntry } from '../../pki/index.ts';
import type { San } from '../../pki/san.ts';
import type { PlannedLeaf } from '../desired/certificate-plan.ts';
import type { CertificateInfo } from './inspect.ts';
import type { Reason } from './store-changes.ts';

/**
 * What a certificate that was made elsewhere lacks to do the job of a leaf of the plan; empty when it does it. Other
 * tools write other subjects, more names and more usages, and their keys are of another type: none of that hinders.
 */
export function shortcomings(leaf: PlannedLeaf, info: CertificateInfo): Reason[] {
  return [...namesLacking(leaf, info), ...usagesLacking(leaf, info), ...identityLacking(leaf, info)];
}

export const sanKey = ({ type, value }: { type: string; value: string }): string =>
  `${type}:${value.toLowerCase()}`;

function namesLacking({ needed }: PlannedLeaf, { sans }: CertificateInfo): Reason[] {
  const present = new Set(sans.map(sanKey));
  const missing = needed.filter((san) => !present.has(sanKey(san)) && !coveredByWildcard(san, present));
  if (missing.length === 0) return [];
  return [{ code: 'san-added', message: `it lacks ${missing.map(({ value }) => value).join(', ')}` }];
}

/** RFC 6125 section 6.4.3: for one whole label, the first. */
function coveredByWildcard({ type, value }: San, present: ReadonlySet<string>): boolean {
  const dot = value.indexOf('.');
  return type === 'dns' && dot > 0 && present.has(`dns:*${value.slice(dot).toLowerCase()}`);
}

const signingUsages = ['signing', 'key agreement', 'key encipherment'];

/** RFC 5280: a certificate without extended usages, or with `any`, may be used for all of them; so with key usages. */
function usagesLacking({ usages }: PlannedLeaf, info: CertificateInfo): Reason[] {
  const extended = info.usages.filter((usage) => !keyUsages.has(usage));
  const unlimited = extended.length === 0 || extended.includes('any');
  const wanted = usages.filter((usage) => usage === 'server auth' || usage === 'client auth');
  const missing = unlimited ? [] : wanted.filter((usage) => !extended.includes(usage));
  const own = info.usages.filter((usage) => keyUsages.has(usage));
  const cannotSign = own.length > 0 && !own.some((usage) => signingUsages.includes(usage));
  const texts = [
    ...(missing.length > 0 ? [`it is not for ${missing.join(' and ')}`] : []),
    ...(cannotSign ? ['its key usage does not allow it to sign a handshake'] : []),
    ...(info.isCa ? ['it is a CA'] : []),
  ];
  return texts.map((message) => ({ code: 'usages', message }));
}

const keyUsages: ReadonlySet<string> = new Set([
  'signing',
  'content commitment',
  'key encipherment',
  'data encipherment',
  'key agreement',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
]);

/** What Kubernetes takes a client for stands in its subject. Nobody looks at that of the others. */
function identityLacking(leaf: PlannedLeaf, { subjectFields }: CertificateInfo): Reason[] {
  const type = findEntry(leaf.id)?.leaf?.identifiedBy;
  if (type === undefined) return [];
  const valuesOf = (fields: readonly { type: string; value: string }[]): string[] =>
    fields.filter((field) => field.type === type).map(({ value }) => value);
  const present = valuesOf(subjectFields);
  const missing = valuesOf(leaf.subject).filter((value) => !present.includes(value));
  if (missing.length === 0 && (type !== 'CN' || present.length === 1)) return [];
  return [
    {
      code: 'subject',
      message: `its ${type} is ${present.join(', ') || 'empty'}, not ${missing.join(', ')}`,
    },
  ];
}

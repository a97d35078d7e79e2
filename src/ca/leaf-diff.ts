import type { PlannedLeaf, Subject } from '../desired/certificate-plan.ts';
import type { CertificateInfo, NameField } from './inspect.ts';
import { pathsOf } from './layout.ts';
import { nameText } from './names.ts';
import type { ObservedEntry } from './observed-store.ts';
import type { Reason, StoreProblem } from './store-changes.ts';
import { shortcomings } from './suffices.ts';

/** Why a leaf has to be issued anew; empty when it is as it should be. */
export function leafReasons(leaf: PlannedLeaf, entry: ObservedEntry, now: Date): Reason[] {
  const { certificate, key } = entry;
  if (isUnmade(entry)) return [reason('new', 'not made yet')];
  if (certificate.state !== 'read') return [reason('certificate-missing', 'its certificate is missing')];
  const { info, signedByCa } = certificate;
  return [
    ...(key.state === 'absent' ? [reason('key-missing', 'its private key is missing')] : []),
    ...(signedByCa ? [] : [reason('other-ca', `signed by another CA (${info.issuer})`)]),
    ...(info.notAfter <= now ? [reason('expired', `expired on ${day(info.notAfter)}`)] : []),
    ...(entry.adopted ? shortcomings(leaf, info) : differences(leaf, info)),
  ];
}

/** Of a certificate that kbin made from what cluster.yaml wants now. */
function differences(leaf: PlannedLeaf, info: CertificateInfo): Reason[] {
  return [
    ...sanReasons(leaf, info),
    ...subjectReasons(leaf.subject, info.subjectFields),
    ...(info.key === leaf.key ? [] : [reason('key-type', `key type changed: ${info.key} → ${leaf.key}`)]),
    ...usageReasons(leaf, info),
  ];
}

/** Neither a certificate nor a key, and none that is kept elsewhere. */
export function isUnmade({ certificate, key, leftBehind }: ObservedEntry): boolean {
  return certificate.state === 'absent' && key.state === 'absent' && !leftBehind;
}

const reason = (code: Reason['code'], message: string): Reason => ({ code, message });

export const day = (date: Date): string => date.toISOString().slice(0, 10);

/** Their order does not matter to anyone who verifies them. */
function sanReasons({ sans }: PlannedLeaf, info: CertificateInfo): Reason[] {
  const key = ({ type, value }: { type: string; value: string }): string => `${type}:${value.toLowerCase()}`;
  const wanted = new Set(sans.map(key));
  const present = new Set(info.sans.map(key));
  const added = sans.filter((san) => !present.has(key(san)));
  const removed = info.sans.filter((san) => !wanted.has(key(san)));
  const list = (names: readonly { value: string }[]): string => names.map(({ value }) => value).join(', ');
  return [
    ...(added.length > 0 ? [reason('san-added', `SAN added: ${list(added)}`)] : []),
    ...(removed.length > 0 ? [reason('san-removed', `SAN removed: ${list(removed)}`)] : []),
  ];
}

function subjectReasons(wanted: Subject, present: readonly NameField[]): Reason[] {
  return sameSubject(wanted, present)
    ? []
    : [reason('subject', `subject changed: ${nameText(present)} → ${nameText(wanted)}`)];
}

/** The same attributes; tools differ in the order they write them in. */
export function sameSubject(wanted: readonly NameField[], present: readonly NameField[]): boolean {
  const sorted = (fields: readonly NameField[]): string =>
    JSON.stringify(fields.map(({ type, value }) => [type, value]).sort());
  return sorted(wanted) === sorted(present);
}

function usageReasons(leaf: PlannedLeaf, info: CertificateInfo): Reason[] {
  // It depends on the key, whose change is a reason of its own. And cfssl and kubeadm claim it for elliptic-curve keys
  // too, where it does no harm: no reason to issue anew.
  const idle = info.key === leaf.key && leaf.key.startsWith('rsa') ? undefined : 'key encipherment';
  const wanted = leaf.usages.filter((usage) => usage !== idle);
  const present = info.usages.filter((usage) => usage !== idle);
  const same = wanted.length === present.length && wanted.every((usage) => present.includes(usage));
  if (same && !info.isCa) return [];
  const text = (usages: readonly string[], isCa: boolean): string =>
    [...usages, ...(isCa ? ['CA'] : [])].join(', ') || 'none';
  return [reason('usages', `usages changed: ${text(present, info.isCa)} → ${text(wanted, false)}`)];
}

/**
 * What about an existing leaf kbin must not decide by itself. A certificate that was removed is none of it: that is how
 * one asks for a new one, and whatever key is left beside it is replaced too.
 */
export function leafProblems(id: string, { certificate, key }: ObservedEntry, place: Place): StoreProblem[] {
  const paths = pathsOf(id);
  const certificateFile = place(paths.certificate ?? '');
  const keyFile = place(paths.key);
  const issueAnew = `restore it from a backup, or remove ${certificateFile} to have it and its key made anew`;
  const problem = (code: StoreProblem['code'], message: string, why: string): StoreProblem[] => [
    { id, code, message, why, next: issueAnew },
  ];
  if (certificate.state === 'absent') return [];
  if (certificate.state === 'unreadable') {
    return problem('certificate-unreadable', `${certificateFile} cannot be read`, certificate.reason);
  }
  if (key.state === 'closed') return problem('key-closed', `${keyFile} cannot be read`, key.reason);
  if (key.state === 'malformed') return problem('key-malformed', `${keyFile} cannot be read`, key.reason);
  if (key.state === 'read' && key.fits === false) {
    return problem(
      'key-mismatch',
      `${keyFile} is not the key of ${certificateFile}`,
      'they are two different keys',
    );
  }
  return [];
}

/** Where a reader of a message finds a file of the store. */
export type Place = (path: string) => string;

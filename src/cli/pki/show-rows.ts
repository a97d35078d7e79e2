import type { San } from '../../../pki/san.ts';
import type { CertificateInfo } from '../../ca/inspect.ts';
import type { Cell } from '../output.ts';
import type { ShownKey, ShownSecret } from './show-keys.ts';

/** What `kbin pki show` prints of one thing; --json has it as it is here. `file` says where it stands. */
export type Shown =
  | ShownCertificate
  | ShownRequest
  | ShownList
  | ShownServed
  | ShownKey
  | ShownSecret
  /** A private key, of which nothing is told. */
  | { readonly kind: 'hidden'; readonly file: string; readonly what: string };

export interface ShownCertificate extends CertificateInfo {
  readonly kind: 'certificate';
  readonly file: string;
  readonly daysLeft: number;
  /** In a phrase; undefined: nobody who is at hand. */
  readonly signedBy?: string;
}

interface ShownRequest {
  readonly kind: 'request';
  readonly file: string;
  readonly subject: string;
  readonly sans: readonly San[];
  readonly usages: readonly string[];
  readonly key: string;
  readonly isCa: boolean;
}

interface ShownList {
  readonly kind: 'list';
  readonly file: string;
  readonly issuer: string;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  readonly daysLeft?: number;
  readonly number?: bigint;
  readonly authorityKeyId?: string;
  readonly revoked: readonly { readonly serial: string; readonly at: Date; readonly reason: number }[];
  readonly signedBy?: string;
}

/** What a listener showed; its certificates follow. */
export interface ShownServed {
  readonly kind: 'served';
  readonly file: string;
  readonly protocol: string;
  readonly alpn?: string;
  /** Name of the CA of this cluster that it leads to; undefined: none. */
  readonly authority?: string;
  /** Why the certificate is not good for the name that was asked; undefined: it is. */
  readonly otherName?: string;
  readonly note?: string;
}

export function rowsOf(entry: Shown): Cell[][] {
  switch (entry.kind) {
    case 'certificate':
      return certificateRows(entry);
    case 'request':
      return requestRows(entry);
    case 'list':
      return listRows(entry);
    case 'served':
      return servedRows(entry);
    case 'public-key':
      return [
        ['file', entry.file],
        ['key', entry.key],
        ['public key sha256', entry.publicKeySha256],
      ];
    case 'secret':
      return [
        ['file', entry.file],
        ['name', entry.name],
        ['use', entry.use],
        ['file sha256', entry.fileSha256],
      ];
    case 'hidden':
      return [
        ['file', entry.file],
        ['key', `${entry.what}, not shown`],
      ];
  }
}

const sansText = (sans: readonly { readonly type: string; readonly value: string }[]): string =>
  sans.map(({ type, value }) => (type === 'dns' ? value : `${type}:${value}`)).join(', ');

function certificateRows(shown: ShownCertificate): Cell[][] {
  const authority = shown.pathLength === undefined ? 'yes' : `yes, path length ${shown.pathLength}`;
  return [
    ['file', shown.file],
    ['subject', shown.subject],
    ['issuer', shown.issuer],
    ['signed by', shown.signedBy ?? 'nobody who is at hand'],
    ['SANs', sansText(shown.sans)],
    ['usages', shown.usages.join(', ')],
    ['CA', shown.isCa ? authority : 'no'],
    ['key', shown.key],
    ['signature', shown.signature],
    ['serial', shown.serial],
    ['valid from', shown.notBefore.toISOString()],
    ['valid until', shown.notAfter.toISOString()],
    ['days left', shown.daysLeft],
    ['sha256', shown.fingerprints.sha256],
    ['sha1', shown.fingerprints.sha1],
    ['subject key id', shown.subjectKeyId],
    ['authority key id', shown.authorityKeyId],
  ];
}

function requestRows(shown: ShownRequest): Cell[][] {
  return [
    ['file', shown.file],
    ['request for', shown.subject],
    ['SANs', sansText(shown.sans)],
    ['usages', shown.usages.join(', ')],
    ['CA', shown.isCa ? 'yes' : 'no'],
    ['key', shown.key],
    ['signature', 'by its own key'],
  ];
}

/** RFC 5280 section 5.3.1. */
const reasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;

function listRows(shown: ShownList): Cell[][] {
  const revoked = shown.revoked.map(({ serial, at, reason }): Cell[] => [
    'revoked',
    `${serial} on ${at.toISOString()}, ${reasons[reason] ?? reason}`,
  ]);
  return [
    ['file', shown.file],
    ['list of', shown.issuer],
    ['signed by', shown.signedBy ?? 'nobody who is at hand'],
    ['number', shown.number?.toString()],
    ['made', shown.thisUpdate.toISOString()],
    ['good until', shown.nextUpdate?.toISOString() ?? 'not said'],
    ['days left', shown.daysLeft],
    ['authority key id', shown.authorityKeyId],
    ...(revoked.length === 0 ? [['revoked', 'nothing']] : revoked),
  ];
}

function servedRows(shown: ShownServed): Cell[][] {
  return [
    ['served at', shown.file],
    ['protocol', shown.protocol],
    ['ALPN', shown.alpn],
    ['this cluster’s', shown.authority === undefined ? 'no' : `yes: ${shown.authority}`],
    ['for that name', shown.otherName === undefined ? 'yes' : `no: ${shown.otherName}`],
    ...(shown.note === undefined ? [] : [['note', shown.note]]),
  ];
}

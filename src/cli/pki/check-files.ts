import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { relative, resolve } from 'node:path';
import { assess } from '../../ca/assess.ts';
import { type CertificateFinding, day } from '../../ca/assess-findings.ts';
import type { KnownAuthority } from '../../ca/certificate-path.ts';
import { isRoot } from '../../ca/chain.ts';
import { crlLabel, readCrl } from '../../ca/crl-read.ts';
import { children, firstElement } from '../../ca/der-read.ts';
import type { SourceText } from '../../ca/found.ts';
import { type PemBlock, pemBlocks } from '../../ca/pem.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { readSources } from './adopt-sources.ts';
import { type GivenCertificate, type GivenKey, keyFindings } from './check-keys.ts';
import type { OtherFinding, PkiCheckParts } from './check-report.ts';

export interface FilesCheck {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly now: Date;
  readonly withinHours: number;
}

/** Certificates, keys and kubeconfigs in files and folders, whoever made them. No cluster.yaml is needed. */
export function checkFiles(inputs: FilesCheck): PkiCheckParts {
  const { paths, cwd } = inputs;
  const sources = readSources(paths, cwd);
  const files = sources.texts.map((source) => openFile(source, inputs));
  const certificates = files.flatMap((file) => file.certificates);
  const keys = files.flatMap((file) => file.keys);
  if (certificates.length + files.flatMap((file) => file.others).length === 0) {
    throw new KbinError(`there is no certificate in ${paths.join(', ')}`, {
      step: 'checking certificates',
      next: 'name PEM or DER files, kubeconfigs, or folders that hold such',
      exit: exitCode.usage,
    });
  }
  const authorities = certificates.flatMap(({ where, x509 }): KnownAuthority[] =>
    x509?.ca === true ? [{ name: where, certificate: x509 }] : [],
  );
  return {
    certificates: certificates.map((one) => judged(one, authorities, inputs)),
    others: [
      ...files.flatMap((file) => file.others),
      ...keys.flatMap((key) => keyFindings(key, certificates)),
    ],
    gaps: sources.closed.map(({ place, reason }) => ({
      host: 'this machine',
      what: shown(place, cwd),
      why: reason,
      next: 'run the command as a user that may read it, or leave it out',
    })),
    notes: [],
  };
}

interface GivenFile {
  readonly certificates: readonly GivenCertificate[];
  readonly keys: readonly GivenKey[];
  readonly others: readonly OtherFinding[];
}

function openFile(source: SourceText, inputs: FilesCheck): GivenFile {
  const { place, pem, mode } = source;
  const file = shown(place, inputs.cwd);
  const blocks = blocksOf(pem, file);
  if (blocks instanceof KbinError) {
    const { message, details } = blocks;
    const finding = failure('unreadable', details.why === undefined ? message : `${message}: ${details.why}`);
    return { certificates: [], keys: [], others: [{ seen: 'file', where: file, name: file, ...finding }] };
  }
  const given = inputs.paths.some((path) => resolve(inputs.cwd, path) === place);
  const ders = blocks
    .filter(
      ({ label, der }) => label.endsWith('CERTIFICATE') && !isList(der) && (given || mayBeCertificate(der)),
    )
    .map(({ der }) => der);
  const lists = blocks.filter(({ label, der }) => label === crlLabel || isList(der));
  return {
    certificates: ders.map((der, index) => ({
      where: index === 0 ? file : `${file}, certificate ${index + 1}`,
      file,
      der,
      x509: openable(der),
      sent: ders.slice(index + 1),
    })),
    keys: blocks
      .filter(({ label }) => label.endsWith('PRIVATE KEY'))
      .map(({ text }) => ({ file, mode, key: privateKey(text) })),
    others: lists.flatMap(({ der }) => listFindings(file, der, inputs.now)),
  };
}

function blocksOf(pem: string, file: string): PemBlock[] | KbinError {
  try {
    return pemBlocks(pem, file);
  } catch (error) {
    if (error instanceof KbinError) return error;
    throw error;
  }
}

function shown(place: string, cwd: string): string {
  const path = relative(cwd, place);
  return path.startsWith('..') || path === '' ? place : path;
}

function openable(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function privateKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}

/** In a folder: PKCS#12 begins as certificates do, and goes on with a number. */
function mayBeCertificate(der: Buffer): boolean {
  try {
    return children(firstElement(der).content)[0]?.tag === 0x30;
  } catch {
    return true;
  }
}

function isList(der: Buffer): boolean {
  try {
    readCrl(der);
    return true;
  } catch {
    return false;
  }
}

function listFindings(file: string, der: Buffer, now: Date): OtherFinding[] {
  const about = { seen: 'file', where: file, name: file } as const;
  if (!isList(der)) {
    return [{ ...about, ...failure('unreadable', 'it is no revocation list that can be read') }];
  }
  const { nextUpdate } = readCrl(der);
  if (nextUpdate === undefined || nextUpdate > now) return [];
  const message = `the next revocation list was due on ${day(nextUpdate)}: who looks at its date lets nobody in`;
  return [{ ...about, code: 'crl-expired', severity: 'fail', message, next: 'have its CA sign a new one' }];
}

const failure = (code: string, message: string): CertificateFinding => ({
  code,
  severity: 'fail',
  message,
  next: 'restore it from a backup, or look at it',
});

function judged(
  { where, der, x509, sent }: GivenCertificate,
  authorities: readonly KnownAuthority[],
  { now, withinHours }: FilesCheck,
): PkiCheckParts['certificates'][number] {
  // An intermediate CA is to lead to another one.
  const above =
    x509 === undefined || isRoot(x509)
      ? authorities
      : authorities.filter(({ certificate }) => !certificate.raw.equals(der));
  // Those who check a lone certificate have not shown who signed it.
  const found = assess(der, { now, withinHours, authorities: above, sent, strange: 'warn' });
  return { seen: 'file', where, ...found };
}

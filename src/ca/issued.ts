import { type CertificateInfo, inspectPem } from './inspect.ts';
import type { LockOptions } from './lock.ts';
import { dateOf, readRecord, recordText, serialOf, textOf } from './record.ts';
import { type Store, stageIgnoreFile } from './store.ts';
import { diskFiles, type StoreFiles } from './store-files.ts';
import type { Transaction } from './transaction.ts';

/**
 * What was signed and is not kept in the store: kubeconfigs for people, what `kbin pki sign` answers. Known so that it
 * can be revoked, and so that a CA is not dropped while somebody still comes with its certificate. One record for each
 * CA, `<ca>/issued`, which outlives a rotation of that CA: each line says which key signed.
 */
export interface IssuedCertificate {
  /** Id of the CA. */
  readonly authority: string;
  /** Key identifier of the CA that signed (lower-case hex): CAs of one id follow each other. */
  readonly authorityKeyId?: string;
  /** Hex, as openssl prints it. */
  readonly serial: string;
  readonly subject: string;
  /** `dns:www.example.net`, `ip:10.0.0.1`. */
  readonly sans: readonly string[];
  readonly notAfter: Date;
  /** What it was made for: `kubeconfig`, `pki sign`. */
  readonly purpose: string;
  readonly issuedAt: Date;
}

export type NewlyIssued = Omit<IssuedCertificate, 'sans' | 'issuedAt'> &
  Partial<Pick<IssuedCertificate, 'sans' | 'issuedAt'>>;

export const issuedPath = (authority: string): string => `${authority}/issued`;

/** Lines are forgotten this long after the certificate has ended. */
const keptAfterEndMs = 90 * 86_400_000;

/** Everything on the record of a CA, oldest first, expired certificates among it. Throws KbinError when it is damaged. */
export function issuedBy(files: StoreFiles, authority: string): readonly IssuedCertificate[] {
  return readRecord(files, issuedPath(authority), (line) => {
    const serial = serialOf(line.serial);
    const subject = textOf(line.subject);
    const notAfter = dateOf(line.notAfter);
    const issuedAt = dateOf(line.issuedAt);
    const authorityKeyId = textOf(line.authorityKeyId);
    if (serial === undefined || subject === undefined || notAfter === undefined || issuedAt === undefined)
      return undefined;
    return {
      authority,
      ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
      serial,
      subject,
      sans: Array.isArray(line.sans) ? line.sans.map(String) : [],
      notAfter,
      purpose: textOf(line.purpose) ?? '',
      issuedAt,
    };
  });
}

/** What the record says of a certificate. `pem`: its own comes first. */
export function issuedFrom(
  pem: string,
): Pick<IssuedCertificate, 'serial' | 'subject' | 'sans' | 'notAfter' | 'authorityKeyId'> {
  const [info] = inspectPem(pem, 'what was issued');
  if (info === undefined) throw new Error('nothing was issued');
  const { serial, subject, notAfter, authorityKeyId } = info;
  return {
    serial,
    subject,
    sans: sanTexts(info),
    notAfter,
    ...(authorityKeyId === undefined ? {} : { authorityKeyId }),
  };
}

const sanTexts = ({ sans }: Pick<CertificateInfo, 'sans'>): readonly string[] =>
  sans.map(({ type, value }) => `${type}:${value}`);

/** Takes the lock and adds a line. Throws KbinError where the store cannot be written, or its record not be read. */
export function recordIssued(
  store: Store,
  issued: NewlyIssued,
  options: Partial<LockOptions> = {},
): Promise<void> {
  return store.withLock(async (transaction) => {
    stageIgnoreFile(store.folder, transaction);
    stageIssued(diskFiles(store.folder), transaction, issued);
  }, options);
}

/** For those who hold the lock and stage more. Once for each CA in a transaction: `issued` are all of one CA. */
export function stageIssued(
  files: StoreFiles,
  transaction: Transaction,
  ...issued: readonly NewlyIssued[]
): void {
  const [first] = issued;
  if (first === undefined) return;
  const { authority, issuedAt: now = new Date() } = first;
  const known = issuedBy(files, authority).filter(
    (entry) => entry.notAfter.getTime() + keptAfterEndMs > now.getTime(),
  );
  const lines = [...known, ...issued].map(
    ({ issuedAt = now, sans = [], serial, subject, purpose, notAfter, authorityKeyId }) => ({
      serial,
      subject,
      sans,
      notAfter,
      purpose,
      issuedAt,
      authorityKeyId,
    }),
  );
  transaction.stage({ path: issuedPath(authority), content: recordText(lines), mode: 0o644 });
}

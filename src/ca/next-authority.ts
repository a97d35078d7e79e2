import { X509Certificate } from 'node:crypto';
import type { Subject } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
import { chainBelow } from './chain.ts';
import { type CertificateInfo, inspectPem } from './inspect.ts';
import { type Issuer, issueCertificate } from './issue.ts';
import { generateKeyPair, isEncrypted, publicPartOf, readPrivateKey } from './keys.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import { openKey, type PassphraseSource } from './passphrase.ts';
import { issuerOf } from './store-apply.ts';
import type { StoreFiles } from './store-files.ts';

/** The CA that comes after the one in use, as it lies in next/. */
export interface NextAuthority {
  /** As its file has it: its own certificate, and whatever follows it there. */
  readonly certificate: string;
  /** As its file has it: encrypted or not. */
  readonly key: string;
  /** The key in the clear. */
  readonly plain: string;
  readonly info: CertificateInfo;
  readonly issuer: Issuer;
}

interface NextUse {
  readonly now: Date;
  readonly passphrase: PassphraseSource;
  /** For how long what it signs is to be valid. Absent: it is to sign nothing that lasts. */
  readonly leafHours?: number;
}

/** Hours: a CA that ends sooner, or before a tenth of what its leaves are to last, cuts them all short at once. */
const enoughHours = 90 * 24;
const hourMs = 3_600_000;

/** Throws KbinError where it could not sign what the one in use has signed. */
export async function nextAuthority(
  id: string,
  files: StoreFiles,
  { now, passphrase, leafHours }: NextUse,
): Promise<NextAuthority> {
  const paths = pathsBeside('next', id);
  const [certificateFile, keyFile] = [files.place(paths.certificate ?? ''), files.place(paths.key)];
  const certificate = textOf(files, paths.certificate ?? '', `it is the next ${id}`);
  const key = textOf(files, paths.key, `the next ${id} signs everything anew, and this is its key`);
  const refuse = (what: string, why: string, next: string): never => {
    throw new KbinError(what, { step: 'certificate store, nothing was changed', why, next });
  };
  const opened = isEncrypted(key) ? openKey(key, await passphrase(), keyFile) : key;
  const reading = readPrivateKey(opened, undefined);
  if (reading.state !== 'read') {
    return refuse(`${keyFile} cannot be read`, reading.reason, 'restore it from a backup');
  }
  const [info] = inspectPem(certificate, certificateFile);
  if (info === undefined) return refuse(`${certificateFile} holds no certificate`, 'it is empty', anotherCa);
  const own = new X509Certificate(info.pem).publicKey.export({ type: 'spki', format: 'der' });
  if (!publicPartOf(reading.key).equals(own)) {
    const next = 'put the key beside it that belongs to the certificate';
    return refuse(`${keyFile} is not the key of ${certificateFile}`, 'they are two different keys', next);
  }
  if (!info.isCa || !info.usages.includes('cert sign')) {
    return refuse(
      `${certificateFile} is not the certificate of a CA`,
      'it may not sign certificates',
      anotherCa,
    );
  }
  if (info.notAfter <= now || info.notBefore > now) {
    const span = `it is valid from ${info.notBefore.toISOString()} to ${info.notAfter.toISOString()}`;
    return refuse(`the next ${id} is not valid now`, span, anotherCa);
  }
  if (isKeyInUse(id, files, own)) {
    const renewing = `put another CA there, or remove the folder to have one made; for a longer life of the same one: kbin pki renew ${id} --same-key`;
    return refuse(`the next ${id} has the key of the one in use`, 'nothing would be rotated', renewing);
  }
  if (leafHours !== undefined) {
    const needed = Math.min(enoughHours, leafHours / 10);
    if (info.notAfter.getTime() - now.getTime() < needed * hourMs) {
      const why = `it ends on ${info.notAfter.toISOString()}, and all that it signs would end with it`;
      const longer = `put a CA there that lasts ${Math.ceil(needed / 24)} days or more, remove the folder to have one made, or lower pki.validity.leaf in cluster.yaml`;
      return refuse(`the next ${id} ends too soon`, why, longer);
    }
  }
  return {
    certificate,
    key,
    plain: opened,
    info,
    issuer: issuerOf(info, reading.key, chainBelow(certificate)),
  };
}

/** Whatever its certificate says: its name, its serial and its dates may be others. */
function isKeyInUse(id: string, files: StoreFiles, spki: Buffer): boolean {
  const reading = files.read(pathsOf(id).certificate ?? '');
  if (reading.state !== 'read') return false;
  const inUse = new X509Certificate(reading.content).publicKey.export({ type: 'spki', format: 'der' });
  return spki.equals(inUse);
}

/** That a certificate which only proves something is good for. */
const trialHours = 1;

/**
 * A client of the next CA, with a key that is nowhere but here: whoever takes it trusts that CA already. PEM. It has no
 * names, so that etcd does not look where it comes from.
 */
export async function trialClient(
  { issuer }: NextAuthority,
  subject: Subject,
  now: Date,
): Promise<{ readonly cert: string; readonly key: string }> {
  const pair = await generateKeyPair('ecdsa-p256');
  const { pem } = issueCertificate(
    {
      subject,
      usages: ['digital signature', 'client auth'],
      sans: [],
      spki: pair.spki,
      validityHours: trialHours,
      now,
    },
    issuer,
  );
  return { cert: pem, key: pair.pem };
}

const anotherCa = 'put another CA there, or remove the folder to have one made';

function textOf(files: StoreFiles, path: string, why: string): string {
  const reading = files.read(path);
  if (reading.state === 'read') return reading.content.toString('utf8');
  throw new KbinError(
    `${files.place(path)} ${reading.state === 'closed' ? 'cannot be read' : 'is not here'}`,
    {
      step: 'certificate store, nothing was changed',
      why: reading.state === 'closed' ? `${reading.reason}; ${why}` : why,
      next: 'work where the CA keys are kept, or put it here for the while',
    },
  );
}

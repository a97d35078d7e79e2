import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { authorities, findEntry } from '../../../pki/index.ts';
import { fileFailure } from '../../ca/file-failure.ts';
import { inspectPem } from '../../ca/inspect.ts';
import { asPem } from '../../ca/pem.ts';
import { type Revocable, revocableOf, revocables } from '../../ca/revocable.ts';
import type { StoreFiles } from '../../ca/store-files.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import type { CertificatePlan } from '../../desired/certificate-plan.ts';
import { exitCode, KbinError } from '../../errors.ts';

const step = 'revoke a certificate';

/**
 * The certificate that somebody means by a name of the plan, a serial number, a file, or the common name of what is on
 * record. `authority`: whose serial number it is, for one that is known from nowhere else. Throws KbinError (exit 2)
 * when it is none, or more than one.
 */
export function findRevocable(
  plan: CertificatePlan,
  files: StoreFiles,
  what: string,
  { cwd, authority }: { readonly cwd: string; readonly authority?: string | undefined },
): Revocable {
  const all = revocables(plan, files);
  const ofAuthority = all.filter((one) => authority === undefined || one.authority === authority);
  const named = ofAuthority.filter(({ name }) => name === what);
  if (named.length > 0) return single(what, named);
  if (findEntry(what) !== undefined) throw unmade(what, all);
  const serial = serialIn(what);
  const numbered = ofAuthority.filter((one) => one.serial === serial);
  if (numbered.length > 0) return single(what, numbered);
  const file = resolve(cwd, what);
  if (existsSync(file)) return inFile(plan, files, file);
  const called = ofAuthority.filter(({ name, notAfter }) => commonNameIn(name) === what && isValid(notAfter));
  if (called.length > 0) return single(what, called);
  if (serial !== undefined) return unknownSerial(serial, authority);
  throw new KbinError(
    `there is no certificate "${what}"${didYouMean(
      what,
      all.map(({ name }) => name),
    )}`,
    {
      step,
      why: 'it is no name of a certificate in pki/, no serial number, no file, and nobody on the record has that name',
      next: '"kbin pki list" shows the names, --json their serial numbers',
      exit: exitCode.usage,
    },
  );
}

const isValid = (notAfter: Date | undefined): boolean => notAfter === undefined || notAfter > new Date();

/** `5A:01`, `0x5a01` or `kubeconfig:5A01`, as openssl, browsers and "kbin pki list" print them. */
function serialIn(what: string): string | undefined {
  const digits = what.replace(/^(?:.*[a-z ]:|0x)(?=[0-9A-Fa-f:]+$)/, '').replaceAll(':', '');
  if (!/^[0-9A-Fa-f]{1,64}$/.test(digits)) return undefined;
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return even.toUpperCase();
}

const commonNameIn = (subject: string): string | undefined => /(?:^|, )CN=([^,]*)$/.exec(subject)?.[1];

function single(what: string, found: readonly Revocable[]): Revocable {
  const [first, ...more] = found;
  if (first === undefined) throw new Error('nothing was found');
  if (first.isCa) throw refuseAuthority(first.name, first.authority);
  if (more.length === 0) return first;
  throw new KbinError(`"${what}" may be any of ${found.length} certificates`, {
    step,
    why: 'each of them has its own serial number',
    next: 'name the one that is meant by its serial number, and its CA with --authority',
    output: found.map(({ serial, authority, name }) => `${serial} of ${authority}: ${name}`).join('\n'),
    exit: exitCode.usage,
  });
}

/** `rotates`: the CA of this cluster that it belongs to. */
function refuseAuthority(name: string, rotates: string): KbinError {
  return new KbinError(`${name} is a CA, and cannot be revoked`, {
    step,
    why: 'it stands on nobody’s list: everyone who verifies has it as what they trust',
    next: `take the trust away from it instead: kbin pki rotate ${rotates}`,
    exit: exitCode.usage,
  });
}

function unmade(what: string, all: readonly Revocable[]): KbinError {
  const hosts = all.filter(({ name }) => name.startsWith(`${what}@`)).map(({ name }) => name);
  const which = hosts.length > 0;
  return new KbinError(which ? `which ${what}?` : `${what} is not in the certificate store`, {
    step,
    why: which ? `there is one for each host: ${hosts.join(', ')}` : 'it was not made yet, or on other hosts',
    next: which ? 'name one of them' : 'revoke it by its serial number or its file',
    exit: exitCode.usage,
  });
}

function inFile(plan: CertificatePlan, files: StoreFiles, file: string): Revocable {
  const [info] = inspectPem(asPem(read(file), 'CERTIFICATE'), file);
  if (info === undefined) throw new Error(`${file} holds no certificate`);
  const found = revocableOf(plan, files, info);
  if (found?.isCa === false) return found;
  if (found !== undefined) throw refuseAuthority(found.name, found.authority);
  throw new KbinError(`${file} is not a certificate of this cluster`, {
    step,
    why: `it was signed by ${info.issuer}, which is no CA of ${files.place('')}`,
    next: 'revoke it where its CA is',
    exit: exitCode.usage,
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fileFailure(`cannot read ${file}`, step, error);
  }
}

function unknownSerial(serial: string, authority: string | undefined): Revocable {
  if (authority !== undefined && authorities.some(({ id }) => id === authority)) {
    return { authority, serial, name: `serial number ${serial}`, isCa: false };
  }
  const ids = authorities.map(({ id }) => id);
  throw new KbinError(`no certificate with the serial number ${serial} is known here`, {
    step,
    why:
      authority === undefined
        ? 'it is neither in pki/ nor on the record of what was issued'
        : `there is no CA "${authority}"${didYouMean(authority, ids)}`,
    next: `if it is one of this cluster, say of which CA with --authority (${ids.join(', ')}), or give its file`,
    exit: exitCode.usage,
  });
}

import { oneCertificate, readAuthority, readKey } from '../../cfssl/authority.ts';
import {
  type CertificateRequest,
  readCertificateRequest,
  readSubjectFile,
} from '../../cfssl/certificate-request.ts';
import { chooseProfile, readConfig, type SigningConfig } from '../../cfssl/config.ts';
import { requestFromCertificate } from '../../cfssl/from-certificate.ts';
import { initAuthority, renewAuthority } from '../../cfssl/initca.ts';
import { keyPem, makeKey } from '../../cfssl/key.ts';
import { makeRequest } from '../../cfssl/make-request.ts';
import { readAsked } from '../../cfssl/read-request.ts';
import { selfSign, selfSignProfile } from '../../cfssl/selfsign.ts';
import { signCertificate } from '../../cfssl/sign.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { FlagName } from './flags.ts';
import type { Outcome, Run } from './run.ts';

export async function gencert(run: Run): Promise<Outcome> {
  if (run.flag('renewca') !== '') return renewca(run);
  const { request, source } = requestOf(run, operand(run, 0, 'a CSR file'));
  if (run.flag('initca') !== '') return initca(run, request, source);
  refuseCa(request, source);
  run.required('ca', 'a CA certificate');
  run.required('ca-key', 'the key of the CA');
  const config = configOf(run);
  const profile = chooseProfile(config, run.flag('profile'), run.remarks);
  const authority = authorityOf(run);
  if (request.crl_url)
    run.remarks.push(`${source}: crl_url is for CAs; a profile says it for what they sign`);
  const hosts = run.flag('hostname') === '' ? undefined : run.flag('hostname').split(',');
  const wanted = {
    ...request,
    ...(run.flag('cn') === '' ? {} : { CN: run.flag('cn') }),
    ...(hosts === undefined ? {} : { hosts }),
  };
  const key = await makeKey(request.key ?? {});
  // Names given with -hostname are looked at once, when the certificate is made.
  const { asked, pem } = makeRequest(wanted, key, source, hosts === undefined ? run.remarks : []);
  const order = { asked, profile, config, now: run.now, ...(hosts === undefined ? {} : { hosts }) };
  const cert = signCertificate(order, authority, run.remarks);
  return { made: { cert, csr: pem, key: keyPem(key) } };
}

async function initca(run: Run, request: CertificateRequest, source: string): Promise<Outcome> {
  withoutEffect(run, ['ca', 'config', 'profile', 'cn', 'hostname'], 'with -initca');
  const settings = { source, now: run.now, remarks: run.remarks };
  if (run.flag('ca-key') !== '') {
    const key = readKey(run.authorityInput('ca-key'), run.passphrase());
    const { certificate, request: csr } = initAuthority(request, key, settings);
    return { made: { cert: certificate, csr } };
  }
  const key = await makeKey(request.key ?? {});
  const { certificate, request: csr } = initAuthority(request, key, settings);
  return { made: { cert: certificate, csr, key: keyPem(key) } };
}

function renewca(run: Run): Outcome {
  run.required('ca', 'the CA certificate');
  run.required('ca-key', 'the key of the CA');
  withoutEffect(run, ['initca', 'config', 'profile', 'cn', 'hostname'], 'with -renewca');
  const { parts, key } = authorityOf(run);
  return { made: { cert: renewAuthority(parts, key, run.now) } };
}

export async function genkey(run: Run): Promise<Outcome> {
  const { request, source } = requestOf(run, operand(run, 0, 'a CSR file'));
  if (run.flag('initca') !== '') return initca(run, request, source);
  refuseCa(request, source);
  const key = await makeKey(request.key ?? {});
  return { made: { csr: makeRequest(request, key, source, run.remarks).pem, key: keyPem(key) } };
}

export function gencsr(run: Run): Outcome {
  const input = run.input(run.required('key', 'a private key'));
  const key = readKey(input, run.passphrase());
  const { request, source } = givenRequest(run);
  const hosts = run.flag('hostname') === '' ? request.hosts : run.flag('hostname').split(',');
  const csr = makeRequest({ ...request, hosts: hosts ?? [] }, key, source, run.remarks).pem;
  return { made: { csr, key: input.text } };
}

function givenRequest(run: Run): { request: CertificateRequest; source: string } {
  const certificate = run.flag('cert');
  if (certificate === '') return requestOf(run, operand(run, 0, 'a CSR file, or -cert'));
  if (run.operands.length > 0) {
    throw new KbinError('cfssl gencsr takes a certificate or a CSR file, not both', {
      next: 'leave -cert or the file out',
      exit: exitCode.usage,
    });
  }
  return { request: requestFromCertificate(oneCertificate(run.input(certificate))), source: certificate };
}

export async function sign(run: Run): Promise<Outcome> {
  run.required('ca', 'a CA certificate');
  run.required('ca-key', 'the key of the CA');
  const [csrOperand, ...rest] = run.flag('csr') === '' ? run.operands : [run.flag('csr'), ...run.operands];
  const csr = run.input(csrOperand ?? operand(run, 0, 'a certificate request'));
  const [subjectFile, extra] = rest;
  if (extra !== undefined) {
    throw new KbinError(`cfssl sign takes no "${extra}"`, {
      next: 'see "kbin cfssl sign --help"',
      exit: exitCode.usage,
    });
  }
  const config = configOf(run);
  const profile = chooseProfile(config, run.flag('profile'), run.remarks);
  const authority = authorityOf(run);
  const asked = await readAsked(csr.text, csr.name, run.remarks);
  const order = {
    asked,
    profile,
    config,
    now: run.now,
    ...(run.flag('hostname') === '' ? {} : { hosts: run.flag('hostname').split(',') }),
    ...(subjectFile === undefined ? {} : { subject: subjectOf(run, subjectFile) }),
  };
  return { made: { cert: signCertificate(order, authority, run.remarks), csr: csr.text } };
}

function subjectOf(run: Run, file: string): { CN?: string; serialnumber?: string } {
  const input = run.input(file);
  const { SerialNumber, ...subject } = readSubjectFile(input.text, input.name, run.remarks);
  return { ...subject, ...(SerialNumber ? { serialnumber: SerialNumber } : {}) };
}

export async function selfsign(run: Run): Promise<Outcome> {
  const [first, second] = run.operands;
  const isNamed = run.flag('hostname') !== '';
  const file = isNamed ? first : second;
  if (file === undefined || (isNamed && second !== undefined)) {
    throw new KbinError('cfssl selfsign needs a HOSTNAME and a CSR file', {
      next: 'give both, or the name with -hostname',
      exit: exitCode.usage,
    });
  }
  const { request, source } = requestOf(run, file);
  const host = isNamed ? run.flag('hostname') : (first ?? '');
  if (!(request.hosts ?? []).includes(host)) {
    run.remarks.push(
      `HOSTNAME is not used by cfssl: "${host}" gets into the certificate only by "hosts" of ${source}`,
    );
  }
  const config = configOf(run);
  const name = run.flag('profile');
  const profile =
    config === undefined || !config.profiles.has(name)
      ? selfSignProfile
      : chooseProfile(config, name, run.remarks);
  if (name !== '' && profile === selfSignProfile) {
    run.remarks.push(
      `there is no profile "${name}": the certificate is one for servers and clients, for three months`,
    );
  }
  const key = await makeKey(request.key ?? {});
  const { asked, pem } = makeRequest(request, key, source, run.remarks);
  return { made: { cert: selfSign(asked, key, profile, run.now), csr: pem, key: keyPem(key) } };
}

function requestOf(run: Run, file: string): { request: CertificateRequest; source: string } {
  const { text, name } = run.input(file);
  return { request: readCertificateRequest(text, name, run.remarks), source: name };
}

function configOf(run: Run): SigningConfig | undefined {
  if (run.flag('config') === '') return undefined;
  const { text, name } = run.input(run.flag('config'));
  return readConfig(text, name, run.remarks);
}

function authorityOf(run: Run): ReturnType<typeof readAuthority> {
  return readAuthority(run.authorityInput('ca'), run.authorityInput('ca-key'), run.passphrase());
}

function operand(run: Run, index: number, what: string): string {
  const given = run.operands[index];
  if (given !== undefined) return given;
  throw new KbinError(`cfssl ${run.command} needs ${what}`, {
    next: `see "kbin cfssl ${run.command} --help"; "-" reads stdin`,
    exit: exitCode.usage,
  });
}

function refuseCa({ ca }: CertificateRequest, source: string): void {
  if (ca === undefined) return;
  throw new KbinError(`${source} has a "ca", which only -initca may have`, {
    next: 'take "ca" out of it, or give -initca if it is for a CA',
    exit: exitCode.usage,
  });
}

function withoutEffect(run: Run, names: readonly FlagName[], when: string): void {
  for (const name of names) {
    if (run.flag(name) !== '') run.remarks.push(`-${name} has no effect ${when}`);
  }
}

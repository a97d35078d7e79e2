import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlannedLeaf, Subject } from '../../src/desired/certificate-plan.ts';

/** What openssl's configuration calls the usages of the plan. */
const usageNames: Readonly<Record<string, string>> = {
  signing: 'digitalSignature',
  'digital signature': 'digitalSignature',
  'key encipherment': 'keyEncipherment',
  'cert sign': 'keyCertSign',
  'crl sign': 'cRLSign',
};
const purposeNames: Readonly<Record<string, string>> = {
  'server auth': 'serverAuth',
  'client auth': 'clientAuth',
};
const sanNames: Readonly<Record<string, string>> = { dns: 'DNS', ip: 'IP', email: 'email', uri: 'URI' };

/** A certificate that openssl makes: the files are those of a folder, and so is the configuration that it leaves there. */
interface Twin {
  readonly folder: string;
  readonly subject: Subject;
  readonly usages: readonly string[];
  /** File of the private key. */
  readonly key: string;
  readonly days: number;
  readonly digest: 'sha256' | 'sha384' | 'sha512';
  /** Hex. */
  readonly serial: string;
}

/** PEM of what openssl makes of the same entry of the plan, for the same key, signed by the same CA. */
export function leafOf(
  { sans, ...leaf }: Twin & Pick<PlannedLeaf, 'sans'>,
  authority: { readonly certificate: string; readonly key: string },
): string {
  const names = sans.map(({ type, value }, index) => `${sanNames[type]}.${index + 1} = ${escaped(value)}`);
  return certificate(
    leaf,
    [
      'basicConstraints = critical, CA:FALSE',
      'subjectKeyIdentifier = hash',
      'authorityKeyIdentifier = keyid:always',
      ...(names.length > 0 ? ['subjectAltName = @names', '[names]', ...names] : []),
    ],
    ['-CA', authority.certificate, '-CAkey', authority.key],
  );
}

/** PEM of a CA that signs itself. */
export function authorityOf(authority: Twin): string {
  return certificate(authority, ['basicConstraints = critical, CA:TRUE', 'subjectKeyIdentifier = hash'], []);
}

function certificate(twin: Twin, extensions: readonly string[], signer: readonly string[]): string {
  const { folder, subject, usages, key, days, digest, serial } = twin;
  const bits = usages.flatMap((usage) => usageNames[usage] ?? []);
  const purposes = usages.flatMap((usage) => purposeNames[usage] ?? []);
  const config = join(folder, 'openssl.cnf');
  writeFileSync(
    config,
    [
      '[req]',
      'prompt = no',
      'utf8 = yes',
      // PrintableString where it is one, else UTF8String.
      'string_mask = MASK:0x2002',
      'distinguished_name = subject',
      'x509_extensions = extensions',
      '[subject]',
      ...subject.map(({ type, value }, index) => `${index}.${type} = ${escaped(value)}`),
      '[extensions]',
      `keyUsage = critical, ${bits.join(', ')}`,
      ...(purposes.length > 0 ? [`extendedKeyUsage = ${purposes.join(', ')}`] : []),
      ...extensions,
      '',
    ].join('\n'),
  );
  const argv = [
    '-config',
    config,
    `-${digest}`,
    '-key',
    key,
    '-days',
    String(days),
    '-set_serial',
    `0x${serial}`,
  ];
  return execFileSync('openssl', ['req', '-new', '-x509', ...argv, ...signer], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** For a value in openssl's configuration. */
function escaped(value: string): string {
  return value.replaceAll(/[\\$#"'`]/g, (letter) => `\\${letter}`);
}

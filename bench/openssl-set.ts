import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyAlgorithm } from '../src/cluster/cluster.ts';
import type { CertificatePlan, PlannedLeaf, Subject } from '../src/desired/certificate-plan.ts';

/**
 * The plan's certificates as people make them with openssl: `openssl req` for a key with its request, `openssl x509 -req`
 * to have it signed, one after the other. Returns the script's path; it writes into the folder it is run in.
 */
export function writeOpensslSet(plan: CertificatePlan, folder: string): string {
  const lines = ['set -e'];
  for (const { id, subject, key, leaves, validityHours } of plan.authorities) {
    const days = Math.floor(validityHours / 24);
    lines.push(
      `openssl req -x509 ${newKey(key, id)} ${subjectText(subject)} -days ${days} -addext keyUsage=critical,keyCertSign,cRLSign -out ${id}.crt 2>&1`,
    );
    for (const leaf of leaves) {
      const extensions = join(folder, `${leaf.id}.cnf`);
      writeFileSync(extensions, extensionsOf(leaf));
      lines.push(
        `openssl req -new ${newKey(leaf.key, leaf.id)} ${subjectText(leaf.subject)} -out ${leaf.id}.csr 2>&1`,
        `openssl x509 -req -in ${leaf.id}.csr -CA ${id}.crt -CAkey ${id}.key -CAcreateserial -days ${days} -extfile ${extensions} -out ${leaf.id}.crt 2>&1`,
      );
    }
  }
  for (const { id, key } of plan.keyPairs) {
    lines.push(`openssl genpkey ${algorithm(key).join(' ')} -out ${id}.key 2>&1`);
    lines.push(`openssl pkey -in ${id}.key -pubout -out ${id}.pub 2>&1`);
  }
  const script = join(folder, 'openssl.sh');
  writeFileSync(script, `${lines.join('\n')}\n`);
  return script;
}

function algorithm(key: KeyAlgorithm): [string, string] {
  const [kind, size = ''] = key.split('-');
  return kind === 'rsa'
    ? ['-algorithm RSA', `-pkeyopt rsa_keygen_bits:${size}`]
    : ['-algorithm EC', `-pkeyopt ec_paramgen_curve:${size.toUpperCase().replace('P', 'P-')}`];
}

function newKey(key: KeyAlgorithm, id: string): string {
  const [kind, size = ''] = key.split('-');
  const made =
    kind === 'rsa'
      ? `-newkey rsa:${size}`
      : `-newkey ec -pkeyopt ec_paramgen_curve:${size.toUpperCase().replace('P', 'P-')}`;
  return `${made} -nodes -keyout ${id}.key`;
}

const subjectText = (subject: Subject): string =>
  `-subj '${subject.map(({ type, value }) => `/${type}=${value}`).join('')}'`;

function extensionsOf({ usages, sans, key }: PlannedLeaf): string {
  const purposes = [
    ...(usages.includes('server auth') ? ['serverAuth'] : []),
    ...(usages.includes('client auth') ? ['clientAuth'] : []),
  ];
  const names = sans.map(({ type, value }) => `${type === 'ip' ? 'IP' : 'DNS'}:${value}`);
  return [
    `keyUsage=critical,digitalSignature${key.startsWith('rsa') ? ',keyEncipherment' : ''}`,
    `extendedKeyUsage=${purposes.join(',')}`,
    'basicConstraints=critical,CA:FALSE',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
    ...(names.length > 0 ? [`subjectAltName=${names.join(',')}`] : []),
    '',
  ].join('\n');
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Usage } from '../pki/usages.ts';
import type { KeyAlgorithm } from '../src/cluster/cluster.ts';
import type { CertificatePlan, PlannedLeaf, Subject } from '../src/desired/certificate-plan.ts';

/**
 * The plan's certificates as a hand-install guide makes them: a ca-config.json, a CSR file for each certificate, and a
 * script of `cfssl gencert … | cfssljson -bare …`, one after the other. Returns the script's path; it writes into the
 * folder it is run in.
 */
export async function writeCfsslSet(plan: CertificatePlan, folder: string, bin: string): Promise<string> {
  const lines = ['set -e', `PATH=${bin}:$PATH`];
  const files = new Map<string, unknown>([['ca-config.json', caConfig(plan)]]);
  for (const authority of plan.authorities) {
    files.set(`${authority.id}.json`, {
      ...request(authority.subject, authority.key),
      ca: { expiry: `${authority.validityHours}h` },
    });
    lines.push(`cfssl gencert -initca ${folder}/${authority.id}.json | cfssljson -bare ${authority.id}`);
    for (const leaf of authority.leaves) {
      files.set(`${leaf.id}.json`, {
        ...request(leaf.subject, leaf.key),
        hosts: leaf.sans.map(({ value }) => value),
      });
      const ca = `-ca ${authority.id}.pem -ca-key ${authority.id}-key.pem`;
      const profile = `-config ${folder}/ca-config.json -profile ${profileName(leaf)}`;
      lines.push(`cfssl gencert ${ca} ${profile} ${folder}/${leaf.id}.json | cfssljson -bare ${leaf.id}`);
    }
  }
  for (const pair of plan.keyPairs) {
    files.set(`${pair.id}.json`, request([{ type: 'CN', value: pair.id }], pair.key));
    lines.push(`cfssl genkey ${folder}/${pair.id}.json | cfssljson -bare ${pair.id}`);
  }
  const script = join(folder, 'make.sh');
  await Promise.all([
    ...[...files].map(([name, content]) => writeFile(join(folder, name), JSON.stringify(content, null, 2))),
    writeFile(script, `${lines.join('\n')}\n`),
  ]);
  return script;
}

function request(subject: Subject, key: KeyAlgorithm): object {
  const { CN, ...names } = Object.fromEntries(subject.map(({ type, value }) => [type, value]));
  const [algo, size] = key.split('-');
  return { CN, key: { algo, size: Number(size?.replace('p', '')) }, names: [names] };
}

function caConfig({ authorities }: CertificatePlan): object {
  const leaves = authorities.flatMap((authority) => authority.leaves);
  const profiles = leaves.map((leaf) => [
    profileName(leaf),
    { usages: cfsslUsages(leaf.usages), expiry: `${leaf.validityHours}h` },
  ]);
  return { signing: { default: { expiry: '8760h' }, profiles: Object.fromEntries(profiles) } };
}

const cfsslUsages = (usages: readonly Usage[]): readonly Usage[] => [
  ...new Set([...usages, 'key encipherment' as const]),
];

function profileName({ usages }: PlannedLeaf): string {
  const server = usages.includes('server auth');
  const client = usages.includes('client auth');
  return server && client ? 'peer' : server ? 'server' : 'client';
}

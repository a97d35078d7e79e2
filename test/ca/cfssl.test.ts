import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeCfsslSet } from '../../bench/cfssl-set.ts';
import { type CertificateInfo, inspectPem } from '../../src/ca/inspect.ts';
import { pathsOf } from '../../src/ca/layout.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { filledStore, temporaryFolder } from './stores.ts';

/** Put there by scripts/cfssl.sh, which `make setup` and `make test` run. */
const bin = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kbin/test/cfssl');

const plan = certificatePlan(
  exampleCluster({
    hosts: [exampleHost('m1', '10.0.0.1')],
    pki: {
      subject: { C: 'AT', ST: 'Wien', L: 'Wien', O: 'Example', OU: 'Ops' },
      reserve: ['fd00::9', '*.later.example'],
    },
  }),
);

describe('the same plan through cfssl', () => {
  beforeAll(() => {
    if (!existsSync(join(bin, 'cfssl'))) {
      throw new Error(`no cfssl in ${bin}: run "make setup", or "bash scripts/cfssl.sh"`);
    }
  });

  test('gives certificates that say the same', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'out'));
    const script = await writeCfsslSet(plan, folder, bin);
    execFileSync('bash', [script], { cwd: join(folder, 'out'), stdio: 'pipe' });
    const store = await filledStore(plan);
    for (const authority of plan.authorities) {
      for (const { id } of [authority, ...authority.leaves]) {
        const [own] = inspectPem(readFileSync(join(store.folder, pathsOf(id).certificate ?? ''), 'utf8'));
        const [theirs] = inspectPem(readFileSync(join(folder, 'out', `${id}.pem`), 'utf8'));
        expect([id, facts(own)]).toEqual([id, facts(theirs)]);
      }
    }
  });

  test("reads kbin's certificates as kbin does", async () => {
    const store = await filledStore(plan);
    for (const { id, subject, sans } of plan.authorities.flatMap(({ leaves }) => leaves)) {
      const file = join(store.folder, pathsOf(id).certificate ?? '');
      const info = JSON.parse(
        execFileSync(join(bin, 'cfssl'), ['certinfo', '-cert', file], { encoding: 'utf8' }),
      );
      const [own] = inspectPem(readFileSync(file, 'utf8'));
      expect(info.subject.common_name).toBe(subject.at(-1)?.value);
      expect([...(info.sans ?? [])].sort()).toEqual(sans.map(({ value }) => value).sort());
      expect(BigInt(info.serial_number)).toBe(BigInt(`0x${own?.serial}`));
      expect(info.subject_key_id.replaceAll(':', '').toLowerCase()).toBe(own?.subjectKeyId);
      expect(info.authority_key_id.replaceAll(':', '').toLowerCase()).toBe(own?.authorityKeyId);
      expect(info.sigalg).toBe('ECDSAWithSHA256');
      expect(new Date(info.not_after)).toEqual(own?.notAfter);
    }
  });
});

/**
 * What both must agree on. Go orders SANs by type, so they are sorted; cfssl claims key encipherment for elliptic-curve
 * keys, which RFC 8813 forbids; and it counts the validity from the backdated start.
 */
function facts(info: CertificateInfo | undefined): object | undefined {
  if (info === undefined) return undefined;
  const { subject, issuer, key, signature, isCa, usages, sans, notBefore, notAfter, pathLength } = info;
  const hours = (notAfter.getTime() - notBefore.getTime()) / 3_600_000;
  return {
    ...{ subject, issuer, key, signature, isCa, pathLength },
    usages: usages.filter((usage) => usage !== 'key encipherment'),
    sans: sans.map(({ type, value }) => `${type}:${value}`).sort(),
    hours: Math.floor(hours),
    serialOctets: Math.ceil(info.serial.length / 2) > 16,
    hasKeyIds: [info.subjectKeyId?.length, isCa || info.authorityKeyId?.length === 40],
  };
}

/** The same plan through openssl: for the same keys, CAs and serials the certificates are the same, byte for byte, but for the clock. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { certificateParts } from '../../src/ca/certificate-parts.ts';
import { isIssuedBy } from '../../src/ca/chain.ts';
import { inspectPem } from '../../src/ca/inspect.ts';
import { pathsOf } from '../../src/ca/layout.ts';
import { lint } from '../../src/ca/lint.ts';
import { takeApart } from '../../src/ca/lint-certificate.ts';
import { pemBlocks } from '../../src/ca/pem.ts';
import { compareStore } from '../../src/ca/reconcile.ts';
import type { Cluster, ClusterHost, KeyAlgorithm } from '../../src/cluster/cluster.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { authorityOf, leafOf } from './openssl-twin.ts';
import { filledStore, temporaryFolder } from './stores.ts';

const day = 24;

const host: fc.Arbitrary<ClusterHost> = fc
  .record({
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/),
    address: fc.oneof(fc.ipV4(), fc.constantFrom('fd00::6', '2001:db8:0:0:1::1', 'fe80::1:2')),
    more: fc.uniqueArray(fc.constantFrom('worker' as const, 'load-balancer' as const)),
  })
  .map((given) => exampleHost(given.name, given.address, ['etcd', 'control-plane', ...given.more]));

/** Everything of cluster.yaml that gets into a certificate. Whole days, which is what openssl counts in. */
const clusterWith = (key: KeyAlgorithm): fc.Arbitrary<Cluster> =>
  fc
    .record({
      host,
      subject: fc.record(
        {
          C: fc.constantFrom('AT', 'DE'),
          ST: fc.constantFrom('Wien', 'Île-de-France'),
          L: fc.constantFrom('Wien', 'Zürich', '東京'),
          O: fc.constantFrom('Example', 'Größe & Söhne', 'a "b" \\c', "O'Neill #1", 'x$y'),
          OU: fc.constantFrom('Ops', 'a+b=c, d', '100%'),
        },
        { requiredKeys: [] },
      ),
      reserve: fc.uniqueArray(fc.oneof(fc.ipV4(), fc.constantFrom('later.example', '*.example.org')), {
        maxLength: 3,
      }),
      extra: fc.uniqueArray(
        fc.constantFrom('https://api.example/x?y=1', 'ops@example.org', 'xn--mnchen-3ya.example', 'fd00::99'),
        { maxLength: 3 },
      ),
      days: fc.integer({ min: 1, max: 20_000 }),
    })
    .map(({ host, subject, reserve, extra, days }) =>
      exampleCluster({
        hosts: [host],
        endpoint: { address: 'api.example.org' },
        pki: {
          key,
          subject,
          reserve,
          extraSans: { apiserver: extra, [`etcd-server@${host.name}`]: extra },
          validity: { ca: 20_000 * day, leaf: days * day },
        },
      }),
    );

interface Facts {
  readonly tbs: Record<string, string | number>;
  readonly seconds: number;
}

/** The signed part without its dates; hex. */
function factsOf(pem: string): Facts {
  const [block] = pemBlocks(pem, 'the certificate');
  const parts = certificateParts(block?.der ?? Buffer.alloc(0));
  return {
    tbs: {
      serial: parts.serial.toString('hex'),
      signatureAlgorithm: parts.signatureAlgorithm,
      issuer: parts.issuer.toString('hex'),
      subject: parts.subject.toString('hex'),
      spki: parts.spki.toString('hex'),
      extensions: parts.extensions
        .map(({ oid, critical, value }) => `${oid} ${critical} ${value.toString('hex')}`)
        .join('\n'),
    },
    seconds: (parts.notAfter.getTime() - parts.notBefore.getTime()) / 1000,
  };
}

/** kbin backdates by five minutes; and it signs, as cfssl does, with a digest that grows with the key (openssl: SHA-256). */
const backdated = 300;

describe.each([
  ['ecdsa-p256', 9, 'sha256'],
  ['ecdsa-p384', 1, 'sha384'],
  ['rsa-2048', 4, 'sha256'],
  ['rsa-3072', 1, 'sha384'],
] as const)('%s', (key, numRuns, digest) => {
  test('openssl makes the same certificates', { timeout: 300_000 }, async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(clusterWith(key), async (cluster) => {
        const plan = certificatePlan(cluster);
        const store = await filledStore(plan);
        const folder = temporaryFolder();
        for (const authority of plan.authorities) {
          const own = pathsOf(authority.id);
          const file = (path = ''): string => join(store.folder, path);
          const ca = readFileSync(file(own.certificate), 'utf8');
          const twin = (id: string, hours: number) => {
            const { key: keyPath, certificate } = pathsOf(id);
            const ours = readFileSync(file(certificate), 'utf8');
            const serial = factsOf(ours).tbs.serial as string;
            return { ours, common: { folder, digest, key: file(keyPath), serial, days: hours / day } };
          };
          const root = twin(authority.id, authority.validityHours);
          const theirCa = authorityOf({ ...authority, ...root.common });
          expect(factsOf(theirCa).tbs).toEqual(factsOf(root.ours).tbs);
          expect(factsOf(theirCa).seconds + backdated).toBe(factsOf(root.ours).seconds);
          for (const leaf of authority.leaves) {
            const { ours, common } = twin(leaf.id, leaf.validityHours);
            const theirs = leafOf(
              { ...leaf, ...common },
              { certificate: file(own.certificate), key: file(own.key) },
            );
            expect([leaf.id, factsOf(theirs).tbs]).toEqual([leaf.id, factsOf(ours).tbs]);
            // A leaf is cut to its CA's end, so that one is a little shorter.
            const expected = Math.min(factsOf(theirs).seconds + backdated, factsOf(ca).seconds);
            expect(Math.abs(factsOf(ours).seconds - expected)).toBeLessThan(60);
            // Theirs holds for kbin: signed by this CA, by the rules, and read as the same.
            const [der] = pemBlocks(theirs, 'theirs').map((block) => block.der);
            expect(isIssuedBy(new X509Certificate(theirs), new X509Certificate(theirCa))).toBe(true);
            const issuer = takeApart(pemBlocks(theirCa, 'theirs')[0]?.der ?? Buffer.alloc(0));
            expect(lint(der ?? Buffer.alloc(0), { roles: [], issuer })).toEqual([]);
            expect(meaning(theirs)).toEqual(meaning(ours));
            writeFileSync(file(pathsOf(leaf.id).certificate), theirs);
            compared += 1;
          }
          writeFileSync(file(own.certificate), theirCa);
          compared += 1;
        }
        // A store full of openssl's certificates is one that kbin finds nothing to do in.
        const { diff } = await compareStore(plan, store.folder, { now: new Date() });
        expect([diff.changes, diff.problems]).toEqual([[], []]);
      }),
      { numRuns, seed: 4711, endOnFailure: true },
    );
    expect(compared).toBeGreaterThanOrEqual(numRuns * 8);
  });
});

function meaning(pem: string): object {
  const [info] = inspectPem(pem);
  if (info === undefined) throw new Error('no certificate');
  const { pem: _, fingerprints: _f, notBefore: _b, notAfter: _a, ...rest } = info;
  return rest;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { San } from '../../pki/san.ts';
import { planIds } from '../../src/ca/observed-store.ts';
import { type Cluster, type ClusterHost, roles } from '../../src/cluster/cluster.ts';
import type { PlannedLeaf } from '../../src/desired/certificate-plan.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { MemoryStore } from './stores.ts';

const hosts: fc.Arbitrary<readonly ClusterHost[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/),
      last: fc.integer({ min: 1, max: 250 }),
      family: fc.constantFrom('10.0.0.', 'fd00::'),
      roles: fc.uniqueArray(fc.constantFrom(...roles), { minLength: 1 }),
    }),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  )
  .map((list) => list.map((host) => exampleHost(host.name, `${host.family}${host.last}`, host.roles)));

const cluster: fc.Arbitrary<Cluster> = fc
  .record({
    hosts,
    key: fc.constantFrom('ecdsa-p256' as const, 'ecdsa-p384' as const),
    reserve: fc.uniqueArray(fc.oneof(fc.ipV4(), fc.constantFrom('later.example.org', '*.example.org')), {
      maxLength: 2,
    }),
    subject: fc.record(
      { O: fc.constantFrom('Example', 'Größe & Co.'), L: fc.constant('Wien') },
      { requiredKeys: [] },
    ),
    validity: fc.record({
      ca: fc.integer({ min: 24, max: 400_000 }),
      leaf: fc.integer({ min: 1, max: 800_000 }),
    }),
    endpoint: fc.option(fc.constantFrom('10.9.9.9', 'api.example.org'), { nil: undefined }),
  })
  .map(({ hosts: list, key, reserve, subject, validity, endpoint }) =>
    exampleCluster({
      hosts: list,
      pki: { key, reserve, subject, validity },
      endpoint: endpoint === undefined ? undefined : { address: endpoint },
    }),
  );

const now = new Date('2026-05-05T05:05:05Z');
const runs = { numRuns: 25 };

describe('for any cluster', () => {
  test('a new store lacks everything, and lacks nothing once made', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, async (given) => {
        const plan = certificatePlan(given);
        const store = new MemoryStore();
        const first = await store.diff(plan, now);
        expect(first.problems).toEqual([]);
        expect(first.changes.map(({ id }) => id)).toEqual(planIds(plan));
        await store.apply(plan, now);
        expect(await store.diff(plan, now)).toEqual({ changes: [], problems: [], notes: [] });
      }),
      runs,
    );
  });

  test('a leaf is signed by its CA, within its life, and says what the plan says', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, async (given) => {
        const plan = certificatePlan(given);
        const store = new MemoryStore();
        await store.apply(plan, now);
        const observed = await store.observe(plan);
        for (const authority of plan.authorities) {
          const ca = observed.get(authority.id)?.certificate;
          for (const leaf of authority.leaves) {
            const made = observed.get(leaf.id)?.certificate;
            if (ca?.state !== 'read' || made?.state !== 'read') throw new Error(`${leaf.id} cannot be read`);
            expect(made.signedByCa).toBe(true);
            expect(made.info.notAfter.getTime()).toBeLessThanOrEqual(ca.info.notAfter.getTime());
            expect(made.info.notBefore.getTime()).toBeGreaterThanOrEqual(ca.info.notBefore.getTime());
            expect(made.info.issuer).toBe(ca.info.subject);
            expect(made.info.authorityKeyId).toBe(ca.info.subjectKeyId);
            expect(made.info.sans).toEqual(leaf.sans);
            expect(made.info.usages).toEqual(leaf.usages);
            expect(made.info.subjectFields).toEqual(leaf.subject);
            expect(made.info.serial).toMatch(/^[4-7][0-9A-F]{39}$/);
          }
        }
      }),
      runs,
    );
  });

  test("a change of one host touches only that host's certificates, and never a CA", async () => {
    await fc.assert(
      fc.asyncProperty(cluster, fc.nat(), async (given, pick) => {
        const store = new MemoryStore();
        await store.apply(certificatePlan(given), now);
        const chosen = given.hosts[pick % given.hosts.length];
        const moved = given.hosts.map((host) =>
          host === chosen ? exampleHost(host.name, '172.16.0.1', host.roles) : host,
        );
        const { changes, problems } = await store.diff(certificatePlan({ ...given, hosts: moved }), now);
        expect(problems).toEqual([]);
        for (const { id, action } of changes) {
          expect(id.split('@')[1]).toBe(chosen?.name);
          expect(action).toBe('reissue');
        }
        const serving = ['etcd', 'control-plane'].some((role) => chosen?.roles.some((own) => own === role));
        expect(changes.length > 0).toBe(serving);
      }),
      runs,
    );
  });

  test('going from any cluster to any other issues exactly the leaves that differ', async () => {
    await fc.assert(
      fc.asyncProperty(cluster, cluster, async (before, after) => {
        const store = new MemoryStore();
        await store.apply(certificatePlan(before), now);
        const files = new Map(store.files);
        const plan = certificatePlan(after);
        const former = new Map(leavesOf(before).map((leaf) => [leaf.id, leaf]));
        const differing = leavesOf(after).filter((leaf) => essence(former.get(leaf.id)) !== essence(leaf));
        const applied = await store.apply(plan, now);
        expect(applied.map(({ id }) => id)).toEqual(differing.map(({ id }) => id));
        expect((await store.diff(plan, now)).changes).toEqual([]);
        const touched = new Set(applied.map(({ id }) => id));
        for (const [path, file] of files) {
          const id = path.slice(path.indexOf('/') + 1).replace(/\.(crt|key|key\.sha256)$/, '');
          if (!touched.has(id)) expect(store.files.get(path)).toEqual(file);
        }
      }),
      runs,
    );
  });
});

const leavesOf = (given: Cluster): readonly PlannedLeaf[] =>
  certificatePlan(given).authorities.flatMap(({ leaves }) => leaves);

/** What an issued certificate is judged by; how long it was to be valid is not among it. */
function essence(leaf: PlannedLeaf | undefined): string | undefined {
  if (leaf === undefined) return undefined;
  const names = leaf.sans.map(({ type, value }: San) => `${type}:${value}`).sort();
  return JSON.stringify([leaf.subject, leaf.key, names]);
}

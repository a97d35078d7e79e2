import { describe, expect, test } from 'vitest';
import { chooseRenewals, type Wanted } from '../../../src/cli/pki/renew-choice.ts';
import { certificatePlan } from '../../../src/desired/certificates.ts';
import { KbinError } from '../../../src/errors.ts';
import { MemoryStore } from '../../ca/stores.ts';
import { exampleCluster, exampleHost } from '../../cluster/fixture.ts';

const day = 86_400_000;
const hosts = [exampleHost('m1', '10.0.0.1'), exampleHost('m2', '10.0.0.2')];
const plan = certificatePlan(exampleCluster({ hosts, pki: { validity: { ca: 24 * 365, leaf: 24 * 30 } } }));
const made = new Date('2030-01-01T00:00:00Z');
const leaves = plan.authorities.flatMap((authority) => authority.leaves.map(({ id }) => id));

async function filled(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await store.apply(plan, made);
  return store;
}
async function choose(wanted: Wanted, { sameKey = false, now = made, store = filled() } = {}) {
  return chooseRenewals(plan, await (await store).observe(plan), wanted, { sameKey, now });
}
async function refusal(names: readonly string[], sameKey = false): Promise<KbinError> {
  const error = await choose({ names }, { sameKey }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KbinError)) throw new Error(`took ${names}`);
  return error;
}

describe('names', () => {
  test('are ids of the plan, or stand for those of all hosts; each once, in the plan’s order', async () => {
    const { ids, renew, left } = await choose({
      names: ['admin', 'etcd-server', 'etcd-server@m2', 'etcd-peer@m1'],
    });
    expect(ids).toEqual(['etcd-server@m1', 'etcd-server@m2', 'etcd-peer@m1', 'admin']);
    expect(renew('etcd-server@m2')).toBe('new-key');
    expect(renew('etcd-peer@m2')).toBeUndefined();
    expect(left).toEqual([]);
  });

  test('may keep their keys', async () => {
    const { renew } = await choose({ names: ['admin', 'kubernetes-ca'] }, { sameKey: true });
    expect([renew('admin'), renew('kubernetes-ca')]).toEqual(['same-key', 'same-key']);
  });

  test('of a CA want --same-key', async () => {
    const { details, message } = await refusal(['front-proxy-ca']);
    expect(message).toBe('front-proxy-ca is a CA: it is renewed with the key it has');
    expect(details).toMatchObject({
      next: 'kbin pki renew front-proxy-ca --same-key; for a new key, kbin pki rotate front-proxy-ca',
      exit: 2,
    });
  });

  test('that nobody has get the likely one', async () => {
    expect((await refusal(['etcd-sever'])).message).toMatch(/; did you mean "etcd-server"\?$/);
    expect((await refusal(['etcd-peer@m3'])).message).toMatch(/; did you mean "etcd-peer@m1"\?$/);
    expect((await refusal(['service-account'], true)).details.next).toBe(
      'for a new one: kbin pki rotate service-account',
    );
    expect((await refusal(['encryption-key'])).message).toContain('is a key');
  });

  test('of what is not made yet are nothing to renew', async () => {
    const store = Promise.resolve(new MemoryStore());
    await expect(choose({ names: ['admin'] }, { store })).rejects.toThrow('admin is not made yet');
  });
});

test('all are all leaves, and no CA', async () => {
  expect((await choose({ all: true })).ids).toEqual(leaves);
});

describe('within', () => {
  test('takes what ends by then, and tells the first of the others', async () => {
    const none = await choose({ withinHours: 24 * 10 });
    expect(none.ids).toEqual([]);
    expect(none.nextToEnd).toEqual({ id: leaves[0], notAfter: new Date(made.getTime() + 30 * day) });
    const later = await choose({ withinHours: 24 * 10 }, { now: new Date(made.getTime() + 20 * day) });
    expect(later).toMatchObject({ ids: leaves, left: [] });
    expect(later.nextToEnd).toBeUndefined();
  });

  test('takes what has ended', async () => {
    const { ids } = await choose({ withinHours: 1 }, { now: new Date(made.getTime() + 31 * day) });
    expect(ids).toEqual(leaves);
  });

  test('reports CAs', async () => {
    const { left, ids } = await choose({ withinHours: 24 * 400 });
    expect(ids).toEqual(leaves);
    expect(left.map(({ id, why }) => [id, why])).toEqual(plan.authorities.map(({ id }) => [id, 'authority']));
  });

  test('leaves what ends with its CA: it would not be valid for any longer', async () => {
    const store = new MemoryStore();
    await store.apply(plan, made);
    // Its leaves are issued anew when the CA has ten days left.
    const late = new Date(made.getTime() + 355 * day);
    store.files.delete('etcd-ca/etcd-server@m1.crt');
    for (const id of leaves) {
      for (const folder of ['etcd-ca', 'kubernetes-ca', 'front-proxy-ca'])
        store.files.delete(`${folder}/${id}.crt`);
    }
    await store.apply(plan, late);
    const { ids, left } = await choose(
      { withinHours: 24 * 20 },
      { now: late, store: Promise.resolve(store) },
    );
    expect(ids).toEqual([]);
    expect(left).toContainEqual({
      id: 'etcd-server@m1',
      notAfter: new Date(made.getTime() + 365 * day),
      why: 'ends-with-ca',
      authority: 'etcd-ca',
    });
    expect(left).toHaveLength(leaves.length + plan.authorities.length);
  });
});

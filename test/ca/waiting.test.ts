import { expect, test } from 'vitest';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { MemoryStore, smallPlan } from './stores.ts';

const now = new Date();

test('a request keeps its leaf from being made anew, and the note says what is outstanding for it', async () => {
  const store = new MemoryStore();
  await store.apply(smallPlan, now);
  const wait = (path: string) => store.files.set(path, { path, content: 'a request', mode: 0o644 });
  const waiting = async (plan = smallPlan) => {
    const { changes, problems, notes } = await store.diff(plan, now);
    return { changes: changes.map(({ id }) => id), problems, notes: notes.map(({ message }) => message) };
  };
  wait('next/etcd-ca/etcd-server@m1.csr');
  const asks =
    'etcd-server@m1 waits for an answer to pki/next/etcd-ca/etcd-server@m1.csr: "kbin pki adopt FILE" brings it';
  expect(await waiting()).toEqual({ changes: [], problems: [], notes: [asks] });

  const moved = certificatePlan(exampleCluster({ hosts: [exampleHost('m1', '10.0.0.9')] }));
  const { changes, problems, notes } = await waiting(moved);
  expect(changes).not.toContain('etcd-server@m1');
  expect([problems, notes]).toEqual([
    [],
    [`${asks}; until then nothing is done about etcd-server@m1: SAN added: 10.0.0.9, SAN removed: 10.0.0.1`],
  ]);

  store.files.delete('etcd-ca/etcd-server@m1.crt');
  expect((await waiting()).notes[0]).toContain('etcd-server@m1: its certificate is missing');
  // One that was never made waits for nothing else.
  store.files.delete('etcd-ca/etcd-server@m1.key');
  store.files.delete('etcd-ca/etcd-server@m1.key.sha256');
  expect((await waiting()).notes).toEqual([asks]);
});

test('of another CA than the one in use: a note as well, and what follows from its key is done', async () => {
  const [store, other] = [new MemoryStore(), new MemoryStore()];
  await Promise.all([store.apply(smallPlan, now), other.apply(smallPlan, now)]);
  const path = 'next/etcd-ca/etcd-peer@m1.csr';
  store.files.set(path, { path, content: 'a request', mode: 0o644 });
  store.files.delete('etcd-ca/etcd-peer@m1.key.sha256');
  const [change] = (await store.diff(smallPlan, now)).changes;
  expect(change).toMatchObject({ id: 'etcd-peer@m1', action: 'repair' });
  for (const part of ['crt', 'key', 'key.sha256']) {
    const foreign = other.files.get(`etcd-ca/etcd-peer@m1.${part}`);
    if (foreign !== undefined) store.files.set(foreign.path, foreign);
  }
  const { changes, notes } = await store.diff(smallPlan, now);
  expect(changes).toEqual([]);
  expect(notes[0]?.message).toContain('nothing is done about etcd-peer@m1: signed by another CA');
});

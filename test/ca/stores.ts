import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ObservedStore, observeStore, readRaw } from '../../src/ca/observed-store.ts';
import { type Reconciled, reconcileStore } from '../../src/ca/reconcile.ts';
import { openStore, type Store } from '../../src/ca/store.ts';
import { type AppliedChange, applyChanges } from '../../src/ca/store-apply.ts';
import type { StoreDiff } from '../../src/ca/store-changes.ts';
import { diffStore } from '../../src/ca/store-diff.ts';
import type { StoreFiles } from '../../src/ca/store-files.ts';
import type { StoreFile } from '../../src/ca/transaction.ts';
import type { Cluster } from '../../src/cluster/cluster.ts';
import type { CertificatePlan } from '../../src/desired/certificate-plan.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';

/** One stacked host: few certificates, of every kind. */
export const smallCluster: Cluster = exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')] });
export const smallPlan: CertificatePlan = certificatePlan(smallCluster);
/** How many entries smallPlan has: three CAs, twelve leaves, one key pair, one key ring. */
export const smallCount = 18;

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-pki-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store on disk, filled as `kbin pki init` does. */
export async function filledStore(plan = smallPlan): Promise<Store> {
  const store = await openStore(join(temporaryFolder(), 'pki'));
  await init(store, plan);
  return store;
}

export function init(store: Store, plan = smallPlan, now = new Date()): Promise<Reconciled> {
  return reconcileStore(plan, store, { now });
}

/** A store that lives in memory, for tests that make many. */
export class MemoryStore implements StoreFiles {
  readonly files = new Map<string, StoreFile>();

  read(path: string): ReturnType<StoreFiles['read']> {
    const file = this.files.get(path);
    if (file === undefined) return { state: 'absent' };
    return { state: 'read', content: Buffer.from(file.content), mode: file.mode };
  }

  list(): readonly string[] {
    return [...this.files.keys()];
  }

  place(path: string): string {
    return `pki/${path}`;
  }

  observe(plan: CertificatePlan): Promise<ObservedStore> {
    return observeStore(plan, readRaw(plan, this), undefined);
  }

  async diff(plan: CertificatePlan, now: Date): Promise<StoreDiff> {
    return diffStore(plan, await this.observe(plan), now, this.place);
  }

  /** Throws when there are problems; returns what was made. */
  async apply(plan: CertificatePlan, now: Date): Promise<AppliedChange[]> {
    const store = await this.observe(plan);
    const diff = diffStore(plan, store, now, this.place);
    if (diff.problems.length > 0) throw new Error(JSON.stringify(diff.problems));
    const stage = (file: StoreFile): void => void this.files.set(file.path, file);
    return applyChanges(plan, diff.changes, { now, store, stage });
  }
}

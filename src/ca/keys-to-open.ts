import type { CertificatePlan } from '../desired/certificate-plan.ts';
import type { ObservedStore } from './observed-store.ts';
import { listId } from './revocation-diff.ts';
import type { StoreChange } from './store-changes.ts';

/** Ids of the encrypted keys that these changes cannot be made without: those that sign, and those that are worked on. */
export function keysToOpen(
  plan: CertificatePlan,
  changes: readonly StoreChange[],
  store: ObservedStore,
): readonly string[] {
  const signers = plan.authorities.flatMap(({ id, leaves }) => {
    const signed = new Set([id, listId(id), ...leaves.map((leaf) => leaf.id)]);
    return changes.some((change) => signed.has(change.id) && change.action !== 'repair') ? [id] : [];
  });
  const own = changes
    .filter(({ keepsKey, reasons }) => keepsKey || reasons.some(({ code }) => code === 'key-digest'))
    .map(({ id }) => id);
  return [...new Set([...signers, ...own])].filter((id) => store.get(id)?.key.state === 'encrypted');
}

import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { pathsBeside } from './layout.ts';
import type { Place } from './leaf-diff.ts';
import type { ObservedStore } from './observed-store.ts';
import type { StoreNote } from './store-changes.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * Requests that somebody else's CA is to answer. Each lies in next/ beside its key; nothing is made in its place until
 * the answer comes (`kbin pki adopt`), or somebody removes the request.
 */
export function waitingRequests(ids: readonly string[], files: StoreFiles): ReadonlyMap<string, string> {
  const present = new Set(files.list());
  return new Map(
    ids.flatMap((id): [string, string][] => {
      const { request } = pathsBeside('next', id);
      return present.has(request) ? [[id, request]] : [];
    }),
  );
}

/** What is said of them: they keep `kbin pki init` from making something, and that does not show otherwise. */
export function waitingNotes(
  { id, leaves }: PlannedAuthority,
  store: ObservedStore,
  place: Place,
): StoreNote[] {
  const ca = store.get(id);
  const waits = [id, ...leaves.map((leaf) => leaf.id)].flatMap((waiting) => {
    const request = store.get(waiting)?.waiting;
    return request === undefined ? [] : [{ id: waiting, request }];
  });
  const [first] = waits;
  if (first === undefined) return [];
  const names = waits.map((entry) => entry.id).join(', ');
  const unsigned =
    ca?.waiting !== undefined && ca.certificate.state === 'absent'
      ? '; what it signs is made when it is there'
      : '';
  const message = `${names} wait${waits.length === 1 ? 's' : ''} for an answer to ${place(first.request)}${waits.length === 1 ? '' : ' and the others'}: "kbin pki adopt FILE" brings it${unsigned}`;
  return [{ id: first.id, message }];
}

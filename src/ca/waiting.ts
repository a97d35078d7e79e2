import type { PlannedAuthority } from '../desired/certificate-plan.ts';
import { KbinError } from '../errors.ts';
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
  /** By id of a leaf: for what it would be issued anew, and is not. */
  outstanding: ReadonlyMap<string, readonly string[]>,
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
  const message = `${names} wait${waits.length === 1 ? 's' : ''} for an answer to ${place(first.request)}${waits.length === 1 ? '' : ' and the others'}: "kbin pki adopt FILE" brings it${unsigned}${unmetText(outstanding)}`;
  return [{ id: first.id, message }];
}

function unmetText(outstanding: ReadonlyMap<string, readonly string[]>): string {
  const unmet = [...outstanding].filter(([, reasons]) => reasons.length > 0);
  if (unmet.length === 0) return '';
  return `; until then nothing is done about ${unmet.map(([id, reasons]) => `${id}: ${reasons.join(', ')}`).join('; ')}`;
}

/** Where leaves have to be issued anew at once, and an answer to these (id and path of the request) is awaited. */
export function refuseWaiting(
  waiting: ReadonlyMap<string, string>,
  place: Place,
  { step, why }: { readonly step: string; readonly why: string },
): void {
  if (waiting.size === 0) return;
  const ids = [...waiting.keys()].join(', ');
  const requests = [...waiting.values()].map(place).join(', ');
  const [several, them] = waiting.size > 1 ? ['wait', 'them'] : ['waits', 'it'];
  throw new KbinError(`${ids} ${several} for an answer to ${requests}`, {
    step: `${step}, nothing was changed`,
    why,
    next: `bring the answer first (kbin pki adopt FILE), or do without ${them}: remove the .csr and the .key beside it`,
  });
}

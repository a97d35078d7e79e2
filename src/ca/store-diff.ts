import type { CertificatePlan, PlannedAuthority, PlannedKeyPair } from '../desired/certificate-plan.ts';
import { authorityNotes, authorityProblems, constraintProblems, signingProblems } from './authority-diff.ts';
import { diffKeyRing } from './key-ring-diff.ts';
import { pathsOf } from './layout.ts';
import { day, isUnmade, leafProblems, leafReasons, type Place } from './leaf-diff.ts';
import { isWithoutKeys, type ObservedEntry, type ObservedStore, ringOf } from './observed-store.ts';
import { neverRenewed, type Renew, renewalOfAuthority, renewalOfLeaf } from './renewal-diff.ts';
import { diffList, revokedReasons } from './revocation-diff.ts';
import type { Reason, StoreChange, StoreDiff, StoreNote, StoreProblem } from './store-changes.ts';
import { waitingNotes } from './waiting.ts';

/**
 * What has to be made so that the store is what the plan wants, and why. Pure. A leaf is issued anew, with a new key,
 * only when it differs itself or `renew` wants it; an existing CA, service-account key or encryption key is never
 * replaced. A CA that `renew` wants keeps its key.
 */
export function diffStore(
  plan: CertificatePlan,
  store: ObservedStore,
  now: Date,
  place: Place,
  renew: Renew = neverRenewed,
): StoreDiff {
  const keyless = isWithoutKeys(plan, store);
  const parts = [
    ...plan.authorities.map((authority) => diffAuthority(authority, store, { now, place, keyless, renew })),
    ...plan.keyPairs.map((pair) => diffKeyPair(pair, entryOf(store, pair.id), { place, keyless })),
    ...plan.keyRings.map((ring) => diffKeyRing(ring, ringOf(store, ring.id), { place, keyless })),
  ];
  return {
    changes: parts.flatMap(({ changes }) => changes),
    problems: parts.flatMap(({ problems }) => problems),
    notes: [...(keyless ? [keylessNote] : []), ...parts.flatMap(({ notes }) => notes)],
  };
}

const keylessNote: StoreNote = {
  id: 'pki',
  message:
    'there is no private key in this pki folder: they are kept elsewhere, or lost; what has to be made is made where they are',
};

/** What is known of the store as a whole. */
interface Circumstances {
  readonly now: Date;
  readonly place: Place;
  /** isWithoutKeys */
  readonly keyless: boolean;
  readonly renew: Renew;
}

function diffAuthority(
  authority: PlannedAuthority,
  store: ObservedStore,
  { now, place, keyless, renew }: Circumstances,
): StoreDiff {
  const { id, leaves } = authority;
  const entry = entryOf(store, id);
  const renewed = renewalOfAuthority(authority, entry, { renew, now, place });
  const lost = [
    ...authorityProblems(authority, store, entry, now, place).filter(
      // That is what a renewal mends.
      ({ code }) => code !== 'ca-expired' || renewed === undefined,
    ),
    ...(renewed?.problems ?? []),
  ];
  // Without its CA only this can be said of a leaf: that its own files do not fit together.
  if (lost.length > 0) {
    const ofLeaves = leaves.flatMap((leaf) => leafProblems(leaf.id, entryOf(store, leaf.id), place));
    return { changes: [], problems: [...lost, ...ofLeaves], notes: [] };
  }
  const changes: StoreChange[] = [];
  const problems: StoreProblem[] = [];
  const notes: StoreNote[] = [...authorityNotes(authority, entry)];
  if (entry.certificate.state === 'absent' && entry.waiting !== undefined) {
    return { changes, problems, notes: [...notes, ...waitingNotes(authority, store, new Map(), place)] };
  }
  const outstanding = new Map<string, readonly string[]>();
  if (entry.certificate.state === 'absent') {
    changes.push({
      id,
      kind: 'authority',
      action: 'create',
      reasons: [{ code: 'new', message: 'not made yet' }],
    });
  } else changes.push(...(renewed?.changes ?? repair(id, 'authority', entry)));
  const outliving: string[] = [];
  for (const leaf of leaves) {
    const leafEntry = entryOf(store, leaf.id);
    const differs = [
      ...leafReasons(leaf, leafEntry, now).filter(
        ({ code }) => !(keyless && code === 'key-missing' && leafEntry.leftBehind),
      ),
      ...revokedReasons(leafEntry, store.revocations(id)),
    ];
    const renewal = renewalOfLeaf(leaf.id, leafEntry, differs, renew, place);
    const stops = [...leafProblems(leaf.id, leafEntry, place), ...renewal.problems];
    const reasons = [...differs, ...renewal.reasons];
    if (leafEntry.waiting !== undefined && stops.length + reasons.length > 0) {
      // The answer settles it; who must not wait for that looks for himself (refuseWaiting).
      const unmet = stops.length > 0 ? stops : reasons.filter(({ code }) => code !== 'new');
      outstanding.set(
        leaf.id,
        unmet.map(({ message }) => message),
      );
      continue;
    }
    if (stops.length > 0) {
      problems.push(...stops);
      continue;
    }
    const action = isUnmade(leafEntry) ? 'create' : 'reissue';
    if (reasons.length > 0) changes.push({ id: leaf.id, kind: 'leaf', action, ...renewal.key, reasons });
    else {
      changes.push(...repair(leaf.id, 'leaf', leafEntry));
      if (outlives(leafEntry, entry)) outliving.push(leaf.id);
    }
  }
  notes.push(...outlivingNotes(outliving, id, entry));
  notes.push(...waitingNotes(authority, store, outstanding, place));
  const list = diffList(authority, entry, store.revocations(id), now);
  changes.push(...list.changes);
  notes.push(...list.notes);
  const signs = changes.some(({ kind, action }) =>
    kind === 'leaf' || kind === 'revocation-list' ? action !== 'repair' : action === 'reissue',
  );
  if (signs) problems.unshift(...signingProblems(id, entry, place));
  const toSign = leaves.filter((leaf) =>
    changes.some((change) => change.id === leaf.id && change.action !== 'repair'),
  );
  problems.push(...constraintProblems(id, entry, toSign));
  return { changes, problems, notes };
}

function entryOf(store: ObservedStore, id: string): ObservedEntry {
  const entry = store.get(id);
  if (entry === undefined) throw new Error(`${id} was not observed`);
  return entry;
}

/** Certificates made elsewhere may be valid for longer than their CA, which helps nobody after it has ended. */
function outlives(leaf: ObservedEntry, ca: ObservedEntry): boolean {
  if (leaf.certificate.state !== 'read' || ca.certificate.state !== 'read') return false;
  return leaf.certificate.info.notAfter > ca.certificate.info.notAfter;
}

function outlivingNotes(ids: readonly string[], caId: string, { certificate }: ObservedEntry): StoreNote[] {
  if (ids.length === 0 || certificate.state !== 'read') return [];
  const end = day(certificate.info.notAfter);
  const message = `when ${caId} ends on ${end}, these end with it, whatever they say: ${ids.join(', ')}`;
  return [{ id: caId, code: 'outlives-ca', message }];
}

function diffKeyPair(
  { id, key }: PlannedKeyPair,
  entry: ObservedEntry,
  { place, keyless }: Pick<Circumstances, 'place' | 'keyless'>,
): StoreDiff {
  const paths = pathsOf(id);
  const keyFile = place(paths.key);
  const problem = (code: StoreProblem['code'], message: string, why: string, next: string): StoreDiff => ({
    changes: [],
    problems: [{ id, code, message, why, next }],
    notes: [],
  });
  switch (entry.key.state) {
    case 'absent': {
      if (!entry.leftBehind) {
        const reasons: Reason[] = [{ code: 'new', message: 'not made yet' }];
        return { changes: [{ id, kind: 'key-pair', action: 'create', reasons }], problems: [], notes: [] };
      }
      if (keyless) return { changes: [], problems: [], notes: [] };
      const next = `run the command where the key is kept, or restore ${keyFile} from a backup`;
      return problem('key-pair-lost', `${keyFile} is missing`, 'its public part is still there', next);
    }
    case 'closed':
      return problem('key-closed', `${keyFile} cannot be read`, entry.key.reason, 'run kbin as its owner');
    case 'malformed':
      return problem(
        'key-malformed',
        `${keyFile} cannot be read`,
        entry.key.reason,
        'restore it from a backup',
      );
    case 'encrypted':
      return { changes: repair(id, 'key-pair', entry), problems: [], notes: [] };
    case 'read': {
      const differs = entry.key.algorithm !== key;
      const message = `${id} stays as it is: its key is ${entry.key.algorithm}, cluster.yaml says ${key}; tokens that it signed are in use`;
      return {
        changes: repair(id, 'key-pair', entry),
        problems: [],
        notes: differs ? [{ id, message }] : [],
      };
    }
  }
}

/** What follows from a key that stays, and from the CA's chain. */
function repair(id: string, kind: StoreChange['kind'], entry: ObservedEntry): StoreChange[] {
  const reasons = [...chainReasons(entry), ...keyReasons(entry)];
  return reasons.length === 0 ? [] : [{ id, kind, action: 'repair', reasons }];
}

function chainReasons({ certificate }: ObservedEntry): Reason[] {
  if (certificate.state !== 'read' || certificate.chainWanted === undefined) return [];
  const message = 'what follows it in its file is not the chain of its CA';
  return [{ code: 'chain', message }];
}

function keyReasons(entry: ObservedEntry): Reason[] {
  if (entry.key.state !== 'read' && entry.key.state !== 'encrypted') return [];
  const { keyDigest, publicKey, key } = entry;
  const reasons: Reason[] = [];
  if (keyDigest === 'absent' || keyDigest === 'differs') {
    reasons.push({ code: 'key-digest', message: `the digest file of its key ${words[keyDigest]}` });
  }
  if (publicKey === 'absent' || publicKey === 'differs') {
    reasons.push({ code: 'public-key', message: `its public key file ${words[publicKey]}` });
  }
  if ((key.mode & 0o077) !== 0) {
    const mode = key.mode.toString(8).padStart(4, '0');
    reasons.push({ code: 'key-mode', message: `its key is open to other users (mode ${mode})` });
  }
  return reasons;
}

const words = { absent: 'is missing', differs: 'is of another key' } as const;

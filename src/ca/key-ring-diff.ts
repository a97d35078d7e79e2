import type { PlannedKeyRing } from '../desired/certificate-plan.ts';
import { sha256 } from './digest.ts';
import { isMade, type KeyRing, keyMistake, keyRecord, keyRingPaths, type RingKey } from './key-ring.ts';
import type { Place } from './leaf-diff.ts';
import type { Reason, StoreDiff, StoreProblem } from './store-changes.ts';

/**
 * What a key ring lacks. Nothing here is ever made anew: another key in the place of one that was used would leave
 * Secrets that nobody can read.
 */
export function diffKeyRing(
  { id }: PlannedKeyRing,
  ring: KeyRing,
  { place, keyless }: { readonly place: Place; readonly keyless: boolean },
): StoreDiff {
  if (!isMade(ring) && ring.recorded) {
    const folder = place(id);
    const problem: StoreProblem = {
      id,
      code: 'encryption-key-lost',
      message: `${folder} is gone`,
      why: `keys were made once, and ${unreadable}`,
      next: `restore ${folder} from a backup; any host with a control plane that still runs has the key in its encryption configuration too; if no cluster needs it any more, remove ${place(keyRecord(id))}`,
    };
    return { changes: [], problems: [problem], notes: [] };
  }
  if (!isMade(ring)) {
    const reasons: Reason[] = [{ code: 'new', message: 'not made yet' }];
    return { changes: [{ id, kind: 'key-ring', action: 'create', reasons }], problems: [], notes: [] };
  }
  const problems = [
    ...orderProblems(id, ring, place),
    ...ring.keys
      .filter(({ file, digest }) => !(keyless && file.state === 'absent' && digest !== undefined))
      .flatMap((key) => keyProblems(id, key, place)),
  ];
  if (problems.length > 0) return { changes: [], problems, notes: [] };
  const reasons = [
    ...(ring.order === 'guessed'
      ? [reason('key-order', 'the file that says which key encrypts is missing')]
      : []),
    ...ring.keys.flatMap(repairs),
    ...(ring.recorded ? [] : [reason('key-record', 'the note that it was made is missing')]),
  ];
  const changes = reasons.length === 0 ? [] : [{ id, kind: 'key-ring', action: 'repair', reasons } as const];
  return { changes, problems: [], notes: [] };
}

const unreadable = 'what it encrypted in etcd and its snapshots cannot be read without it';

const reason = (code: Reason['code'], message: string): Reason => ({ code, message });

function orderProblems(id: string, { order, keys }: KeyRing, place: Place): StoreProblem[] {
  if (order === 'read' || order === 'guessed') return [];
  const file = place(keyRingPaths.order(id));
  const names = keys.map(({ name }) => name).join(', ');
  const why = {
    absent: `it says which of ${names} encrypts, and which are retired`,
    malformed: 'it should be one line for each key in use: key1, key2, …',
    closed: 'you may not read it',
  }[order];
  const message = order === 'absent' ? `${file} is missing` : `${file} cannot be read`;
  const next = order === 'closed' ? 'run kbin as its owner' : 'restore it from a backup';
  return [{ id, code: 'key-order', message, why, next }];
}

function keyProblems(id: string, { name, file, digest }: RingKey, place: Place): StoreProblem[] {
  const path = place(keyRingPaths.key(id, name));
  const problem = (
    code: StoreProblem['code'],
    message: string,
    why: string,
    next: string,
  ): StoreProblem[] => [{ id, code, message, why, next }];
  switch (file.state) {
    case 'absent': {
      const next = `run the command where the key is kept, or restore ${path} from a backup; any host with a control plane that still runs has it in its encryption configuration too`;
      return problem('encryption-key-lost', `${path} is missing`, unreadable, next);
    }
    case 'closed':
      return problem('key-closed', `${path} cannot be read`, file.reason, 'run kbin as its owner');
    case 'read': {
      const restore = `restore it from a backup: ${unreadable}`;
      const mistake = keyMistake(file.content);
      if (mistake !== undefined) return problem('key-malformed', `${path} cannot be read`, mistake, restore);
      if (digest === undefined || digest === sha256(file.content)) return [];
      const digestFile = place(keyRingPaths.keyDigest(id, name));
      return problem(
        'encryption-key-changed',
        `${path} is not the key it was`,
        `its digest in ${digestFile} is of another one`,
        `${restore}; if this is the key that the cluster uses, remove the digest file`,
      );
    }
  }
}

function repairs({ name, file, digest }: RingKey): Reason[] {
  if (file.state !== 'read') return [];
  return [
    ...(digest === undefined ? [reason('key-digest', `the digest file of ${name} is missing`)] : []),
    ...((file.mode & 0o077) === 0
      ? []
      : [reason('key-mode', `${name} is open to other users (mode ${octal(file.mode)})`)]),
  ];
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

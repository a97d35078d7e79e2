import type { PlannedAuthority, PlannedLeaf } from '../desired/certificate-plan.ts';
import { forbiddenUsages } from './allowed-usages.ts';
import { forbiddenNames } from './constraints.ts';
import { pathsOf } from './layout.ts';
import { day, isUnmade, type Place, sameSubject } from './leaf-diff.ts';
import { nameText } from './names.ts';
import type { ObservedEntry, ObservedStore } from './observed-store.ts';
import type { StoreNote, StoreProblem } from './store-changes.ts';

/** What about a CA stops everything. A CA that is there is never replaced, so most of what can be wrong with one does. */
export function authorityProblems(
  authority: PlannedAuthority,
  store: ObservedStore,
  entry: ObservedEntry,
  now: Date,
  place: Place,
): StoreProblem[] {
  const { id } = authority;
  const file = place(pathsOf(id).certificate ?? '');
  const keyFile = place(pathsOf(id).key);
  const restore = `restore ${file} and its key from a backup`;
  const problem = (
    code: StoreProblem['code'],
    message: string,
    why: string,
    next = restore,
  ): StoreProblem[] => [{ id, code, message, why, next }];
  const { certificate, key } = entry;
  if (certificate.state === 'absent') {
    const left = leftBehind(authority, store, entry, place);
    if (left === undefined) return [];
    const { inUse } = entry;
    const further = inUse?.by === 'a cluster' ? ` and ${place(inUse.file)}` : '';
    const anew = `${restore}; for a new CA, which no running cluster trusts, move the folder of ${id}${further} away`;
    return problem('ca-lost', `${file} is missing`, left, anew);
  }
  if (certificate.state === 'unreadable') {
    return problem('ca-unreadable', `${file} cannot be read`, certificate.reason);
  }
  const { info } = certificate;
  if (!info.isCa || !info.usages.includes('cert sign')) {
    const why = info.isCa
      ? 'its key usage does not allow it to sign certificates'
      : 'its basic constraints say so';
    return problem('not-a-ca', `${file} is not the certificate of a CA`, why);
  }
  if (info.notAfter <= now) {
    const next = `renew it: kbin pki renew ${id} --same-key`;
    return problem(
      'ca-expired',
      `${id} has expired`,
      `it was valid until ${day(info.notAfter)} (${file})`,
      next,
    );
  }
  if (key.state === 'malformed') return problem('key-malformed', `${keyFile} cannot be read`, key.reason);
  if (key.state === 'read' && key.fits === false) {
    const next = 'restore from a backup the key that belongs to the certificate';
    return problem(
      'key-mismatch',
      `${keyFile} is not the key of ${file}`,
      'they are two different keys',
      next,
    );
  }
  return [];
}

/** Something that only makes sense with the CA certificate that is missing: a new CA would not be taken for this one. */
function leftBehind(
  authority: PlannedAuthority,
  store: ObservedStore,
  { key, leftBehind: digest, inUse }: ObservedEntry,
  place: Place,
): string | undefined {
  if (inUse?.by === 'a cluster') {
    return `${place(inUse.file)} says that an etcd cluster runs with the certificates of this CA`;
  }
  if (key.state !== 'absent' || digest) return 'the key of this CA is still there, or its digest';
  const leaf = authority.leaves.find(({ id }) => {
    const made = store.get(id);
    return made !== undefined && !isUnmade(made);
  });
  if (leaf !== undefined) return `the certificate or key ${leaf.id} of this CA is still there`;
  return inUse === undefined ? undefined : `${place(inUse.file)} of this CA is still there`;
}

/** Only matters when the CA has something to sign: CA keys may well be kept elsewhere. */
export function signingProblems(
  id: string,
  { certificate, key }: ObservedEntry,
  place: Place,
): StoreProblem[] {
  if (certificate.state !== 'read') return [];
  // An encrypted one is opened once it is known that nothing else stands in the way.
  if (key.state === 'read' || key.state === 'malformed' || key.state === 'encrypted') return [];
  const file = place(pathsOf(id).key);
  const why = 'it is needed: there are certificates to be signed with it';
  return key.state === 'absent'
    ? [
        {
          id,
          code: 'ca-key-missing',
          message: `${file} is missing`,
          why,
          next: 'run the command where the CA key is kept, put it back for the while, or have others sign: kbin pki csr --all',
        },
      ]
    : [
        {
          id,
          code: 'ca-key-closed',
          message: `${file} cannot be read`,
          why: `${key.reason}; ${why}`,
          next: 'run the command as the user that owns the key, with its passphrase where it is encrypted',
        },
      ];
}

/** What an intermediate CA, or one above it, was not given the right to sign for: nobody would believe it. */
export function constraintProblems(
  id: string,
  { certificate }: ObservedEntry,
  toSign: readonly PlannedLeaf[],
): StoreProblem[] {
  if (certificate.state !== 'read') return [];
  return toSign.flatMap((leaf) => {
    const names = forbiddenNames(certificate.text, leaf.sans);
    const usages = forbiddenUsages(certificate.text, leaf.usages);
    const problem = { id: leaf.id, message: `${id} may not sign ${leaf.id}` };
    const problems: StoreProblem[] = [];
    if (names.length > 0) {
      problems.push({
        ...problem,
        code: 'names-forbidden',
        why: `its name constraints, or those of a CA above it, forbid ${names.join(', ')}`,
        next: `have ${id} signed for these names (kbin pki csr ${id}), or take them out of cluster.yaml`,
      });
    }
    if (usages.length > 0) {
      problems.push({
        ...problem,
        code: 'usages-forbidden',
        why: `its extended key usage, or that of a CA above it, forbids ${usages.join(', ')}`,
        next: `have ${id} signed without extended key usages (kbin pki csr ${id})`,
      });
    }
    return problems;
  });
}

/** cluster.yaml may ask for another CA than the one there is; that one stays. */
export function authorityNotes(authority: PlannedAuthority, { certificate }: ObservedEntry): StoreNote[] {
  if (certificate.state !== 'read') return [];
  const { info } = certificate;
  const { id } = authority;
  const differences = [
    ...(info.key === authority.key ? [] : [`its key is ${info.key}, cluster.yaml says ${authority.key}`]),
    ...(sameSubject(authority.subject, info.subjectFields)
      ? []
      : [`its subject is ${info.subject}, cluster.yaml makes it ${nameText(authority.subject)}`]),
  ];
  return differences.map((difference) => ({
    id,
    message: `${id} stays as it is: ${difference}; an existing CA is never replaced`,
  }));
}

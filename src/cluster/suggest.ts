import { distance } from 'fastest-levenshtein';

/** The candidate that was probably meant, or undefined. `identity_file`, `identity-file` and `IdentityFile` are all near `identityFile`. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const wanted = plain(text);
  const same = candidates.find((candidate) => plain(candidate) === wanted);
  if (same !== undefined) return same;
  let best: string | undefined;
  // Two slips (or two letters swapped) in a short word, one in three letters of a long one.
  let least = Math.max(wanted.length > 3 ? 2 : 1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const steps = distance(wanted, plain(candidate));
    if (steps < least) [best, least] = [candidate, steps];
  }
  return best ?? startsAlike(wanted, candidates);
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(text: string, candidates: readonly string[]): string {
  const meant = nearest(text, candidates);
  return meant === undefined ? '' : `; did you mean "${meant}"?`;
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[-_. ]/g, '');
}

function startsAlike(wanted: string, candidates: readonly string[]): string | undefined {
  if (wanted.length < 3) return undefined;
  const alike = candidates.filter(
    (candidate) => plain(candidate).startsWith(wanted) || wanted.startsWith(plain(candidate)),
  );
  return alike.length === 1 ? alike[0] : undefined;
}

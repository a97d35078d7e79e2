import { findEntry } from '../../pki/index.ts';
import type { PlannedLeaf } from '../desired/certificate-plan.ts';
import type { ChosenAuthority } from './adopt-authorities.ts';
import { fieldOf, isFor, isLeaf, type Landscape } from './adopt-kinds.ts';
import { type AdoptionFinding, type AdoptionWishes, day } from './adoption.ts';
import { pathTo } from './chain.ts';
import type { Found, FoundCertificate, FoundKey } from './found.ts';
import { sanKey, shortcomings } from './suffices.ts';

export interface ChosenLeaf {
  readonly leaf: PlannedLeaf;
  readonly found: FoundCertificate;
  readonly key: FoundKey;
}

export interface LeavesChosen {
  readonly chosen: readonly ChosenLeaf[];
  readonly findings: readonly AdoptionFinding[];
}

interface Question {
  readonly found: Found;
  readonly landscape: Landscape;
  readonly authorities: ReadonlyMap<string, ChosenAuthority>;
  readonly wishes: AdoptionWishes;
  readonly now: Date;
}

/** Which certificate does which job of the plan. One may do several: hand-made clusters share one among all members. */
export function chooseLeaves(question: Question): LeavesChosen {
  const chosen: ChosenLeaf[] = [];
  const findings: AdoptionFinding[] = [];
  for (const authority of question.landscape.plan.authorities) {
    const ca = question.authorities.get(authority.id);
    for (const leaf of authority.leaves) {
      if (ca === undefined || question.wishes.skip.has(leaf.id) || question.wishes.skip.has(leaf.entry))
        continue;
      const candidates = candidatesFor(leaf, question);
      const fit = candidates.flatMap((certificate) => {
        const lacks = lacking(leaf, certificate, ca, question);
        if (typeof lacks !== 'string') return [{ leaf, found: certificate, key: lacks }];
        findings.push(unfit(leaf, certificate, lacks));
        return [];
      });
      const taken = chosen.filter(({ leaf: { host } }) => host === leaf.host).map(({ found }) => found);
      const outcome = pick(leaf, fit, taken);
      if ('severity' in outcome) findings.push(outcome);
      else if (outcome.choice !== undefined) {
        chosen.push(outcome.choice);
        // What fits less is of no interest where something fits.
        const own = findings.filter(({ id, code }) => id === leaf.id && code === 'lacking');
        for (const finding of own) findings.splice(findings.indexOf(finding), 1);
      }
    }
  }
  return { chosen, findings };
}

function candidatesFor(leaf: PlannedLeaf, { found, landscape, wishes }: Question): FoundCertificate[] {
  const meant = wishes.as.get(leaf.id) ?? wishes.as.get(leaf.entry);
  return found.certificates.filter(
    (certificate) =>
      isLeaf(certificate) &&
      (meant === undefined ? isFor(leaf, certificate, landscape) : certificate.places.includes(meant)),
  );
}

/** Its key, or why it cannot do the job. */
function lacking(
  leaf: PlannedLeaf,
  { info, spki }: FoundCertificate,
  ca: ChosenAuthority,
  { found, now }: Question,
): FoundKey | string {
  const others = found.certificates
    .filter((certificate) => certificate.info.isCa)
    .map((each) => each.info.pem);
  const key = found.keys.find((each) => each.spki === spki);
  const reasons = [
    ...(pathTo([info.pem, ...others].join(''), ca.x509) === undefined
      ? [`it is signed by ${info.issuer}, which is not ${leaf.authority}`]
      : []),
    ...(info.notAfter <= now ? [`it expired on ${day(info.notAfter)}`] : []),
    ...shortcomings(leaf, info).map(({ message }) => message),
    ...(key === undefined ? ['its private key was not found'] : []),
  ];
  return key === undefined || reasons.length > 0 ? reasons.join('; ') : key;
}

function unfit(leaf: PlannedLeaf, { info, places }: FoundCertificate, why: string): AdoptionFinding {
  return {
    severity: 'warning',
    code: 'lacking',
    id: leaf.id,
    places,
    message: `${places[0]} (${info.subject}) cannot be ${leaf.id}: ${why}`,
    next: 'kbin pki init issues it anew',
  };
}

type Outcome = AdoptionFinding | { readonly choice: ChosenLeaf | undefined };

function pick(leaf: PlannedLeaf, fit: readonly ChosenLeaf[], taken: readonly FoundCertificate[]): Outcome {
  const name = fieldOf(leaf.subject, 'CN');
  const named = fit.filter(({ found: { info } }) => fieldOf(info.subjectFields, 'CN') === name);
  const best = named.length > 0 ? named : fit;
  const saying = new Set(best.map(({ found }) => says(found)));
  if (saying.size > 1) return ambiguous(leaf, best);
  // They say the same: any of them does. Only here a file's name may decide, and it decides nothing.
  const word = findEntry(leaf.id)?.leaf?.id.split('-').at(-1) ?? '';
  const rank = ({ found }: ChosenLeaf): number =>
    (found.places.some((place) => place.slice(place.lastIndexOf('/')).includes(word)) ? 0 : 2) +
    (taken.includes(found) ? 1 : 0);
  const [choice] = best.toSorted(
    (a, b) => rank(a) - rank(b) || b.found.info.notAfter.getTime() - a.found.info.notAfter.getTime(),
  );
  return { choice };
}

/** All that a certificate says of whom it is for. */
export function says({ info }: FoundCertificate): string {
  return JSON.stringify([info.subject, info.sans.map(sanKey).sort(), [...info.usages].sort()]);
}

function ambiguous(leaf: PlannedLeaf, fit: readonly ChosenLeaf[]): AdoptionFinding {
  const places = fit.map(({ found }) => found.places[0] ?? '');
  const each = fit.map(
    ({
      found: {
        info,
        places: [place],
      },
    }) =>
      `${place} (${info.subject}; ${info.sans.map(({ value }) => value).join(', ') || 'no SANs'}; until ${day(info.notAfter)})`,
  );
  return {
    severity: 'stop',
    code: 'ambiguous',
    id: leaf.id,
    places,
    message: `more than one certificate could be ${leaf.id}: ${each.join(' and ')}`,
    next: `say which: --as ${leaf.id}=${places[0]}`,
  };
}

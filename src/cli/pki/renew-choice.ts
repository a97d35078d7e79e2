import type { CertificateInfo } from '../../ca/inspect.ts';
import { isUnmade } from '../../ca/leaf-diff.ts';
import type { ObservedStore } from '../../ca/observed-store.ts';
import type { Renew } from '../../ca/renewal-diff.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import type { CertificatePlan } from '../../desired/certificate-plan.ts';
import { exitCode, KbinError } from '../../errors.ts';

/** What somebody wants renewed; exactly one of the three. */
export type Wanted =
  /** Ids of the plan, or without `@HOST` for those of all hosts. */
  | { readonly names: readonly string[] }
  | { readonly all: true }
  /** What ends within so many hours. */
  | { readonly withinHours: number };

export interface Renewals {
  /** In the plan's order. */
  readonly ids: readonly string[];
  readonly renew: Renew;
  /** End within that time, and a renewal of them is no matter of course. Only where a time was given. */
  readonly left: readonly LeftOut[];
  /** Of the leaves that are not renewed, the one that ends first. Only where a time was given. */
  readonly nextToEnd?: { readonly id: string; readonly notAfter: Date };
}

export interface LeftOut {
  readonly id: string;
  readonly notAfter: Date;
  /** `authority`: a CA is renewed when it is named. `ends-with-ca`: it cannot be valid for longer than its CA. */
  readonly why: 'authority' | 'ends-with-ca';
  /** Of the CA that it is, or that it ends with. */
  readonly authority: string;
}

/** Which certificates of the store are meant. Pure. Throws KbinError for names that mean none. */
export function chooseRenewals(
  plan: CertificatePlan,
  store: ObservedStore,
  wanted: Wanted,
  { sameKey, now }: { readonly sameKey: boolean; readonly now: Date },
): Renewals {
  const key = sameKey ? 'same-key' : 'new-key';
  const chosen = (ids: readonly string[]): Pick<Renewals, 'ids' | 'renew'> => {
    const set = new Set(ids);
    return { ids, renew: (id) => (set.has(id) ? key : undefined) };
  };
  if ('names' in wanted) return { ...chosen(named(plan, store, wanted.names, sameKey)), left: [] };
  const made = plan.authorities.map((authority) => ({
    authority,
    leaves: authority.leaves.filter(({ id }) => !isMissing(store, id)),
  }));
  if (made.every(({ leaves }) => leaves.length === 0)) throw notMade('no certificate is made yet');
  if ('all' in wanted) {
    return { ...chosen(made.flatMap(({ leaves }) => leaves.map(({ id }) => id))), left: [] };
  }
  const limit = new Date(now.getTime() + wanted.withinHours * 3_600_000);
  const left: LeftOut[] = [];
  const ids: string[] = [];
  const later: { id: string; notAfter: Date }[] = [];
  for (const { authority, leaves } of made) {
    const ca = certificateOf(store, authority.id);
    if (ca !== undefined && ca.notAfter <= limit) {
      left.push({ id: authority.id, notAfter: ca.notAfter, why: 'authority', authority: authority.id });
    }
    for (const { id } of leaves) {
      const certificate = certificateOf(store, id);
      if (certificate === undefined) continue;
      const { notAfter } = certificate;
      if (notAfter > limit) later.push({ id, notAfter });
      else if (ca !== undefined && ca.notAfter <= notAfter) {
        left.push({ id, notAfter, why: 'ends-with-ca', authority: authority.id });
      } else ids.push(id);
    }
  }
  const [first] = later.sort((one, other) => one.notAfter.getTime() - other.notAfter.getTime());
  return { ...chosen(ids), left, ...(first === undefined ? {} : { nextToEnd: first }) };
}

function named(
  plan: CertificatePlan,
  store: ObservedStore,
  names: readonly string[],
  sameKey: boolean,
): readonly string[] {
  const leaves = plan.authorities.flatMap((authority) => authority.leaves);
  const known = plan.authorities.flatMap((authority) => [
    authority.id,
    ...authority.leaves.map(({ id }) => id),
  ]);
  const meant = new Set<string>();
  for (const name of names) {
    if (plan.authorities.some(({ id }) => id === name) && !sameKey) throw needsSameKey(name);
    const found = known.includes(name)
      ? [name]
      : leaves.filter(({ entry }) => entry === name).map(({ id }) => id);
    if (found.length === 0) throw unknown(plan, name, known);
    const made = found.filter((id) => !isMissing(store, id));
    if (made.length === 0) throw notMade(`${name} is not made yet`);
    for (const id of made) meant.add(id);
  }
  return known.filter((id) => meant.has(id));
}

function needsSameKey(id: string): KbinError {
  return new KbinError(`${id} is a CA: it is renewed with the key it has`, {
    why: 'a CA with another key is another CA, and nobody trusts that one yet',
    next: `kbin pki renew ${id} --same-key; for a new key, kbin pki rotate ${id}`,
    exit: exitCode.usage,
  });
}

function unknown(plan: CertificatePlan, name: string, known: readonly string[]): KbinError {
  const keys = [...plan.keyPairs, ...plan.keyRings].map(({ id }) => id);
  if (keys.includes(name)) {
    return new KbinError(`${name} is a key, and no certificate that ends`, {
      next: `for a new one: kbin pki rotate ${name}`,
      exit: exitCode.usage,
    });
  }
  const leaves = plan.authorities.flatMap((authority) => authority.leaves);
  const groups = leaves.flatMap(({ entry, host }) => (host === undefined ? [] : [entry]));
  return new KbinError(
    `no certificate is called ${name}${didYouMean(name, [...known, ...new Set(groups)])}`,
    {
      next: '"kbin pki list" shows the names; one without @HOST stands for those of all hosts',
      exit: exitCode.usage,
    },
  );
}

function notMade(message: string): KbinError {
  return new KbinError(message, {
    why: 'there is nothing to renew',
    next: 'run "kbin pki init"',
  });
}

function isMissing(store: ObservedStore, id: string): boolean {
  const entry = store.get(id);
  return entry === undefined || isUnmade(entry);
}

function certificateOf(store: ObservedStore, id: string): CertificateInfo | undefined {
  const certificate = store.get(id)?.certificate;
  return certificate?.state === 'read' ? certificate.info : undefined;
}

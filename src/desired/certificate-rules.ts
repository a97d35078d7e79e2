import { authorities, findEntry } from '../../pki/index.ts';
import { sanMistake, toSan } from '../../pki/san.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { didYouMean } from '../cluster/suggest.ts';
import type { SubjectAttribute } from './certificate-plan.ts';

/** What `pki:` of cluster.yaml asks for and a certificate cannot hold, or would be dangerous in one: one line each. */
export function pkiMistakes(cluster: Cluster): readonly string[] {
  return [...subjectMistakes(cluster), ...extraSanMistakes(cluster), ...sanMistakes(cluster)];
}

/** RFC 5280 appendix A.1: upper bounds, in characters. */
const upperBounds: Record<SubjectAttribute, number> = { C: 2, O: 64, OU: 64, L: 128, ST: 128, CN: 64 };

function subjectMistakes({ pki, hosts }: Cluster): readonly string[] {
  const mistakes: string[] = [];
  for (const [type, value] of Object.entries(pki.subject) as [SubjectAttribute, string][]) {
    const where = `pki.subject.${type}`;
    if (value.length > upperBounds[type]) {
      mistakes.push(`${where}: "${value}" is longer than ${upperBounds[type]} characters`);
    }
    if (/\p{Cc}/u.test(value)) mistakes.push(`${where}: holds a control character`);
  }
  if (pki.subject.C !== undefined && !/^([A-Z]{2})?$/.test(pki.subject.C)) {
    mistakes.push(`pki.subject.C: "${pki.subject.C}" is not a country code of two capital letters`);
  }
  if (pki.subject.O?.startsWith('system:')) {
    mistakes.push(
      `pki.subject.O: "${pki.subject.O}" would put every client into a group of Kubernetes' own; choose a name without "system:"`,
    );
  }
  for (const { name } of hosts) {
    if (name.length > upperBounds.CN) {
      mistakes.push(`hosts: "${name}" is longer than the ${upperBounds.CN} characters of a common name`);
    }
  }
  return mistakes;
}

function extraSanMistakes(cluster: Cluster): readonly string[] {
  const known = authorities.flatMap(({ leaves }) =>
    leaves.flatMap(({ id, per }) =>
      per === 'cluster' ? [id] : [id, ...hostsWithRole(cluster, per).map(({ name }) => `${id}@${name}`)],
    ),
  );
  return Object.keys(cluster.pki.extraSans).flatMap((id) => {
    if (known.includes(id)) return [];
    const found = findEntry(id);
    if (found !== undefined && found.leaf === undefined) {
      return [`pki.extraSans.${id}: a CA is never reached under a name; give a certificate's id`];
    }
    return [`pki.extraSans.${id}: no certificate of this cluster has that id${didYouMean(id, known)}`];
  });
}

function sanMistakes({ pki }: Cluster): readonly string[] {
  const lists: (readonly [string, readonly string[]])[] = [
    ['pki.reserve', pki.reserve],
    ...Object.entries(pki.extraSans).map(([id, names]) => [`pki.extraSans.${id}`, names] as const),
  ];
  return lists.flatMap(([where, names]) =>
    names.flatMap((name) => {
      const mistake = sanMistake(toSan(name));
      return mistake === undefined ? [] : [`${where}: "${name}" ${mistake}`];
    }),
  );
}

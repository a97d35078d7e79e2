import { authorities, findEntry } from '../../pki/index.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { didYouMean } from '../cluster/suggest.ts';

/** What `pki:` of cluster.yaml asks for that only shows against the list of certificates in pki/: one line each. */
export function pkiMistakes(cluster: Cluster): readonly string[] {
  return [...subjectMistakes(cluster), ...extraSanMistakes(cluster)];
}

function subjectMistakes({ pki }: Cluster): readonly string[] {
  if (!pki.subject.O?.startsWith('system:')) return [];
  return [
    `pki.subject.O: "${pki.subject.O}" is the name of a group of Kubernetes' own; choose one without "system:"`,
  ];
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

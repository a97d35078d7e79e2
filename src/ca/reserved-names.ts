import type { San } from '../../pki/san.ts';
import type { PlannedAuthority, PlannedLeaf } from '../desired/certificate-plan.ts';
import { nameText } from './names.ts';
import type { Asked, Grant } from './sign-request.ts';
import { sanKey } from './suffices.ts';

/**
 * For whom else a certificate of that CA would be taken, a clause for each: for the cluster's own parts, by what
 * cluster.yaml has certificates made for, and for those whom Kubernetes and kubeadm let do anything.
 */
export function reservedNames(asked: Asked, grant: Grant, { leaves }: PlannedAuthority): string[] {
  const kept = asked.subject.filter(
    ({ type, value }) => (type === 'CN' || type === 'O') && /^(system|kubeadm):/.test(value),
  );
  const sans = grant.sans ?? asked.sans;
  return [
    ...(kept.length === 0
      ? []
      : [`${nameText(kept)} is a name that Kubernetes keeps for its own parts and superusers`]),
    ...asked.subject.flatMap(({ type, value }) => {
      const own = type === 'CN' ? leaves.find((leaf) => commonName(leaf) === value) : undefined;
      return own === undefined || value.startsWith('system:')
        ? []
        : [`CN=${value} is the name of ${own.entry} (${own.purpose})`];
    }),
    ...(grant.usages.includes('server auth') ? sans.flatMap((san) => impersonated(san, leaves)) : []),
  ];
}

const commonName = ({ subject }: PlannedLeaf): string | undefined =>
  subject.find(({ type }) => type === 'CN')?.value;

/** Of every host, and reached by nobody but itself. */
const loopback: ReadonlySet<string> = new Set(['dns:localhost', 'ip:127.0.0.1', 'ip:::1']);

function impersonated(san: San, leaves: readonly PlannedLeaf[]): string[] {
  if (loopback.has(sanKey(san))) return [];
  const own = leaves.find(({ usages, sans }) => usages.includes('server auth') && sans.some(isFor(san)));
  return own === undefined ? [] : [`${san.value} is where ${own.id} is (${own.purpose})`];
}

/** RFC 6125 section 6.4.3: a wildcard stands for one whole label, the first. */
function isFor(asked: San): (own: San) => boolean {
  const wildcard = asked.type === 'dns' && asked.value.startsWith('*.');
  return (own) => {
    if (!wildcard || own.type !== 'dns') return sanKey(own) === sanKey(asked);
    const dot = own.value.indexOf('.');
    return dot > 0 && own.value.slice(dot).toLowerCase() === asked.value.slice(1).toLowerCase();
  };
}

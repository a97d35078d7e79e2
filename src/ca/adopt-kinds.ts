import { findEntry } from '../../pki/index.ts';
import { toSan } from '../../pki/san.ts';
import type { CertificatePlan, PlannedLeaf } from '../desired/certificate-plan.ts';
import type { FoundCertificate } from './found.ts';
import type { CertificateInfo } from './inspect.ts';
import { sanKey } from './suffices.ts';

/** What certificates are held against. */
export interface Landscape {
  readonly plan: CertificatePlan;
  /** By host of cluster.yaml. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** The value of a subject's field; the first of several. */
export function fieldOf(
  fields: readonly { type: string; value: string }[],
  type: string,
): string | undefined {
  return fields.find((field) => field.type === type)?.value;
}

export const isLeaf = ({ info }: FoundCertificate): boolean => !info.isCa;

/** The CA of the plan under which a certificate belongs, by what it says of itself; undefined: it could be anything. */
export function kindOf({ info }: FoundCertificate, { plan, addresses }: Landscape): string | undefined {
  const name = fieldOf(info.subjectFields, 'CN') ?? '';
  const named = commonNames(plan).get(name);
  if (named !== undefined) return named;
  if (frontProxyNames.has(name) && info.sans.length === 0) return 'front-proxy-ca';
  if (info.sans.some(({ type, value }) => type === 'dns' && serviceName.test(value))) return 'kubernetes-ca';
  const words = info.subjectFields.filter(({ type }) => type === 'CN' || type === 'O');
  if (words.some(({ value }) => value.startsWith('system:'))) return 'kubernetes-ca';
  const isMember = leavesOf(plan, 'etcd-ca').some((leaf) => reaches(leaf, info, addresses));
  return isMember && info.usages.includes('server auth') ? 'etcd-ca' : undefined;
}

const serviceName = /^kubernetes\.default(\.svc(\..+)?)?$/;

/** What others call the client of extension apiservers (kubeasz: aggregator). */
const frontProxyNames: ReadonlySet<string> = new Set([
  'front-proxy-client',
  'aggregator',
  'kubernetes-front-proxy',
]);

export function leavesOf({ authorities }: CertificatePlan, authority: string): readonly PlannedLeaf[] {
  return authorities.find(({ id }) => id === authority)?.leaves ?? [];
}

/** Names that stand for one thing in every cluster, by the CA that signs them. A host's name stands for nothing. */
function commonNames({ authorities }: CertificatePlan): ReadonlyMap<string, string> {
  return new Map(
    authorities.flatMap(({ id, leaves }) =>
      leaves
        .filter((leaf) => typeof findEntry(leaf.id)?.leaf?.commonName === 'string')
        .map((leaf): [string, string] => [fieldOf(leaf.subject, 'CN') ?? '', id]),
    ),
  );
}

/** Whether a certificate presents itself as that leaf; whether it does the job is another question. */
export function isFor(leaf: PlannedLeaf, certificate: FoundCertificate, landscape: Landscape): boolean {
  const { plan, addresses } = landscape;
  if (kindOf(certificate, landscape) !== leaf.authority) return false;
  const { info } = certificate;
  const entry = findEntry(leaf.id)?.leaf;
  const name = fieldOf(info.subjectFields, 'CN');
  const sameName = name === fieldOf(leaf.subject, 'CN');
  if (entry?.identifiedBy === 'O') {
    const groups = info.subjectFields.filter(({ type }) => type === 'O').map(({ value }) => value);
    const another = commonNames(plan).has(name ?? '') && !sameName;
    return !another && leaf.subject.some(({ type, value }) => type === 'O' && groups.includes(value));
  }
  if (leaf.host === undefined) return sameName;
  const ofHost = reaches(leaf, info, addresses);
  if (leaf.authority === 'etcd-ca') return ofHost && info.usages.includes('server auth');
  if (entry?.sans.includes('service-names') === true) {
    return ofHost && info.sans.some(({ type, value }) => type === 'dns' && serviceName.test(value));
  }
  return sameName && ofHost;
}

/** By the host's own address: what is reserved or added to all says nothing. */
function reaches(
  { host }: PlannedLeaf,
  { sans }: CertificateInfo,
  addresses: Landscape['addresses'],
): boolean {
  const address = addresses.get(host ?? '');
  return address !== undefined && sans.some((san) => sanKey(san) === sanKey(toSan(address)));
}

import type { San } from '../../pki/san.ts';
import { toSan } from '../../pki/san.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { certificatePlan } from '../desired/certificates.ts';
import { endpointUrl } from '../desired/kubeconfig.ts';
import { exitCode, KbinError } from '../errors.ts';

/** Where people reach the API: as asked for, else the endpoint, else the first host with a control plane. */
export function serverOf(cluster: Cluster, asked: string | undefined): string {
  if (asked !== undefined) return readServer(asked);
  const url = endpointUrl(cluster);
  if (url !== undefined) return url;
  throw new KbinError('there is no apiserver to point to', {
    why: 'cluster.yaml has neither an endpoint nor a host with the role control-plane',
    next: 'say where it is: --server https://ADDRESS:6443',
    exit: exitCode.usage,
  });
}

function readServer(text: string): string {
  const url = URL.parse(text);
  const plain = url !== null && url.username === '' && url.search === '' && url.hash === '';
  if (plain && url.protocol === 'https:' && url.hostname !== '') return text.replace(/\/+$/, '');
  throw new KbinError(`--server: "${text}" is not the address of an API`, {
    next: 'write https://ADDRESS:PORT',
    exit: exitCode.usage,
  });
}

/** Whether no apiserver of the plan has a certificate for it: kubectl would turn away. Returns what it asks for. */
export function uncertified(cluster: Cluster, server: string): string | undefined {
  const name = new URL(server).hostname.replace(/^\[(.*)\]$/, '$1');
  const { type, value } = toSan(name);
  const fits = (san: San): boolean =>
    san.type === type &&
    (san.value.toLowerCase() === value || (type === 'dns' && san.value === value.replace(/^[^.]+/, '*')));
  const leaves = certificatePlan(cluster)
    .authorities.flatMap((authority) => authority.leaves)
    .filter(({ entry }) => entry === 'apiserver');
  return leaves.some(({ sans }) => sans.some(fits)) ? undefined : name;
}

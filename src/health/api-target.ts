import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import type { Connect } from '../remote/host.ts';
import { type CredentialSource, clientCredentials } from './client-credentials.ts';
import { dialThrough } from './dial.ts';
import { dialEither } from './dial-either.ts';
import type { Dial } from './target.ts';

/** One apiserver as it is asked for. */
export interface ApiTarget {
  /** Host name of cluster.yaml. Unique; every report shows it. */
  readonly name: string;
  /** IP address without brackets, or a DNS name: the served certificate has to be good for it. */
  readonly address: string;
  readonly port: number;
  /** How to get there; default straight over TCP. */
  readonly dial?: Dial;
}

/** PEM texts. `key` is a secret: it stays in memory. Without `cert` and `key` the client is anonymous, or a token's. */
export interface ApiCredentials {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The apiservers that cluster.yaml describes, in its order. Asked straight, and through the host's SSH connection where
 * that fails; through SSH at once where `etcd: {reach: ssh}` says that this machine reaches nothing else.
 */
export function apiTargets(cluster: Cluster, connect: Connect): readonly ApiTarget[] {
  return hostsWithRole(cluster, 'control-plane').map(({ name, address }) => ({
    name,
    address,
    port: cluster.kubernetes.apiserverPort,
    dial:
      cluster.etcd.reach === 'ssh' ? dialThrough(() => connect(name)) : dialEither(() => connect(name)).dial,
  }));
}

/** The kubernetes CA, and the administrator's certificate and key. Rejects where the store has not all three. */
export function apiCredentials(store: CredentialSource): Promise<ApiCredentials> {
  return clientCredentials(store, { authority: 'kubernetes-ca', client: 'admin', toAsk: 'the apiservers' });
}

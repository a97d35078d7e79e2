import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import type { Connect } from '../remote/host.ts';
import { dialThrough } from './dial.ts';
import { dialEither } from './dial-either.ts';
import type { CredentialSource } from './of-cluster.ts';
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
export async function apiCredentials(store: CredentialSource): Promise<ApiCredentials> {
  const view = store.view();
  const ca = view.certificate('kubernetes-ca');
  const certificate = view.certificate('admin');
  const key = view.key('admin');
  if (ca === undefined || certificate === undefined || key === undefined) {
    const missing = ca === undefined ? 'kubernetes-ca' : 'admin';
    throw new KbinError(
      `the certificate store has no usable ${missing}, which is needed to ask the apiservers`,
      {
        next: 'run `kbin pki init`, or work on the machine that has the pki folder with its keys',
      },
    );
  }
  return {
    ca: ca.pem,
    cert: certificate.pem,
    key: Buffer.from(await store.readSecret(key.ref)).toString('utf8'),
  };
}

import type { Assessed } from './assess.ts';

/** A certificate and where it was seen; the same one may be seen in many places. Prints as JSON. */
export interface SeenCertificate extends Assessed {
  /** `store`: pki/. `host`: a file there. `served`: shown in a TLS handshake. `file`: given by name. */
  readonly seen: 'store' | 'host' | 'served' | 'file';
  /** Path below pki/, absolute path on the host, `ADDRESS:PORT`, or the file as it was given. */
  readonly where: string;
  /** Name of the host in cluster.yaml. */
  readonly host?: string;
  /** Id in the plan, where it is known: `etcd-server@k8s-master1`, `next/etcd-ca`. */
  readonly name?: string;
}

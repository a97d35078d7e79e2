import type { Cluster, ControlPlaneComponent } from '../../cluster/cluster.ts';

/** The component's own folder of certificates and secrets, which kbin switches as one. */
export function bundlePath({ paths }: Cluster, component: ControlPlaneComponent): string {
  return `${paths.kubernetes.tls}/${component}`;
}

/** The component's own folder of configuration that is no secret. */
export function configFolder({ paths }: Cluster, component: ControlPlaneComponent): string {
  return `${paths.kubernetes.config}/${component}`;
}

export function auditPolicyPath(cluster: Cluster): string {
  return `${configFolder(cluster, 'kube-apiserver')}/audit-policy.yaml`;
}

export function authenticationPath(cluster: Cluster): string {
  return `${configFolder(cluster, 'kube-apiserver')}/authentication.yaml`;
}

/** What may be shown of the encryption configuration. */
export function encryptionNotePath(cluster: Cluster): string {
  return `${configFolder(cluster, 'kube-apiserver')}/encryption-keys.txt`;
}

export function schedulerConfigPath(cluster: Cluster): string {
  return `${configFolder(cluster, 'kube-scheduler')}/config.yaml`;
}

/** For the people on the host: root's alone. */
export function adminKubeconfigPath({ paths }: Cluster): string {
  return `${paths.kubernetes.config}/admin.conf`;
}

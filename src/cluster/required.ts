import { exitCode, KbinError } from '../errors.ts';
import { type Cluster, hostsWithRole } from './cluster.ts';

/** Throws KbinError (exit 2) where cluster.yaml asks for no control plane, or gives it to no host. */
export function requireControlPlane(cluster: Cluster): void {
  const { kubernetes, name } = cluster;
  if (kubernetes.version === undefined) {
    throw new KbinError(`cluster ${name} asks for no control plane`, {
      step: 'read cluster.yaml',
      why: 'it does not say which Kubernetes: there is no default, so that a newer kbin never means another one',
      next: 'Set `kubernetes: {version: …}` in cluster.yaml.',
      exit: exitCode.usage,
    });
  }
  if (hostsWithRole(cluster, 'control-plane').length > 0) return;
  throw new KbinError(`no host of cluster ${name} has the role control-plane`, {
    step: 'read cluster.yaml',
    next: 'Give the role to one, three or more hosts in cluster.yaml.',
    exit: exitCode.usage,
  });
}

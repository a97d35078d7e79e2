import type { Cluster } from '../cluster/cluster.ts';

/** An object that kbin keeps in Kubernetes, as far as kbin has a say in it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/**
 * What a cluster that was installed by hand needs besides what the apiserver makes for itself: whom the kubelets let in,
 * and how they get their certificates (https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/).
 */
export function desiredObjects({ kubernetes }: Cluster): readonly KubernetesObject[] {
  return kubernetes.version === undefined ? [] : bindings.map(clusterRoleBinding);
}

interface Binding {
  readonly name: string;
  readonly role: string;
  readonly subject: { readonly kind: 'User' | 'Group'; readonly name: string };
}

const bindings: readonly Binding[] = [
  {
    name: 'kbin:kube-apiserver-to-kubelet',
    role: 'system:kubelet-api-admin',
    subject: { kind: 'User', name: 'kube-apiserver-kubelet-client' },
  },
  // A kubelet with a bootstrap token may ask for a certificate,
  {
    name: 'kbin:kubelet-bootstrap',
    role: 'system:node-bootstrapper',
    subject: { kind: 'Group', name: 'system:bootstrappers' },
  },
  // and gets it without anybody's yes;
  {
    name: 'kbin:node-autoapprove-bootstrap',
    role: 'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    subject: { kind: 'Group', name: 'system:bootstrappers' },
  },
  // and so does a node that renews its own.
  {
    name: 'kbin:node-autoapprove-certificate-rotation',
    role: 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    subject: { kind: 'Group', name: 'system:nodes' },
  },
];

function clusterRoleBinding({ name, role, subject }: Binding): KubernetesObject {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', ...subject }],
  };
}

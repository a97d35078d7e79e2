import type { Architecture } from '../cluster/cluster.ts';

export type BinaryComponent = 'etcd' | 'kubernetes';

/** What is known of a component's official releases. */
export interface Release {
  /** Programs that a release must have, and those that only some have. */
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Where releases are published; `source.url` in cluster.yaml names a mirror of the same layout. */
  readonly url: string;
  /** Name of the tarball without `.tar.gz`. */
  readonly name: (version: string, architecture: Architecture) => string;
  /** Folder that everything in the tarball lies in. */
  readonly folder: (version: string, architecture: Architecture) => string;
  /** Where the programs are below that folder. */
  readonly programs: string;
  /** Below the base address: a file of the release. */
  readonly path: (version: string, file: string) => string;
  /** The file with the tarball's digest: `sha256sum` format, or the digest alone. */
  readonly checksums: (file: string) => string;
  readonly algorithm: 'sha256' | 'sha512';
}

const etcdName = (version: string, architecture: Architecture) => `etcd-v${version}-linux-${architecture}`;

export const releases: Readonly<Record<BinaryComponent, Release>> = {
  /** github.com/etcd-io/etcd, "Release" pages; etcdutl came with 3.5. */
  etcd: {
    required: ['etcd', 'etcdctl'],
    optional: ['etcdutl'],
    url: 'https://github.com/etcd-io/etcd/releases/download',
    name: etcdName,
    folder: etcdName,
    programs: '',
    path: (version, file) => `v${version}/${file}`,
    checksums: () => 'SHA256SUMS',
    algorithm: 'sha256',
  },
  /** kubernetes/kubernetes, CHANGELOG pages, "Server Binaries". */
  kubernetes: {
    required: ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'],
    optional: ['kubelet', 'kube-proxy', 'kubeadm'],
    url: 'https://dl.k8s.io',
    name: (_version, architecture) => `kubernetes-server-linux-${architecture}`,
    folder: () => 'kubernetes',
    programs: 'server/bin',
    path: (version, file) => `v${version}/${file}`,
    checksums: (file) => `${file}.sha512`,
    algorithm: 'sha512',
  },
};

import type { Architecture } from '../cluster/cluster.ts';

export type BinaryComponent = 'etcd';

/** What is known of a component's official releases. */
export interface Release {
  /** Programs that a release must have, and those that only some versions have. */
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Where releases are published; `source.url` in cluster.yaml names a mirror of the same layout. */
  readonly url: string;
  /** Name of a release, of its tarball without `.tar.gz`, and of the folder in it. */
  readonly name: (version: string, architecture: Architecture) => string;
  /** Below the base address: the tarball, and the file with its digest (`sha256sum` format). */
  readonly path: (version: string, file: string) => string;
  readonly checksums: string;
}

/** etcd: github.com/etcd-io/etcd, "Release" pages; etcdutl came with 3.5. */
export const releases: Readonly<Record<BinaryComponent, Release>> = {
  etcd: {
    required: ['etcd', 'etcdctl'],
    optional: ['etcdutl'],
    url: 'https://github.com/etcd-io/etcd/releases/download',
    name: (version, architecture) => `etcd-v${version}-linux-${architecture}`,
    path: (version, file) => `v${version}/${file}`,
    checksums: 'SHA256SUMS',
  },
};

import { sameId } from './etcd-identity.ts';
import { dataRules } from './etcd-rules-data.ts';
import { noDataRules } from './etcd-rules-no-data.ts';
import { type Rule, stop, stopCluster, type Verdict } from './etcd-verdict.ts';
import type { EtcdView, MemberView } from './etcd-view.ts';

/** Read in order; the first that says something wins. */
export const membershipRules: readonly Rule[] = [
  unreachable,
  severalClusters,
  otherClusterThanStore,
  foreignData,
  ...dataRules,
  ...noDataRules,
];

function unreachable(_view: EtcdView, member: MemberView): Verdict | undefined {
  if (member.unreachable === undefined) return undefined;
  return {
    action: 'unreachable',
    reason: member.unreachable,
    finding: {
      severity: 'stop',
      code: 'host-unreachable',
      message: `the host could not be looked at: ${member.unreachable}`,
      next: `bring it back, or leave it out of this run with \`--skip-host ${member.host.name}\`: membership then stays as it is`,
    },
  };
}

function severalClusters({ answeringClusters }: EtcdView, { reading }: MemberView): Verdict | undefined {
  if (answeringClusters.length < 2) return undefined;
  const own = reading?.status?.clusterId;
  return stop('several-clusters', 'the hosts’ etcds are not one cluster', {
    message: `the etcd hosts answer as ${answeringClusters.length} clusters (${answeringClusters.join(', ')})${
      own === undefined ? '' : `, this one as ${own}`
    }`,
    next: 'find out which one holds the data that counts; stop the other and move its data directory away',
  });
}

function otherClusterThanStore({ live, storeClusterId }: EtcdView): Verdict | undefined {
  if (live === undefined || storeClusterId === undefined || sameId(live.clusterId, storeClusterId))
    return undefined;
  return stopCluster('other-cluster', 'the running cluster is not the one of this certificate store', {
    message: `the running etcd is cluster ${live.clusterId}; this certificate store belongs to cluster ${storeClusterId}`,
    next: 'check that cluster.yaml and its pki folder are those of these hosts; after a restore from a snapshot, remove pki/etcd-cluster-id',
  });
}

function foreignData({ cluster }: EtcdView, { data }: MemberView): Verdict | undefined {
  if (data.state !== 'foreign') return undefined;
  const directory = cluster.paths.etcd.data;
  return stop('foreign-data', 'its data directory holds files, but no log of a member', {
    message: `${directory} holds files, but no log of an etcd member: they are another program's, or what is left of a member`,
    next: `if the log is only not there (a disk that is not mounted), bring it back; otherwise move the files away, or give etcd another folder with \`paths.etcd.data\`, and run kbin again`,
  });
}

import type { Symptom } from './likely-cause.ts';
import { hostSymptoms } from './symptoms-host.ts';

/**
 * What etcd 3.4 to 3.7 and systemd print when a start fails. Earlier entries win: they are the more certain ones.
 * The words are etcd's own (etcdmain, embed, etcdserver, wal).
 */
export const etcdSymptoms: readonly Symptom[] = [
  hostSymptoms['port-taken'],
  hostSymptoms['address-missing'],
  hostSymptoms['wrong-architecture'],
  hostSymptoms['missing-library'],
  hostSymptoms['not-executable'],
  hostSymptoms['no-such-user'],
  hostSymptoms['bad-environment-file'],
  {
    code: 'flag-and-variable',
    sign: /conflicting environment variable.*?(ETCD_[A-Z0-9_]+)?.*shadowed by corresponding command-line flag/,
    why: 'a setting is given both as an ETCD_ variable and as a flag',
    next: 'Remove it from the drop-in or the environment that was added by hand.',
  },
  {
    code: 'unknown-flag',
    sign: /flag provided but not defined: (\S+?)"?[,}\s]|flag provided but not defined: (\S+)/,
    why: 'this version of etcd does not know the flag $1',
    next: 'Remove it from the drop-in of the unit, or choose the version that knows it.',
  },
  {
    code: 'bad-value',
    sign: /invalid value \\*"([^"\\]*)\\*" for (?:ETCD_)?[A-Z_a-z-]+/,
    why: 'etcd does not accept the value "$1" of a setting',
    next: 'Correct it under `etcd:` in cluster.yaml; the line of the journal names the setting.',
  },
  {
    code: 'log-lost',
    sign: /tocommit\(\d+\) is out of range|Was the raft log corrupted, truncated, or lost/,
    why: 'its raft log was lost or cut short: the cluster has committed entries that this member once confirmed and does not have',
    next: 'Do not start it again like this. With a quorum left, remove the member (`etcdctl member remove`), move its data directory away and run `kbin etcd deploy`: it joins anew as a learner and copies the data.',
  },
  {
    code: 'bad-certificate',
    sign: /private key does not match public key|failed to find any PEM data|x509: |failed to parse certificate|bad certificate|remote error: tls|could not load (?:cert|key)/i,
    why: 'a certificate or key is not what the members of this cluster need',
    next: 'Run `kbin pki list` and `kbin pki show` to see what each is; `kbin pki init` issues what is affected anew.',
  },
  hostSymptoms['permission-denied'],
  hostSymptoms['missing-file'],
  hostSymptoms['disk-full'],
  {
    code: 'wrong-cluster',
    sign: /cluster ID mismatch|request cluster ID mismatch|mismatch(?:ed)? cluster.?id/i,
    why: 'the data directory belongs to another cluster than its peers',
    next: 'Find out which is right before anything is removed; kbin never wipes data.',
  },
  {
    code: 'removed-member',
    sign: /member has been permanently removed from the cluster|the local etcd has been removed/,
    why: 'the cluster has removed this member; its data directory can never be used again',
    next: 'Move the data directory away and run kbin again: it joins as a new member.',
  },
  {
    code: 'already-bootstrapped',
    sign: /member \S+ has already been bootstrapped/,
    why: 'the cluster knows this member, but its data directory is empty',
    next: 'Remove the member with `etcdctl member remove` and run kbin again: it joins as a learner.',
  },
  {
    code: 'membership-differs',
    sign: /member count is unequal|unmatched member while checking PeerURLs|error validating peerURLs|couldn't find local name|but missing from --initial/,
    why: "the settings of the first start do not fit the cluster's live membership",
    next: "Compare `etcdctl member list` with the host's address and name in cluster.yaml.",
  },
  {
    code: 'downgrade',
    sign: /cluster cannot be downgraded|invalid downgrade/,
    why: "the binary is older than the cluster's version",
    next: 'Set `etcd.version` back to what the other members run: etcd does not go back a minor version.',
  },
  {
    code: 'corrupted-data',
    sign: /crc mismatch|wal: .*corrupt|snap: .*corrupt|failed to recover v3 backend|freelist|page \d+ already freed|checkInitialHashKV|found data inconsistency|invalid database|unexpected fault address/,
    why: 'the data of this member is damaged',
    next: 'Do not start it again and again. With a quorum left, remove the member and let it join anew, or restore a snapshot.',
  },
  {
    code: 'data-in-use',
    sign: /waiting for (?:the )?(?:file )?lock|cannot open database.*timeout|resource temporarily unavailable/,
    why: 'another process holds the data directory',
    next: 'Look for another etcd on the host with `pgrep -a etcd`, started by hand or by another unit.',
  },
  hostSymptoms['out-of-memory'],
  {
    code: 'no-peers',
    sign: /start(?:ed)? a new election|is starting a new election|no leader|publish(?:ing)? .*timed out|request timed out/,
    why: 'it runs but does not find enough of its peers for a quorum',
    next: 'See that the peer port is open between the hosts, and that the other members run.',
  },
  {
    code: 'killed-by-timeout',
    sign: /start operation timed out/,
    why: 'it did not report being ready in time, as when its peers cannot be reached',
    next: 'See that the peer port is open between the hosts, and that the clocks agree.',
  },
];

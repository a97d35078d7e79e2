/** Why a unit did not come up, as far as its journal tells. */
export interface LikelyCause {
  /** Stable id, for tests and JSON. */
  readonly code: string;
  readonly why: string;
  readonly next: string;
}

interface Symptom {
  readonly code: string;
  /** Looked for in each line; its first group, if any, is `$1` in the sentences. */
  readonly sign: RegExp;
  readonly why: string;
  readonly next: string;
}

/**
 * What etcd 3.4 to 3.7 and systemd print when a start fails. Earlier entries win: they are the more certain ones.
 * The words are etcd's own (etcdmain, embed, etcdserver, wal) and systemd's exit statuses (systemd.exec(5)).
 */
const symptoms: readonly Symptom[] = [
  {
    code: 'port-taken',
    sign: /listen tcp (\S+): bind: address already in use/,
    why: 'another program already listens on $1',
    next: 'See which one it is with `ss -ltnp` on the host; stop it, or choose other ports in cluster.yaml.',
  },
  {
    code: 'address-missing',
    sign: /listen tcp (\S+): bind: cannot assign requested address/,
    why: 'the host does not have the address $1',
    next: "Correct the host's address in cluster.yaml, or give the host that address.",
  },
  {
    code: 'wrong-architecture',
    sign: /Exec format error|cannot execute binary file/i,
    why: "the binary is built for another processor than the host's",
    next: "Set `architecture` of this host in cluster.yaml and give a source with that architecture's binaries.",
  },
  {
    code: 'missing-library',
    sign: /error while loading shared libraries: ([^:]+):|version [`'](GLIBC\S+)' not found/,
    why: 'the binary needs a library that the host does not have ($1)',
    next: 'Use the statically linked official release, or install that library on the host.',
  },
  {
    code: 'not-executable',
    sign: /status=203\/EXEC|Unable to locate executable '([^']+)'/,
    why: 'systemd cannot run the binary: it is missing, not executable, or on a file system mounted noexec',
    next: 'Look at the path in ExecStart of the unit, and at the mount options of its file system.',
  },
  {
    code: 'no-such-user',
    sign: /status=217\/USER|Failed to determine user credentials/,
    why: 'the user that the unit runs as does not exist',
    next: 'Run kbin again: it creates the account. Look for a drop-in of the unit that names another user.',
  },
  {
    code: 'bad-environment-file',
    sign: /Failed to load environment files: (.*)/,
    why: 'systemd cannot read the environment file ($1)',
    next: 'Look at EnvironmentFile= of the unit and at who may read that file.',
  },
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
  {
    code: 'permission-denied',
    sign: /(?:open|mkdir|stat|unlink|cannot access data directory:?) ?(\S*?):? permission denied|permission denied/,
    why: "the unit's user may not read or write $1",
    next: 'Look at the owner of the files and of every folder above; SELinux denials are in `ausearch -m avc`.',
  },
  {
    code: 'missing-file',
    sign: /open (\S+): no such file or directory/,
    why: 'the file $1 is missing',
    next: 'Run kbin again: it brings what is missing. Look for a drop-in that names another path.',
  },
  {
    code: 'disk-full',
    sign: /no space left on device|disk quota exceeded/,
    why: 'the file system of the data directory or of the log is full',
    next: 'Free some space on the host and run kbin again.',
  },
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
  {
    code: 'out-of-memory',
    sign: /oom-kill|OOM killer|cannot allocate memory|out of memory/i,
    why: 'the host ran out of memory',
    next: 'Give the host more memory or the unit a higher limit.',
  },
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

/** The cause that the last lines of a unit's journal point to; the latest line that fits the most certain entry. */
export function likelyCause(journal: string): LikelyCause | undefined {
  const lines = journal.split('\n').reverse();
  for (const { code, sign, why, next } of symptoms) {
    for (const line of lines) {
      const match = sign.exec(line);
      if (match === null) continue;
      const what = match.slice(1).find((group) => group !== undefined && group !== '') ?? '';
      const filled = (sentence: string) =>
        sentence.replace(' ($1)', what && ` (${what})`).replace('$1', what || 'a file');
      return { code, why: filled(why), next: filled(next) };
    }
  }
  return undefined;
}

import { expect, test } from 'vitest';
import { likelyCause } from '../../src/apply/likely-cause.ts';

/** Lines as real etcd 3.4.23 and 3.5.16 and systemd 252 and 257 print them. */
const journals: [code: string, why: string, lines: string][] = [
  [
    'port-taken',
    'another program already listens on 127.0.0.1:2380',
    '2026-11-21 00:57:42.395117 C | etcdmain: listen tcp 127.0.0.1:2380: bind: address already in use',
  ],
  [
    'port-taken',
    'another program already listens on 10.0.0.1:2379',
    `{"level":"warn","ts":"2026-11-21T00:57:42.446525Z","caller":"etcdmain/etcd.go:146","msg":"failed to start etcd","error":"listen tcp 10.0.0.1:2379: bind: address already in use"}
etcd.service: Main process exited, code=exited, status=1/FAILURE`,
  ],
  [
    'address-missing',
    'the host does not have the address 10.99.99.99:23801',
    '2026-11-21 00:58:05.079386 C | etcdmain: listen tcp 10.99.99.99:23801: bind: cannot assign requested address',
  ],
  [
    'bad-certificate',
    'a certificate or key is not what the members of this cluster need',
    '{"level":"fatal","caller":"etcdmain/etcd.go:219","msg":"listener failed","error":"tls: private key does not match public key","stacktrace":"…"}',
  ],
  [
    'log-lost',
    'its raft log was lost or cut short: the cluster has committed entries that this member once confirmed and does not have',
    `{"level":"warn","caller":"rafthttp/stream.go:194","msg":"lost TCP streaming connection with remote peer","error":"remote error: tls: bad certificate"}
{"level":"panic","ts":"2026-11-21T02:27:56.444711Z","logger":"raft","caller":"etcdserver/zap_raft.go:101","msg":"tocommit(16) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?"}
etcd.service: Main process exited, code=exited, status=2/INVALIDARGUMENT`,
  ],
  [
    'missing-file',
    'the file /etc/etcd/ssl/server.crt is missing',
    '{"level":"fatal","msg":"discovery failed","error":"open /etc/etcd/ssl/server.crt: no such file or directory"}',
  ],
  [
    'permission-denied',
    "the unit's user may not read or write /etc/etcd/ssl/server.key",
    '2026-11-21 00:57:51.260372 C | etcdmain: open /etc/etcd/ssl/server.key: permission denied',
  ],
  [
    'flag-and-variable',
    'a setting is given both as an ETCD_ variable and as a flag',
    '2026-11-21 00:58:04.746772 C | pkg/flags: conflicting environment variable "ETCD_NAME" is shadowed by corresponding command-line flag (either unset environment variable or disable flag)',
  ],
  [
    'bad-value',
    'etcd does not accept the value "abc" of a setting',
    '{"level":"warn","msg":"failed to verify flags","error":"invalid value \\"abc\\" for ETCD_HEARTBEAT_INTERVAL: parse error"}',
  ],
  [
    'unknown-flag',
    'this version of etcd does not know the flag -no-such-flag',
    '{"level":"warn","msg":"failed to verify flags","error":"flag provided but not defined: -no-such-flag"}',
  ],
  [
    'membership-differs',
    "the settings of the first start do not fit the cluster's live membership",
    `{"level":"fatal","msg":"discovery failed","error":"couldn't find local name \\"other\\" in the initial cluster configuration"}`,
  ],
  [
    'wrong-architecture',
    "the binary is built for another processor than the host's",
    `etcd.service: Failed to execute /usr/local/bin/etcd: Exec format error
etcd.service: Failed at step EXEC spawning /usr/local/bin/etcd: Exec format error
etcd.service: Main process exited, code=exited, status=203/EXEC`,
  ],
  [
    'not-executable',
    'systemd cannot run the binary: it is missing, not executable, or on a file system mounted noexec',
    'etcd.service: Main process exited, code=exited, status=203/EXEC',
  ],
  [
    'missing-library',
    'the binary needs a library that the host does not have (libtss2.so.3)',
    '/usr/local/bin/etcd: error while loading shared libraries: libtss2.so.3: cannot open shared object file: No such file or directory',
  ],
  [
    'disk-full',
    'the file system of the data directory or of the log is full',
    '{"level":"fatal","msg":"failed to create WAL","error":"write /var/lib/etcd/member/wal/0.tmp: no space left on device"}',
  ],
  [
    'bad-environment-file',
    'systemd cannot read the environment file (No such file or directory)',
    'etcd.service: Failed to load environment files: No such file or directory',
  ],
];

test.each(journals)('%s: %s', (code, why, lines) => {
  expect(likelyCause(`Starting etcd.service...\n${lines}\n`)).toMatchObject({ code, why });
});

test('an ordinary journal has no cause', () => {
  expect(
    likelyCause('{"level":"info","msg":"ready to serve client requests"}\nStarted etcd.service.'),
  ).toBeUndefined();
});

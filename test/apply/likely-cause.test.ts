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

/** Lines as kube-apiserver, kube-controller-manager and kube-scheduler 1.20.2 print them; those with `run.go` as 1.23 and later. */
const kubernetes: [code: string, why: string, lines: string, program?: string][] = [
  [
    'unknown-flag',
    'this version of kube-apiserver does not know the flag --no-such',
    'Error: unknown flag: --no-such',
  ],
  [
    'unknown-flag',
    'this version of kube-scheduler does not know the flag --port',
    'E1121 04:36:30.007675   26583 run.go:74] "command failed" err="unknown flag: --port"',
    'kube-scheduler',
  ],
  [
    'unknown-feature-gate',
    'this version of kube-apiserver does not know the feature gate Foo, or does not let it be changed',
    'Error: invalid argument "Foo=true" for "--feature-gates" flag: unrecognized feature gate: Foo',
  ],
  [
    'unknown-feature-gate',
    'this version of kube-apiserver does not know the feature gate Foo, or does not let it be changed',
    'E1121 04:36:30.007675   26583 run.go:74] "command failed" err="invalid argument \\"Foo=true\\" for \\"--feature-gates\\" flag: cannot set feature gate Foo to false, feature is locked to true"',
  ],
  [
    'bad-value',
    'kube-apiserver does not accept the value of --max-requests-inflight',
    'Error: invalid argument "abc" for "--max-requests-inflight" flag: strconv.ParseInt: parsing "abc": invalid syntax',
  ],
  [
    'unknown-admission-plugin',
    'this version of kube-apiserver does not know the admission plugin Nope',
    'Error: enable-admission-plugins plugin "Nope" is unknown',
  ],
  [
    'bad-certificate',
    'a certificate, key or CA that kube-apiserver was given cannot be used',
    'Error: tls: private key does not match public key',
  ],
  [
    'bad-certificate',
    'a certificate, key or CA that kube-apiserver was given cannot be used',
    'Error: error loading CA bundle for "client-ca-bundle::enc.yaml": data does not contain any valid RSA or ECDSA certificates',
  ],
  [
    'bad-certificate',
    'a certificate, key or CA that kube-apiserver was given cannot be used',
    'Error: failed to parse service-account-issuer-key-file: error reading private key file ca.crt: data does not contain a valid RSA or ECDSA private key',
  ],
  [
    'missing-file',
    'the file /etc/kubernetes/pki/kube-apiserver/server.crt is missing',
    'Error: open /etc/kubernetes/pki/kube-apiserver/server.crt: no such file or directory',
  ],
  [
    'missing-file',
    'the file /nope is missing',
    'stat /nope: no such file or directory',
    'kube-controller-manager',
  ],
  [
    'bad-service-cidr',
    'kube-apiserver does not accept `kubernetes.serviceCidr` (service-cluster-ip-range is too large)',
    'Error: specified --service-cluster-ip-range is too large; for 32-bit addresses, the mask must be >= 12',
  ],
  [
    'bad-encryption-configuration',
    'kube-apiserver cannot use its encryption configuration',
    'Error: error while parsing encryption provider configuration file "enc2.yaml": error while parsing file: resources[0].providers[0].secretbox.keys[0].secret: Invalid value: "REDACTED": secret is not of the expected length, got 3, expected one of [32]',
  ],
  [
    'bad-audit-policy',
    'kube-apiserver cannot use the audit policy',
    'Error: loading audit policy file: failed decoding: no kind "nope" is registered for the internal version of group "audit.k8s.io" in scheme "k8s.io/apiserver/pkg/audit/scheme.go:32": from file pol.yaml',
  ],
  [
    'missing-file',
    'the file /nope.yaml is missing',
    'Error: loading audit policy file: failed to read file path "/nope.yaml": open /nope.yaml: no such file or directory',
  ],
  [
    'bad-configuration-file',
    'this version of kube-scheduler cannot read its configuration file (KubeSchedulerConfiguration)',
    'no kind "KubeSchedulerConfiguration" is registered for version "kubescheduler.config.k8s.io/v1" in scheme "pkg/scheduler/apis/config/scheme/scheme.go:30"',
    'kube-scheduler',
  ],
  [
    'port-taken',
    'another program already listens on 10.0.0.1:6443',
    'Error: failed to create listener: failed to listen on 10.0.0.1:6443: listen tcp 10.0.0.1:6443: bind: address already in use',
  ],
  [
    'address-missing',
    'the host does not have the address 10.99.99.99:6443',
    'Error: failed to create listener: failed to listen on 10.99.99.99:6443: listen tcp 10.99.99.99:6443: bind: cannot assign requested address',
  ],
  [
    'privileged-port',
    'a port below 1024 is for root alone, and kube-apiserver does not run as root (0.0.0.0:443)',
    'Error: failed to create listener: failed to listen on 0.0.0.0:443: listen tcp 0.0.0.0:443: bind: permission denied',
  ],
  [
    'etcd-unreachable',
    'kube-apiserver does not reach etcd',
    `W1121 04:36:39.835109   26518 clientconn.go:1223] grpc: addrConn.createTransport failed to connect to {http://127.0.0.1:39999  <nil> 0 <nil>}. Err :connection error: desc = "transport: Error while dialing dial tcp 127.0.0.1:39999: connect: connection refused". Reconnecting...
Error: context deadline exceeded`,
  ],
  [
    'etcd-refuses',
    'etcd and kube-apiserver do not trust each other’s certificates (x509: certificate signed by unknown authority)',
    `W1121 04:36:39.835109   26518 clientconn.go:1223] grpc: addrConn.createTransport failed to connect to {https://10.0.0.1:2379  <nil> 0 <nil>}. Err :connection error: desc = "transport: authentication handshake failed: x509: certificate signed by unknown authority". Reconnecting...
Error: context deadline exceeded`,
  ],
  [
    'apiserver-unreachable',
    'it does not reach the apiserver of its host (127.0.0.1:36444)',
    'unable to load configmap based request-header-client-ca-file: Get "https://127.0.0.1:36444/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication?timeout=10s": dial tcp 127.0.0.1:36444: connect: connection refused',
    'kube-controller-manager',
  ],
  [
    'not-authorized',
    'the apiserver does not let kube-controller-manager in (Unauthorized)',
    'E1121 04:36:30.007675   1 leaderelection.go:325] error retrieving resource lock kube-system/kube-controller-manager: Unauthorized',
    'kube-controller-manager',
  ],
  [
    'bad-setting',
    'kube-apiserver refuses its settings: authorization-mode "Foo" is not a valid mode',
    'Error: authorization-mode "Foo" is not a valid mode',
  ],
  [
    'not-executable',
    'systemd cannot run the binary: it is missing, not executable, or on a file system mounted noexec',
    'kube-apiserver.service: Main process exited, code=exited, status=203/EXEC',
  ],
];

test.each(kubernetes)('Kubernetes: %s: %s', (code, why, lines, program = 'kube-apiserver') => {
  const unit = `${program}.service`;
  expect(likelyCause(`Starting ${unit}...\n${lines}\n`, unit)).toMatchObject({ code, why });
});

test('an ordinary journal has no cause', () => {
  expect(
    likelyCause('{"level":"info","msg":"ready to serve client requests"}\nStarted etcd.service.'),
  ).toBeUndefined();
});

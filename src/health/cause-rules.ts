/** Why a connection or a call failed. Stable: reports and gates read it. */
export type CauseCode =
  | 'wrong-ca'
  | 'no-client-certificate'
  | 'foreign-client'
  | 'client-certificate-expired'
  | 'client-certificate-refused'
  | 'server-certificate-expired'
  | 'certificate-not-yet-valid'
  | 'server-key-unusable'
  | 'san-mismatch'
  | 'refused'
  | 'wrong-scheme'
  | 'no-answer'
  | 'no-route'
  | 'unknown-name'
  | 'connection-lost'
  | 'no-quorum'
  | 'no-space'
  | 'corrupt'
  | 'auth-enabled'
  | 'permission-denied'
  | 'not-leader'
  | 'learner'
  | 'learner-not-ready'
  | 'unhealthy-cluster'
  | 'too-many-learners'
  | 'not-a-member'
  | 'bad-credentials'
  | 'too-many-requests'
  | 'stale'
  /** Nobody got as far as its port; unlike `no-answer`, this says nothing about the member. */
  | 'out-of-reach'
  | 'ssh'
  /** The HTTP answers of an apiserver: 401, 403, other 4xx, 5xx. */
  | 'unauthorized'
  | 'forbidden'
  | 'rejected'
  | 'server-error'
  | 'unknown';

export interface Cause {
  readonly code: CauseCode;
  /** What happened, in a clause that reads after "NAME: ". */
  readonly message: string;
  readonly next: string;
}

export interface Rule {
  readonly code: CauseCode;
  /** Matched against the error's code and text: grpc-js keeps only text, Node's TLS gives both. */
  readonly pattern: RegExp;
  readonly message: string;
  readonly next: string;
}

/**
 * Read in order; the first that matches wins. Texts come from OpenSSL as Node words it ("alert" is what the server said
 * of our certificate; the others are what we found in its), from Node's net, from grpc-js, and from etcd's rpctypes.
 */
export const rules: readonly Rule[] = [
  {
    code: 'no-client-certificate',
    pattern: /alert certificate required|certificate_required/i,
    message: 'demands a client certificate and was shown none',
    next: 'give a client certificate and key that the etcd client CA has signed',
  },
  {
    code: 'foreign-client',
    pattern:
      /alert unknown ca|tlsv1 alert unknown|alert bad certificate|alert certificate unknown|alert decrypt error/i,
    message: 'does not accept the client certificate: its CA is not the one this member trusts',
    next: "use a client certificate signed by the member's trusted CA, or give the member the right trusted-ca-file and restart it",
  },
  {
    code: 'client-certificate-expired',
    pattern:
      /alert certificate expired|sslv3 alert certificate expired|ERR_SSL_SSL\/TLS_ALERT_CERTIFICATE_EXPIRED/i,
    message: 'does not accept the client certificate: it has expired, or the clock of one side is wrong',
    next: 'issue the client certificate anew; compare the clocks of this machine and of the host',
  },
  {
    code: 'client-certificate-refused',
    pattern: /alert (unsupported certificate|handshake failure|certificate revoked|access denied)/i,
    message: 'does not accept the client certificate',
    next: "check that the certificate has the client usage and is not revoked; the reason is in the member's journal",
  },
  {
    // etcd reads both files at each handshake; where it cannot, it goes on as a member and only clients are turned away.
    code: 'server-key-unusable',
    pattern: /alert internal error|alert number 80\b/i,
    message: 'cannot use its own certificate and key: a file is missing or unreadable, or they are no pair',
    next: "see which user etcd runs as, and that it may read its certificate and key and enter their folder; the member's journal names the file",
  },
  {
    code: 'server-certificate-expired',
    pattern: /CERT_HAS_EXPIRED|certificate has expired/i,
    message: 'serves a certificate that has expired',
    next: 'issue the server certificate anew and bring it to the host; compare the clocks too',
  },
  {
    code: 'certificate-not-yet-valid',
    pattern: /CERT_NOT_YET_VALID|certificate is not yet valid/i,
    message: 'serves a certificate that is not valid yet',
    next: 'compare the clocks of this machine, of the host, and of the machine that issued the certificate',
  },
  {
    code: 'san-mismatch',
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames|altnames/i,
    message: 'serves a certificate that is not for the address used to reach it',
    next: 'issue the server certificate anew with this address among its subject alternative names',
  },
  {
    code: 'wrong-ca',
    pattern:
      /UNABLE_TO_VERIFY_LEAF_SIGNATURE|unable to verify the first certificate|SELF_SIGNED_CERT|self-signed certificate|UNABLE_TO_GET_ISSUER_CERT|unable to get (local )?issuer certificate|CERT_SIGNATURE_FAILURE|certificate signature failure|INVALID_CA|invalid CA certificate|invalid purpose|INVALID_PURPOSE|unsuitable certificate purpose/i,
    message: 'serves a certificate that does not come from the given CA',
    next: "check which CA signed the member's server certificate, and give that one",
  },
  {
    code: 'bad-credentials',
    pattern:
      /key values mismatch|ERR_OSSL|no start line|PEM routines|bad base64|ERR_CRYPTO|unsupported.*DECODER/i,
    message: 'the given certificate, key or CA cannot be used',
    next: 'check that all three are PEM files and that the key belongs to the certificate',
  },
  {
    code: 'refused',
    pattern: /ECONNREFUSED/,
    message: 'refuses connections: nothing listens there',
    next: 'see whether etcd runs on that host (systemctl status etcd, journalctl -u etcd), and on which port',
  },
  {
    code: 'no-route',
    pattern: /EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EHOSTDOWN/,
    message: 'cannot be reached: no route to the host',
    next: 'see whether the host is up and the network between is; or use `etcd: {reach: ssh}`',
  },
  {
    code: 'unknown-name',
    pattern: /ENOTFOUND|EAI_AGAIN|Name resolution failed/,
    message: 'has a name that does not resolve to an address',
    next: 'check the name, or give the address',
  },
  {
    code: 'wrong-scheme',
    pattern:
      /wrong version number|packet length too long|http request|ERR_SSL_WRONG_VERSION_NUMBER|Failed to connect|Protocol error|HTTP2_ERROR|bad response/i,
    message:
      'does not speak what the endpoint says (https against a plaintext listener, or the other way round)',
    next: 'try the other scheme (http:// or https://), and check that this is an etcd client port',
  },
  {
    code: 'no-space',
    pattern: /database space exceeded|NOSPACE/,
    message: 'refuses writes: the database has reached its quota (alarm NOSPACE)',
    next: 'compact and defragment, then `etcdctl alarm disarm`; or raise quota-backend-bytes',
  },
  {
    code: 'corrupt',
    pattern: /corrupt/i,
    message: 'reports corrupt data (alarm CORRUPT)',
    next: 'find the member whose data differs, remove it, and add it again with an empty data directory',
  },
  {
    code: 'auth-enabled',
    pattern: /user name is empty|invalid auth token|authentication failed/,
    message: 'has authentication on, and the client certificate names no etcd user',
    next: "make an etcd user with the certificate's common name, with read and write on /kbin/canary/",
  },
  {
    code: 'permission-denied',
    pattern: /permission denied/i,
    message: 'has authentication on, and this user may not do that',
    next: 'grant the user read and write on /kbin/canary/ (etcdctl role grant-permission … --prefix)',
  },
  {
    code: 'not-leader',
    pattern: /not leader|etcdserver: bad leader transferee/,
    message: 'cannot do that: the leader has changed meanwhile',
    next: 'try again',
  },
  {
    code: 'learner-not-ready',
    pattern: /can only promote a learner member which is in sync/,
    message: 'the learner has not caught up with the leader yet',
    next: 'wait, and try again',
  },
  {
    // etcd changes its membership only when every member has been connected to its peers for 5 s (strict-reconfig-check).
    code: 'unhealthy-cluster',
    pattern: /etcdserver: unhealthy cluster|not enough started members/,
    message: 'does not change the membership while the members are not all connected, or only just',
    next: 'try again a few seconds later; `kbin etcd status` shows which member is not healthy',
  },
  {
    code: 'too-many-learners',
    pattern: /too many learner members/,
    message: 'takes no more learners until the one that it has is promoted or removed',
    next: 'see in `etcdctl member list` which member is a learner; promote it, or remove it if nobody knows it',
  },
  {
    code: 'learner',
    pattern: /rpc not supported for learner/,
    message: 'is a learner that was never promoted: it has no vote and serves no such request',
    next: 'promote it (etcdctl member promote), or remove it',
  },
  {
    code: 'not-a-member',
    pattern: /member not found|has been permanently removed/,
    message: 'is not a member of the cluster any more',
    next: 'compare `etcdctl member list` of the other members',
  },
  {
    code: 'no-quorum',
    pattern: /no leader|request timed out|leader changed|too many.*leader|raft|lost leader|server stopped/i,
    message: 'has no quorum behind it: it cannot agree with a majority of the members',
    next: 'see which other members run and whether their peer ports reach each other',
  },
  {
    code: 'too-many-requests',
    pattern: /too many requests/,
    message: 'is overloaded: too many requests wait to be applied',
    next: 'see disk latency and load of that host',
  },
  {
    code: 'no-answer',
    pattern: /DEADLINE_EXCEEDED|Deadline exceeded|ETIMEDOUT|timed out/i,
    message: 'does not answer',
    next: 'see whether the host is frozen or cut off, or a firewall drops packets; an etcd that has just started answers nobody until a majority is up',
  },
  {
    code: 'connection-lost',
    pattern: /ECONNRESET|EPIPE|socket hang up|Socket closed|Connection dropped|closed|goaway|disconnected/i,
    message: 'closes the connection',
    next: 'see whether etcd is just starting or stopping (journalctl -u etcd)',
  },
];

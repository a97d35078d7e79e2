import type { Symptom } from './likely-cause.ts';
import { hostSymptoms } from './symptoms-host.ts';

/**
 * What kube-apiserver, kube-controller-manager and kube-scheduler 1.20 to 1.36 print when a start fails. Earlier entries
 * win: they are the more certain ones. The words are cobra's, component-base's, apiserver's and client-go's; from 1.23 on
 * they stand within `"command failed" err="…"`, where quotes are escaped.
 */
export const kubernetesSymptoms: readonly Symptom[] = [
  {
    code: 'unknown-flag',
    sign: /unknown (?:shorthand )?flag: (?:'\w' in )?(--?[\w-]+)/,
    why: 'this version of $program does not know the flag $1',
    next: 'Take it out of the `flags` of that program (`kubernetes:` in cluster.yaml) or out of a drop-in of the unit, or choose the version that knows it.',
  },
  {
    code: 'unknown-feature-gate',
    sign: /unrecognized feature gate: ([\w-]+)|cannot set feature gate ([\w-]+) to/,
    why: 'this version of $program does not know the feature gate $1, or does not let it be changed',
    next: 'Take it out of `feature-gates` in cluster.yaml: gates go some releases after what they guard is stable.',
  },
  {
    code: 'bad-value',
    sign: /invalid argument \\*"[^"]*\\*" for \\*"([^"\\]+)\\*" flag|invalid value \\*"[^"]*\\*" for flag -*([\w-]+)/,
    why: '$program does not accept the value of $1',
    next: 'Correct it among the `flags` of that program (`kubernetes:` in cluster.yaml); the journal says what is wrong with it.',
  },
  {
    code: 'unknown-admission-plugin',
    sign: /admission-plugins plugin \\*"([^"\\]+)\\*" is unknown|unknown admission plugin: (\S+)/,
    why: 'this version of kube-apiserver does not know the admission plugin $1',
    next: 'Take it out of the flags in cluster.yaml: PodSecurityPolicy left in 1.25, SecurityContextDeny in 1.30.',
  },
  {
    code: 'bad-encryption-configuration',
    sign: /error (?:while parsing|opening|reading) encryption provider config|encryption.?provider.?config.*(?:fail|invalid|error)/i,
    why: 'kube-apiserver cannot use its encryption configuration',
    next: 'See that pki/encryption-key/ is the one that the cluster was made with; never make a new key for stored Secrets.',
  },
  {
    code: 'bad-audit-policy',
    sign: /loading audit policy file: (?!failed to read)|(?:audit policy|invalid policy).*(?:invalid|failed decoding|strict decoding)/i,
    why: 'kube-apiserver cannot use the audit policy',
    next: 'Correct the file that `kubernetes.audit.policy` names; the journal says what is wrong with it.',
  },
  {
    code: 'bad-configuration-file',
    sign: /no kind \\*"(\w+)\\*" is registered|strict decoding error|found unknown field|error (?:decoding|loading).*[Cc]onfiguration/,
    why: 'this version of $program cannot read its configuration file ($1)',
    next: 'Its format goes with the version: run kbin again after correcting cluster.yaml; look for a drop-in with another --config.',
  },
  {
    code: 'bad-service-cidr',
    sign: /(service-cluster-ip-range.*?(?:too large|not a valid|must|invalid)|the service (?:cluster )?IP range.*)/i,
    why: 'kube-apiserver does not accept `kubernetes.serviceCidr` ($1)',
    next: 'Choose a range of at most 2^20 addresses in cluster.yaml (10.96.0.0/12, an IPv6 /108).',
  },
  {
    code: 'privileged-port',
    sign: /listen tcp (\S+): bind: permission denied/,
    why: 'a port below 1024 is for root alone, and $program does not run as root ($1)',
    next: 'Choose a port of 1024 or more in cluster.yaml; a balancer can still offer 443.',
  },
  hostSymptoms['port-taken'],
  hostSymptoms['address-missing'],
  hostSymptoms['wrong-architecture'],
  hostSymptoms['missing-library'],
  hostSymptoms['not-executable'],
  hostSymptoms['no-such-user'],
  hostSymptoms['bad-environment-file'],
  hostSymptoms['disk-full'],
  hostSymptoms['permission-denied'],
  hostSymptoms['missing-file'],
  {
    code: 'missing-file',
    sign: /stat (\S+): no such file or directory/,
    why: 'the file $1 is missing',
    next: 'Run kbin again: it brings what is missing. Look for a drop-in that names another path.',
  },
  {
    code: 'bad-certificate',
    sign: /private key does not match public key|failed to find any PEM data|data does not contain (?:a |any )?valid RSA or ECDSA|unable to load (?:server certificate|client CA)|error loading CA bundle|failed to parse service-account-issuer-key-file|error reading (?:public|private) key file|invalid authentication-config/i,
    why: 'a certificate, key or CA that $program was given cannot be used',
    next: 'Run `kbin pki list` and `kbin pki show` to see what each is; `kbin control-plane deploy` brings them anew.',
  },
  {
    code: 'etcd-refuses',
    sign: /(?:transport|grpc|etcd|createTransport).*(remote error: tls: [\w ]+|x509: [^"\\]+|bad certificate)/,
    why: 'etcd and kube-apiserver do not trust each other’s certificates ($1)',
    next: 'See that the etcd hosts were deployed from this pki/ folder: `kbin etcd status`, then `kbin etcd deploy`.',
  },
  {
    code: 'wrong-ca',
    sign: /x509: (certificate [^"\\]+|cannot validate [^"\\]+)|remote error: tls: ([\w ]+)/,
    why: 'a certificate does not come from the CA that is trusted there, or not for that address ($1)',
    next: 'Run `kbin pki list`; compare the clocks of the hosts; `kbin pki init` and a deploy bring what is missing.',
  },
  {
    code: 'not-authorized',
    sign: /(?:configmaps?|leases?|resource lock).*?(Unauthorized|is forbidden: User \\*"[^"\\]+)/,
    why: 'the apiserver does not let $program in ($1)',
    next: 'See that all apiservers have the same client CA, and whether somebody changed the RBAC roles of the system.',
  },
  hostSymptoms['out-of-memory'],
  {
    code: 'etcd-unreachable',
    sign: /(?:createTransport failed to connect|Error while dialing:? (?:dial )?tcp|error reading server preface|etcd.*(?:connection refused|unavailable)|storage backend|context deadline exceeded)/i,
    why: 'kube-apiserver does not reach etcd',
    next: 'See `kbin etcd status`, and that the client port of every etcd host is open to this one.',
  },
  {
    code: 'apiserver-unreachable',
    sign: /dial tcp (\S+): connect: (?:connection refused|no route)/,
    why: 'it does not reach the apiserver of its host ($1)',
    next: 'See `kbin control-plane status`; the apiserver has to be ready first.',
  },
  {
    code: 'leadership-lost',
    sign: /leaderelection lost|failed to renew lease/,
    why: 'it could not renew its lease in time and ended, as it should',
    next: 'See whether apiserver and etcd are overloaded: `kbin etcd health` shows how long answers take.',
  },
  {
    code: 'bad-setting',
    sign: /^(?:Error: |.*"command failed" err="\[?)(.{10,160})/,
    why: '$program refuses its settings: $1',
    next: 'Correct what it names under `kubernetes:` in cluster.yaml; a drop-in of the unit may say something else, too.',
  },
  {
    code: 'killed-by-timeout',
    sign: /start operation timed out/,
    why: 'it did not report being ready in time',
    next: 'See what its journal says it waits for; etcd has to answer first.',
  },
];

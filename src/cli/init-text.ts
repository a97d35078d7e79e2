import { isIpv6 } from '../cluster/address.ts';
import type { Role } from '../cluster/cluster.ts';
import { defaults } from '../cluster/defaults.ts';
import { type Layout, layouts } from '../cluster/layouts.ts';
import { sizeText } from '../cluster/quantity.ts';

/** What a new cluster.yaml is made of: every text has been read by the readers of src/cluster. */
export interface Answers {
  readonly name: string;
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string;
    readonly roles: readonly Role[];
  }[];
  readonly etcdVersion: string;
  readonly kubernetesVersion: string;
  readonly layout: Layout;
  readonly sshUser?: string;
  readonly sshKey?: string;
  readonly etcdSource?: string;
  readonly kubernetesSource?: string;
  readonly endpoint?: { readonly address: string; readonly port?: number };
}

/**
 * A cluster.yaml that explains itself: every setting there is, those that were not chosen commented out with their
 * default. Taking away any "# " in front of a key changes nothing (test/cli/init-text.test.ts).
 */
export function clusterYaml(answers: Answers): string {
  const sections = [head, hosts, ssh, etcd, kubernetes, endpoint, pki, paths];
  return `${sections.map((section) => section(answers)).join('\n\n')}\n`;
}

function head({ name }: Answers): string {
  return `# A Kubernetes cluster, as kbin is to build it. Commented settings show their defaults.
# "kbin plan" shows what a change of this file would do on the hosts.

# Names the cluster in etcd's cluster token and in kubeconfigs.
name: ${scalar(name)}`;
}

function hosts({ hosts }: Answers): string {
  const lines = hosts.map(
    ({ name, address, roles }) =>
      `  - { name: ${scalar(name)}, address: ${scalar(address)}, roles: [${roles.join(', ')}] }`,
  );
  return `# The address is the one that the hosts use among themselves. Roles: etcd, control-plane, worker, load-balancer.
# A host may also have "architecture: arm64", and an "ssh:" of its own with any setting of the section below, and with
# "host:" where SSH goes to another address than the cluster does:
#   - { name: far, address: 10.0.0.9, roles: [worker], architecture: arm64, ssh: { host: far.example.org, port: 2222 } }
hosts:
${lines.join('\n')}`;
}

function ssh({ sshUser, sshKey }: Answers): string {
  const { agent, connectTimeout, commandTimeout, keepAlive, parallel, maxClockSkew } = defaults.ssh;
  return `# What is not set here comes from ~/.ssh/config, then from OpenSSH's defaults.
ssh:
  # Anyone but root needs sudo.
  ${chosen('user', sshUser)}
  ${chosen('identityFile', sshKey)}
  # port:
  # A file with the passphrase of identityFile.
  # passphraseFile:
  # Use the keys of the agent at $SSH_AUTH_SOCK.
  # agent: ${agent}
  # [user@]host[:port], several with commas between.
  # jumpHost:
  # knownHosts:
  # A file with the password for sudo; also $KBIN_SUDO_PASSWORD, or kbin asks.
  # sudoPasswordFile:
  # connectTimeout: ${connectTimeout}s
  # commandTimeout: ${commandTimeout}s
  # keepAlive: ${keepAlive}s
  # How many hosts are worked on at once.
  # parallel: ${parallel}
  # How far clocks may be apart.
  # maxClockSkew: ${maxClockSkew}s`;
}

function etcd({ name, etcdVersion, etcdSource }: Answers): string {
  const d = defaults.etcd;
  return `etcd:
  # One minor version at a time, and never down.
  version: ${scalar(etcdVersion)}
  # A release tarball, a folder with the binaries, "download", or the address of a mirror. With a digest to check:
  # { path: etcd.tar.gz, sha256: … } or { url: https://mirror.example.org/etcd, sha512: … }
  ${etcdSource === undefined || etcdSource === 'download' ? '# source: download' : `source: ${scalar(etcdSource)}`}
  # user: ${d.user}
  # group: ${d.group}
  # clientPort: ${d.clientPort}
  # peerPort: ${d.peerPort}
  # Plain HTTP on loopback for metrics and /health, or off.
  # metricsUrl: ${d.metricsUrl}
  # Read once, when the cluster is made.
  # token: ${scalar(name)}
  # heartbeatInterval: ${d.heartbeatInterval}ms
  # At least 5 heartbeats; raise both where the network is slow.
  # electionTimeout: ${d.electionTimeout}ms
  # snapshotCount: ${d.snapshotCount}
  # quotaBackendBytes: ${sizeText(d.quotaBackendBytes)}
  # maxRequestBytes: ${sizeText(d.maxRequestBytes)}
  # History older than this is dropped: a duration, a number of revisions, or off.
  # autoCompaction: ${d.autoCompaction}
  # debug, info, warn or error.
  # logLevel: ${d.logLevel}
  # How kbin's own client gets to etcd: direct, or through ssh where the ports are closed to you.
  # reach: ${d.reach}
  # Any other setting of etcd by its variable, such as ETCD_MAX_SNAPSHOTS: "5".
  # environment: {}`;
}

function kubernetes({ hosts, kubernetesVersion, kubernetesSource }: Answers): string {
  const d = defaults.kubernetes;
  return `kubernetes:
  # Every apiserver before any controller-manager, one minor version at a time.
  version: ${scalar(kubernetesVersion)}
  # The server tarball, a folder with the binaries, "download", or a mirror; as for etcd.
  ${kubernetesSource === undefined || kubernetesSource === 'download' ? '# source: download' : `source: ${scalar(kubernetesSource)}`}
  # Outside of every network that the hosts know. The first address of serviceCidr is the apiservers'.
  ${subnet('serviceCidr', hosts)}
  # Each worker gets a piece of it: a /24, or a /64 of IPv6.
  ${subnet('podCidr', hosts)}
  # dnsDomain: ${d.dnsDomain}
  # apiserverPort: ${d.apiserverPort}
  # How long an apiserver that is told to stop goes on serving, so that a balancer notices first.
  # shutdownDelay: ${d.shutdownDelay}s
  # What lies encrypted in etcd, by secretbox, aesgcm or aescbc; "off" for nothing.
  # encryption: { provider: ${d.encryption.provider}, resources: [${d.encryption.resources.join(', ')}] }
  # The audit log, in days, files and megabytes; "policy" names a file with your own rules. "off" for none.
  # audit: { maxAge: ${d.audit.maxAge}, maxBackups: ${d.audit.maxBackups}, maxSize: ${d.audit.maxSize} }
  # The account that each runs as, and any other flag without its dashes, such as { v: 3, runtime-config: api/all=true }.
  # apiserver: { user: ${d.users['kube-apiserver']}, flags: {} }
  # controllerManager: { user: ${d.users['kube-controller-manager']}, flags: {} }
  # scheduler: { user: ${d.users['kube-scheduler']}, flags: {} }`;
}

/** Of the hosts' family: an apiserver whose address is IPv6 wants services that are. */
function subnet(key: 'serviceCidr' | 'podCidr', hosts: Answers['hosts']): string {
  const chosen = { serviceCidr: 'fd00:10:96::/112', podCidr: 'fd00:10:244::/56' }[key];
  return hosts.some(({ address }) => isIpv6(address))
    ? `${key}: ${chosen}`
    : `# ${key}: ${defaults.kubernetes[key]}`;
}

function endpoint({ endpoint }: Answers): string {
  const explanation = `# Where clients reach the apiservers: a virtual address, a load balancer or a DNS name. Its port is that of the
# apiservers, or ${defaults.endpoint.balancedPort} when kbin sets up the balancer (haproxy or nginx on the hosts with the role load-balancer).`;
  if (endpoint === undefined) {
    return `${explanation}
# endpoint: { address: 10.0.0.100, port: ${defaults.endpoint.balancedPort}, loadBalancer: haproxy, interface: eth0 }`;
  }
  const port =
    endpoint.port === undefined ? `# port: ${defaults.kubernetes.apiserverPort}` : `port: ${endpoint.port}`;
  return `${explanation}
endpoint:
  address: ${scalar(endpoint.address)}
  ${port}
  # loadBalancer:
  # interface:`;
}

function pki(_answers: Answers): string {
  const { key, validity } = defaults.pki;
  return `pki:
  # ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072 or rsa-4096.
  # key: ${key}
  # y (365 days), w, d or h. No certificate outlives its CA.
  # validity: { ca: ${validity.ca / 8760}y, leaf: ${validity.leaf / 8760}y, crl: ${validity.crl / 24}d }
  # Subject fields for every certificate: C, ST, L, O, OU.
  # subject: {}
  # Addresses and names of hosts to come, so that their arrival re-issues nothing.
  # reserve: []
  # CAs whose keys never go to hosts: [kubernetes-ca]. The cluster then signs no certificates for kubelets by itself.
  # offline: []
  # More names for one certificate: { apiserver: [api.example.org] }.
  # extraSans: {}`;
}

function paths({ layout }: Answers): string {
  const { units, etcd, kubernetes } = layouts[layout];
  return `# fhs: /etc/etcd, /usr/local/bin, /var/lib/etcd, /etc/kubernetes. opt: /opt/etcd and /opt/kubernetes. Each may be set by hand.
paths:
  layout: ${layout}
  # units: ${units}
  # etcd:
  #   bin: ${etcd.bin}
  #   config: ${etcd.config}
  #   tls: ${etcd.tls}
  #   data: ${etcd.data}
  #   wal: # a folder of its own for the write-ahead log
  # kubernetes:
  #   bin: ${kubernetes.bin}
  #   config: ${kubernetes.config}
  #   tls: ${kubernetes.tls}
  #   audit: ${kubernetes.audit}`;
}

function chosen(key: string, value: string | undefined): string {
  return value === undefined ? `# ${key}:` : `${key}: ${scalar(value)}`;
}

/** Plain where YAML takes it for nothing else, in blocks and in `{ … }`; quoted otherwise. */
function scalar(text: string): string {
  return /^[A-Za-z0-9/~.][A-Za-z0-9/~._@+-]*$/.test(text) && text !== '~' && text !== 'null'
    ? text
    : JSON.stringify(text);
}

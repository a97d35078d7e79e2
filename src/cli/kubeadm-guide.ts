import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { controlPlaneEndpoint, filesInFlags, kubeadmPaths } from '../desired/kubeadm.ts';
import { quoteArgv } from '../remote/quote.ts';

/** INSTALL.md for somebody who lets kubeadm do the rest; Markdown. `hash`: of the CA, for `kubeadm join`. */
export function kubeadmGuide(cluster: Cluster, host: ClusterHost, hash: string): string {
  const [first, ...others] = hostsWithRole(cluster, 'control-plane');
  const isFirst = host === first;
  return [
    `# ${host.name}: the control plane by kubeadm`,
    '',
    `Cluster ${cluster.name}, host ${host.name} (${host.address}), Kubernetes ${cluster.kubernetes.version}. etcd is kbin's and has to be healthy`,
    '(`kbin etcd deploy`, `kbin etcd health`). The host needs a container runtime, and kubelet, kubeadm and kubectl of that',
    'version. Copy this folder to the host and run the commands below in it, as root. The folder holds private keys, those',
    'of the CAs too: remove it from the host, and here, when you are done.',
    '',
    ...section('1. Certificates and configuration', [
      command('install', '-d', '-m', '0755', '-o', 'root', '-g', 'root', kubeadmPaths.configuration),
      'cp -R --preserve=mode,timestamps --no-target-directory etc/kubernetes /etc/kubernetes',
      'chown -R root:root /etc/kubernetes',
      'chmod 0755 /etc/kubernetes /etc/kubernetes/pki /etc/kubernetes/pki/etcd',
      ...(hasOwnFiles(cluster) ? ['chmod 0700 /etc/kubernetes/kbin'] : []),
    ]),
    'kubeadm uses what it finds there; it says so, and changes nothing:',
    '',
    ...block([command('kubeadm', 'init', 'phase', 'certs', 'all', '--config', 'kubeadm-config.yaml')]),
    ...(isFirst ? initialised(cluster, others) : joined(cluster, host, first, hash)),
    ...afterwards(cluster),
  ].join('\n');
}

function initialised(cluster: Cluster, others: readonly ClusterHost[]): string[] {
  return [
    ...section('2. Start', [
      command('kubeadm', 'init', '--config', 'kubeadm-config.yaml'),
      ...(others.length > 0 ? [command('kubeadm', 'token', 'create')] : []),
    ]),
    ...(others.length > 0
      ? [
          `The token is for the other hosts (${others.map(({ name }) => name).join(', ')}), where INSTALL.md goes on with it. They join at`,
          `${controlPlaneEndpoint(cluster)}${cluster.endpoint === undefined ? ', since cluster.yaml has no `endpoint`: while that host is down, nobody can join' : ''}.`,
          '',
        ]
      : []),
    "The apiserver's client for kubelets is in no group, unlike kubeadm's own: `kubectl logs` and `exec` work once it is bound",
    'to its role.',
    '',
    ...block([
      command(
        'kubectl',
        '--kubeconfig',
        `${kubeadmPaths.configuration}/admin.conf`,
        'apply',
        '-f',
        'objects.json',
      ),
    ]),
  ];
}

function joined(cluster: Cluster, host: ClusterHost, first: ClusterHost | undefined, hash: string): string[] {
  const join = [
    ...['kubeadm', 'join', controlPlaneEndpoint(cluster), '--control-plane'],
    ...['--node-name', host.name, '--apiserver-advertise-address', host.address],
    ...['--apiserver-bind-port', String(cluster.kubernetes.apiserverPort)],
    ...['--discovery-token-ca-cert-hash', hash],
  ];
  return [
    `When \`kubeadm init\` is done on ${first?.name}, with the token that \`kubeadm token create\` prints there:`,
    '',
    ...section('2. Join', [`${command(...join)} --token "$TOKEN"`]),
  ];
}

function afterwards(cluster: Cluster): string[] {
  const files = filesInFlags(cluster);
  return [
    '## What is whose from then on',
    '',
    "- kubeadm replaces kbin's kube-apiserver, kube-controller-manager and kube-scheduler: take `kubernetes.version` out of",
    '  cluster.yaml, and kbin looks after etcd alone. Never run `kbin control-plane deploy` on such hosts (`kbin plan` would',
    '  stop it: `static-pod`).',
    "- `kubeadm certs renew` renews all but `apiserver-etcd-client`, whose CA is kbin's: `kbin pki list` tells when it ends,",
    '  and it is rendered anew.',
    '- Keep the pki folder: the CA keys on the hosts are copies of those in it.',
    ...(files.length > 0
      ? [
          '- These flags name files, which a static pod sees only with an `extraVolumes` entry of its own in kubeadm-config.yaml:',
          ...files.map((flag) => `  \`${flag}\``),
        ]
      : []),
    '',
  ];
}

function hasOwnFiles({ kubernetes }: Cluster): boolean {
  return kubernetes.encryption !== undefined || kubernetes.audit !== undefined;
}

function section(title: string, lines: readonly string[]): string[] {
  return [`## ${title}`, '', ...block(lines)];
}

function block(lines: readonly string[]): string[] {
  return ['```sh', ...lines, '```', ''];
}

function command(...argv: readonly string[]): string {
  return quoteArgv(argv);
}

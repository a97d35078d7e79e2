import type { Command } from 'commander';

/** What `--help` of a command shows last. By the command's path; one line each, as it is typed. */
const examples: Readonly<Record<string, readonly string[]>> = {
  'kbin pki': ['kbin pki init', 'kbin pki list', 'kbin pki show apiserver'],
  'kbin pki init': ['kbin pki init --dry-run', 'kbin pki init', 'kbin pki init --encrypt-ca-keys'],
  'kbin pki passphrase': [
    'kbin pki passphrase',
    'kbin pki passphrase --passphrase-file old.txt --new-passphrase-file new.txt',
    'kbin pki passphrase --remove',
  ],
  'kbin pki renew': [
    'kbin pki renew --within 90d --dry-run',
    'kbin pki renew --within 90d --deploy',
    'kbin pki renew etcd-server etcd-peer@k8s-master1',
    'kbin pki renew kubernetes-ca --same-key',
  ],
  'kbin pki list': [
    'kbin pki list',
    "kbin pki list --json | jq -r '.[] | select(.certificate.daysLeft < 90).name'",
  ],
  'kbin pki check': [
    'kbin pki check',
    'kbin pki check --within 90d --junit certificates.xml',
    'kbin pki check --no-hosts',
    'kbin pki check /etc/kubernetes/pki ~/.kube/config',
  ],
  'kbin pki show': [
    'kbin pki show etcd-server@k8s-master1',
    'kbin pki show /etc/kubernetes/pki/apiserver.crt --json',
    'kbin pki show 10.0.0.1:6443',
    'kubectl get secret -A -o yaml | kbin pki show -',
  ],
  'kbin pki revoke': [
    'kbin pki revoke etcd-peer@k8s-master3 --reason keyCompromise',
    'kbin pki revoke jane.crt --reason affiliationChanged',
    'kbin pki revoke 5A:01:7F --authority etcd-ca',
  ],
  'kbin pki crl': ['kbin pki crl', 'kbin pki crl etcd-ca'],
  'kbin pki adopt': [
    'kbin pki adopt --dry-run /etc/kubernetes',
    'kbin pki adopt /opt/etcd/ssl /opt/kubernetes/ssl --as service-account=/opt/kubernetes/ssl/ca-key.pem',
    'kbin pki adopt etcd-ca.pem issuing.pem root.pem',
  ],
  'kbin pki csr': [
    'kbin pki csr etcd-ca -o etcd-ca.csr',
    'kbin pki csr apiserver -o requests/',
    'kbin pki csr --all -o requests/',
  ],
  'kbin pki sign': [
    'kbin pki sign ingress.csr --profile server',
    'kbin pki sign *.csr --profile client --valid 30d -o signed/ --yes',
  ],
  'kbin pki rotate': [
    'kbin pki rotate etcd-ca',
    'kbin pki rotate status',
    'kbin pki rotate kubernetes-ca --nodes-ready issue --drop-unexpired issue',
    'kbin pki rotate front-proxy-ca --all',
    'kbin pki rotate service-account --drop-tokens',
    'kbin pki rotate encryption-key --all',
  ],
  'kbin pki rotate status': [
    'kbin pki rotate status',
    "kbin pki rotate status etcd-ca --json | jq -r '.[].hosts[] | select(.proven | not).host'",
  ],
  'kbin pki export': [
    'kbin pki export apiserver-etcd-client -o client.pem',
    'kbin pki export admin --format pkcs12 -o admin.p12',
    'kbin pki export k8s-master1 --format kubeadm -o pki-master1/',
  ],
  'kbin plan': ['kbin plan', 'kbin plan --diff', 'kbin plan --exit-code --json >drift.json'],
  'kbin render': [
    'kbin render -o files/',
    'kbin -c staging.yaml render -o staging-files/',
    'kbin render --for kubeadm -o kubeadm/',
  ],
  'kbin etcd': ['kbin etcd deploy', 'kbin etcd status', 'kbin etcd health'],
  'kbin etcd deploy': [
    'kbin etcd deploy --dry-run',
    'kbin etcd deploy --accept-new-host-keys',
    'kbin etcd deploy --skip-host k8s-master3',
  ],
  'kbin etcd status': [
    'kbin etcd status',
    'kbin etcd status --endpoints https://10.0.0.1:2379 --cacert ca.pem --cert client.pem --key client-key.pem',
  ],
  'kbin etcd health': [
    'kbin etcd health',
    'kbin etcd health --json | jq \'.checks[] | select(.status != "pass")\'',
  ],
  'kbin kubeconfig': [
    'kbin kubeconfig admin -o ~/.kube/prod',
    'kbin kubeconfig jane --group developers --group on-call --valid 8h -o jane.conf',
  ],
  'kbin control-plane': ['kbin control-plane deploy', 'kbin control-plane status'],
  'kbin control-plane deploy': [
    'kbin control-plane deploy --dry-run',
    'kbin control-plane deploy',
    'kbin control-plane deploy --skip-host k8s-master3',
  ],
  'kbin control-plane status': [
    'kbin control-plane status',
    'kbin control-plane status --json | jq \'.checks[] | select(.status != "pass")\'',
  ],
  'kbin verify': [
    'kbin verify',
    'kbin verify --junit verify.xml',
    'kbin verify --endpoints https://10.0.0.1:2379,https://10.0.0.2:2379 --cacert ca.pem --cert client.pem --key client-key.pem',
  ],
  'kbin cfssl': [
    'kbin cfssl gencert -initca ca-csr.json | cfssljson -bare ca',
    'kbin cfssl gencert -ca ca.pem -ca-key ca-key.pem -config ca-config.json -profile www --bare www www-csr.json',
  ],
  'kbin cfssl gencert': [
    'kbin cfssl gencert -initca --bare ca ca-csr.json',
    'kbin cfssl gencert -ca ca.pem -ca-key ca-key.pem -config ca-config.json -profile www www.json | cfssljson -bare www',
    'kbin cfssl gencert -renewca -ca ca.pem -ca-key ca-key.pem | cfssljson -bare ca-renewed',
  ],
  'kbin cfssl gencsr': ['kbin cfssl gencsr -key www-key.pem www-csr.json | cfssljson -bare www'],
  'kbin cfssl genkey': ['kbin cfssl genkey www-csr.json | cfssljson -bare www'],
  'kbin cfssl sign': [
    'kbin cfssl sign -ca ca.pem -ca-key ca-key.pem -config ca-config.json -profile www www.csr | cfssljson -bare www',
  ],
  'kbin cfssl selfsign': ['kbin cfssl selfsign example.net csr.json | cfssljson -bare try'],
  'kbin cfssl certinfo': ['kbin cfssl certinfo -cert www.pem', 'kbin cfssl certinfo -csr www.csr'],
  'kbin cfssl bundle': ['kbin cfssl bundle -cert www.pem -ca-bundle ca.pem -int-bundle intermediates.pem'],
  'kbin cfssl gencrl': ['kbin cfssl gencrl serials.txt ca.pem ca-key.pem | base64 -d >ca.crl'],
  'kbin cfssl print-defaults': [
    'kbin cfssl print-defaults config >ca-config.json',
    'kbin cfssl print-defaults csr >ca-csr.json',
  ],
  'kbin cfssl version': ['kbin cfssl version'],
};

/** Gives each command of the tree its examples. */
export function addExamples(command: Command, path: string = command.name()): void {
  const lines = examples[path];
  if (lines !== undefined) {
    command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
  }
  for (const child of command.commands) addExamples(child, `${path} ${child.name()}`);
}

/** For the test that every path here is a command. */
export const examplePaths = Object.keys(examples);

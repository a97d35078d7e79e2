import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { httpsUrl } from './components/etcd-urls.ts';
import type { Part, SecretPart } from './desired.ts';

/** What a kubeconfig says (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/); certificates are PEM. */
export interface Kubeconfig {
  readonly clusterName: string;
  readonly server: string;
  readonly ca: string;
  readonly user: string;
  readonly certificate: string;
}

/** The text in parts, for a key that is in the store. */
export function kubeconfigParts({
  key,
  ...kubeconfig
}: Kubeconfig & { readonly key: SecretPart }): readonly Part[] {
  const [before, after] = frame(kubeconfig);
  return [before, { ...key, as: 'base64' }, after];
}

/** The text, for a key in hand (PEM). */
export function kubeconfigText({ key, ...kubeconfig }: Kubeconfig & { readonly key: string }): string {
  return frame(kubeconfig).join(base64(key));
}

/** The apiserver of that host, as others and the host itself reach it. */
export function apiserverUrl(cluster: Cluster, host: ClusterHost): string {
  return httpsUrl(host.address, cluster.kubernetes.apiserverPort);
}

/** Where people reach the API: the endpoint, else the first control-plane host. undefined: there is neither. */
export function endpointUrl(cluster: Cluster): string | undefined {
  const { endpoint } = cluster;
  if (endpoint !== undefined) return httpsUrl(endpoint.address, endpoint.port);
  const [host] = hostsWithRole(cluster, 'control-plane');
  return host === undefined ? undefined : apiserverUrl(cluster, host);
}

/** What stands before the key's base64, and after it. JSON strings are YAML strings. */
function frame({ clusterName, server, ca, user, certificate }: Kubeconfig): [string, string] {
  const context = JSON.stringify(`${user}@${clusterName}`);
  const cluster = JSON.stringify(clusterName);
  const name = JSON.stringify(user);
  const before = `apiVersion: v1
kind: Config
clusters:
  - name: ${cluster}
    cluster:
      server: ${JSON.stringify(server)}
      certificate-authority-data: ${base64(ca)}
users:
  - name: ${name}
    user:
      client-certificate-data: ${base64(certificate)}
      client-key-data: `;
  const after = `
contexts:
  - name: ${context}
    context:
      cluster: ${cluster}
      user: ${name}
current-context: ${context}
`;
  return [before, after];
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

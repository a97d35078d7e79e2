import { createHash, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { openStore, type Store } from '../ca/store.ts';
import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { compose } from '../desired/compose.ts';
import { desire, requireCertificates } from '../desired/desire.ts';
import type { DesiredComponent, DesiredHost } from '../desired/desired.ts';
import { pemOf, trustedPem } from '../desired/from-store.ts';
import { controlPlaneEndpoint, kubeadmConfiguration, kubeadmPaths } from '../desired/kubeadm.ts';
import { apiserverUrl, kubeconfigParts } from '../desired/kubeconfig.ts';
import { desiredObjects } from '../desired/objects.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { CliContext } from './context.ts';
import { kubeadmGuide } from './kubeadm-guide.ts';
import { keylessAuthorities, kubeadmTree } from './kubeadm-tree.ts';
import { passphraseOf } from './passphrase.ts';
import type { RenderOptions } from './render.ts';
import { type RenderedFile, writeRendered } from './render-folder.ts';
import { reportRendered, warnOfSettings } from './render-hosts.ts';

/** `kbin render --for kubeadm`: what kubeadm needs to go on from kbin's etcd and certificates. */
export async function renderKubeadm(context: CliContext, options: RenderOptions): Promise<void> {
  const { io } = context;
  const cluster = await context.cluster();
  refuseWithout(cluster);
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  requireCertificates(cluster, store.view());
  refuseKeyless(cluster, store);
  warnOfSettings(io, cluster);
  const hosts = hostsWithRole(cluster, 'control-plane');
  const rendered = await Promise.all(
    hosts.map(async (host) => ({ host, files: await filesOf(cluster, host, store) })),
  );
  const folder = resolve(io.cwd, options.output);
  writeRendered(
    folder,
    rendered.flatMap(({ files }) => files),
  );
  reportRendered(context, folder, rendered);
}

function refuseWithout(cluster: Cluster): void {
  const missing =
    cluster.kubernetes.version === undefined
      ? 'no version of Kubernetes: set `kubernetes: {version: …}`'
      : (['etcd', 'control-plane'] as const).flatMap((role) =>
          hostsWithRole(cluster, role).length === 0 ? [`no host with the role ${role}`] : [],
        )[0];
  if (missing === undefined) return;
  throw new KbinError('there is nothing to hand over to kubeadm', {
    step: 'read cluster.yaml',
    why: `it has ${missing}`,
    next: 'complete cluster.yaml and run the command again',
    exit: exitCode.usage,
  });
}

/** Of the other CAs kubeadm only needs what they have signed already. */
function refuseKeyless(cluster: Cluster, store: Store): void {
  if (!keylessAuthorities(cluster, store).includes('kubernetes-ca')) return;
  throw new KbinError('kubeadm needs the key of kubernetes-ca', {
    step: 'certificate store',
    why: `it signs for the kubelets of the control plane's hosts with it, and the key ${cluster.pki.offline.includes('kubernetes-ca') ? 'is kept from hosts (pki.offline of cluster.yaml)' : `is not in ${store.folder}`}`,
    next: 'put it here for the while, and take it out of pki.offline; or let kbin bring the control plane: kbin control-plane deploy',
  });
}

async function filesOf(cluster: Cluster, host: ClusterHost, store: Store): Promise<RenderedFile[]> {
  const view = store.view();
  const desired = desire(cluster, host, { store: view });
  const at = (path: string, mode: number, bytes: string | Uint8Array): RenderedFile => ({
    path: `${host.name}${path}`,
    mode,
    bytes: Buffer.from(bytes),
  });
  const tree = await kubeadmTree(cluster, store, host, 'external');
  const isFirst = hostsWithRole(cluster, 'control-plane')[0] === host;
  return [
    at('/INSTALL.md', 0o644, kubeadmGuide(cluster, host, discoveryHash(pemOf(view, 'kubernetes-ca')))),
    at('/kubeadm-config.yaml', 0o644, configurationText(cluster, host, desired)),
    ...(isFirst ? [at('/objects.json', 0o644, bindingText(cluster))] : []),
    ...tree.map(({ path, mode, bytes }) => at(`${kubeadmPaths.certificates}/${path}`, mode, bytes)),
    ...(await kubeconfigs(cluster, host, store)).map(([name, bytes]) =>
      at(`${kubeadmPaths.configuration}/${name}`, 0o600, bytes),
    ),
    ...(await extraFiles(desired, store)).map(([path, mode, bytes]) => at(path, mode, bytes)),
  ];
}

/** Components go to the apiserver of their host, people to the endpoint: as kubeadm would have it. */
function kubeconfigs(
  cluster: Cluster,
  host: ClusterHost,
  store: Store,
): Promise<readonly (readonly [string, Uint8Array])[]> {
  const view = store.view();
  const own = apiserverUrl(cluster, host);
  const all = [
    ['admin.conf', 'kubernetes-admin', 'admin', `https://${controlPlaneEndpoint(cluster)}`],
    ['controller-manager.conf', 'system:kube-controller-manager', 'controller-manager', own],
    ['scheduler.conf', 'system:kube-scheduler', 'scheduler', own],
  ] as const;
  return Promise.all(
    all.map(async ([name, user, id, server]) => {
      const key = view.key(id);
      if (key === undefined) throw new Error(`no key ${id} in the store`);
      const parts = kubeconfigParts({
        clusterName: cluster.name,
        server,
        ca: trustedPem(view, 'kubernetes-ca'),
        user,
        certificate: pemOf(view, id),
        key: { ...key, as: 'base64' },
      });
      return [name, await compose(parts, (ref) => store.readSecret(ref))] as const;
    }),
  );
}

/** What the apiserver's further flags name. */
async function extraFiles(
  { components }: DesiredHost,
  store: Store,
): Promise<readonly (readonly [path: string, mode: number, bytes: string | Uint8Array])[]> {
  const apiserver = components.find(({ name }) => name === 'kube-apiserver');
  const encryption = contentOf(apiserver, 'encryption.yaml');
  const policy = contentOf(apiserver, 'audit-policy.yaml');
  return [
    ...(encryption?.kind === 'composed'
      ? [
          [
            kubeadmPaths.encryption,
            0o600,
            await compose(encryption.parts, (ref) => store.readSecret(ref)),
          ] as const,
        ]
      : []),
    ...(policy?.kind === 'text' ? [[kubeadmPaths.auditPolicy, 0o644, policy.text] as const] : []),
  ];
}

function contentOf(component: DesiredComponent | undefined, name: string) {
  const files = [
    ...(component?.files ?? []),
    ...(component?.bundles.flatMap((bundle) => bundle.files) ?? []),
  ];
  return files.find(({ path }) => path === name || path.endsWith(`/${name}`))?.content;
}

function configurationText(cluster: Cluster, host: ClusterHost, { components }: DesiredHost): string {
  const argv = new Map(components.map(({ name, unit }) => [name, unit.process.argv]));
  return kubeadmConfiguration({ cluster, host, argv })
    .map((document) => stringify(document, { lineWidth: 0 }))
    .join('---\n');
}

/** kubeadm makes the objects for bootstrap itself; our client for kubelets is in no group, and needs its own. */
function bindingText(cluster: Cluster): string {
  const items = desiredObjects(cluster).filter(({ metadata }) =>
    metadata.name.endsWith(':kube-apiserver-to-kubelet'),
  );
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`;
}

/** As `--discovery-token-ca-cert-hash` has it: of the CA's public key. */
function discoveryHash(ca: string): string {
  const key = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

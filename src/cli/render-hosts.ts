import { resolve } from 'node:path';
import { openStore, type Store } from '../ca/store.ts';
import type { Cluster, ClusterHost } from '../cluster/cluster.ts';
import { checkEtcdEnvironment } from '../desired/components/etcd-environment.ts';
import { checkKubernetesFlags } from '../desired/components/kube-overrides.ts';
import { compose } from '../desired/compose.ts';
import { componentsOf, desire, requireCertificates } from '../desired/desire.ts';
import { bundleTarget, type DesiredComponent, type DesiredFile } from '../desired/desired.ts';
import { desiredObjects } from '../desired/objects.ts';
import type { CliContext } from './context.ts';
import { installGuide, objectsFile, writesObjects } from './install-guide.ts';
import type { Io } from './io.ts';
import { printJson, printTable, printWarning } from './output.ts';
import { passphraseOf } from './passphrase.ts';
import type { RenderOptions } from './render.ts';
import { type RenderedFile, writeRendered } from './render-folder.ts';

export async function renderHosts(context: CliContext, options: RenderOptions): Promise<void> {
  const { io } = context;
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const view = store.view();
  requireCertificates(cluster, view);
  warnOfSettings(io, cluster);
  const hosts = cluster.hosts.filter((host) => componentsOf(cluster, host).length > 0);
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

interface RenderedHost {
  readonly host: ClusterHost;
  readonly files: readonly RenderedFile[];
}

/** What was written where, as a table. */
export function reportRendered(
  { io, json }: CliContext,
  folder: string,
  rendered: readonly RenderedHost[],
): void {
  const report = rendered.map(({ host, files }) => ({
    host: host.name,
    folder: `${folder}/${host.name}`,
    files: files.map(({ path, mode, link }) => ({
      path: path.slice(host.name.length),
      ...(link === undefined ? { mode: mode.toString(8).padStart(4, '0') } : { link }),
    })),
  }));
  if (json) {
    printJson(io, report);
    return;
  }
  printTable(
    io,
    ['host', 'files', 'folder'],
    report.map((entry) => [entry.host, entry.files.length, entry.folder]),
  );
  io.err('how to install them is in INSTALL.md of each host; the folder holds private keys\n');
}

/** Settings that the chosen releases do not have. */
export function warnOfSettings(io: Io, cluster: Cluster): void {
  for (const { variable, why } of checkEtcdEnvironment(cluster.etcd).unknown) {
    printWarning(io, `etcd.environment sets ${variable}, which does nothing: ${why}`);
  }
  if (cluster.kubernetes.version === undefined) return;
  for (const { component, flag, why } of checkKubernetesFlags(cluster).unknown) {
    printWarning(io, `${flag} is set for ${component}, and left out: ${why}`);
  }
}

/** Paths are below the output folder. */
async function filesOf(cluster: Cluster, host: ClusterHost, store: Store): Promise<RenderedFile[]> {
  const desired = desire(cluster, host, { store: store.view() });
  const guide: RenderedFile = {
    path: `${host.name}/INSTALL.md`,
    mode: 0o644,
    bytes: Buffer.from(installGuide(cluster, host, desired)),
  };
  const files = await Promise.all(
    desired.components.flatMap((component) => componentFiles(component, host.name, store)),
  );
  return [guide, ...(writesObjects(cluster, host) ? [objects(cluster, host)] : []), ...files];
}

/** For `kubectl apply -f`: JSON is YAML. */
function objects(cluster: Cluster, host: ClusterHost): RenderedFile {
  const list = { apiVersion: 'v1', kind: 'List', items: desiredObjects(cluster) };
  return {
    path: `${host.name}/${objectsFile}`,
    mode: 0o644,
    bytes: Buffer.from(`${JSON.stringify(list, undefined, 2)}\n`),
  };
}

function componentFiles(
  component: DesiredComponent,
  host: string,
  store: Store,
): (RenderedFile | Promise<RenderedFile>)[] {
  return [
    ...component.files.map((file) => rendered(`${host}${file.path}`, file, store)),
    ...component.bundles.flatMap((bundle) => {
      const target = bundleTarget(bundle);
      return [
        ...bundle.files.map((file) => rendered(`${host}${target}/${file.path}`, file, store)),
        { path: `${host}${bundle.path}`, mode: 0o777, link: target.slice(target.lastIndexOf('/') + 1) },
      ];
    }),
  ];
}

async function rendered(path: string, { content, mode }: DesiredFile, store: Store): Promise<RenderedFile> {
  if (content.kind === 'text') return { path, mode, bytes: Buffer.from(content.text) };
  if (content.kind === 'bytes') return { path, mode, bytes: Buffer.from(content.base64, 'base64') };
  if (content.kind === 'secret') return { path, mode, bytes: await store.readSecret(content.ref) };
  if (content.kind === 'composed') {
    return { path, mode, bytes: await compose(content.parts, (ref) => store.readSecret(ref)) };
  }
  throw new Error(`${path}: binaries are not rendered`);
}

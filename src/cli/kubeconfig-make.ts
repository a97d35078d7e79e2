import { resolve } from 'node:path';
import { inspectPem } from '../ca/inspect.ts';
import { issuedFrom, recordIssued } from '../ca/issued.ts';
import { issueOneOff } from '../ca/one-off.ts';
import { openStore, type Store } from '../ca/store.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { terms } from '../desired/certificates.ts';
import { endpointUrl, kubeconfigText } from '../desired/kubeconfig.ts';
import { KbinError } from '../errors.ts';
import type { CliContext } from './context.ts';
import type { KubeconfigOptions } from './kubeconfig.ts';
import { marked, writeKubeconfig } from './kubeconfig-file.ts';
import { allPowerful, type Person, readRequest } from './kubeconfig-request.ts';
import { serverOf, uncertified } from './kubeconfig-server.ts';
import { printJson, printWarning } from './output.ts';
import { passphraseOf } from './passphrase.ts';

/** Who is let in by a kubeconfig, and with what. */
interface Credentials {
  readonly user: string;
  readonly groups: readonly string[];
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly notAfter: Date;
  readonly clamped: boolean;
}

export async function makeKubeconfig(
  context: CliContext,
  name: string,
  options: KubeconfigOptions,
): Promise<void> {
  const { io } = context;
  const request = readRequest(name, options);
  const cluster = await context.cluster();
  const server = serverOf(cluster, options.server);
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const ca = authorityOf(store);
  const credentials = request === 'admin' ? await ofThePlan(store) : await onTheSpot(cluster, store, request);
  if (request !== 'admin') await record(context, store, credentials);
  const { user, certificate, key, notAfter, groups } = credentials;
  const plain = kubeconfigText({ clusterName: cluster.name, server, ca, user, certificate, key });
  const text = marked(plain, `${user}, valid until ${notAfter.toISOString()}`);
  const file = options.output === undefined ? undefined : resolve(io.cwd, options.output);
  if (file !== undefined) writeKubeconfig(file, text, options.force === true);
  const result = { user, groups, server, notAfter, clamped: credentials.clamped };
  if (context.json) printJson(io, { ...result, ...(file === undefined ? { kubeconfig: text } : { file }) });
  else if (file === undefined) io.out(text);
  else
    io.out(
      `wrote ${file}: ${user}${groupText(groups)} at ${server}, valid until ${notAfter.toISOString()}\n`,
    );
  warn(context, { cluster, credentials, server, isPlans: request === 'admin' });
}

/** PEM of what the kubeconfig's user believes. */
function authorityOf(store: Store): string {
  const trusted = store.view().trusted('kubernetes-ca');
  if (trusted !== undefined) return trusted;
  throw new KbinError('the certificate store lacks kubernetes-ca', {
    step: 'read the certificate store',
    why: `there is no such certificate in ${store.folder}`,
    next: 'run `kbin pki init`',
  });
}

async function onTheSpot(
  cluster: Cluster,
  store: Store,
  { name, groups, validityHours }: Person,
): Promise<Credentials> {
  const { key, usages } = terms(cluster, 'client');
  const subject = [
    ...groups.map((value) => ({ type: 'O', value }) as const),
    { type: 'CN', value: name } as const,
  ];
  const request = { subject, usages, validityHours, key, now: new Date() };
  const { pem, keyPem, notAfter, clamped } = await issueOneOff(store, 'kubernetes-ca', request);
  return { user: name, groups, certificate: pem, key: keyPem, notAfter, clamped };
}

/** So that it can be found again: before its key leaves the process. A store that cannot be written is no reason to fail. */
async function record({ io }: CliContext, store: Store, { certificate }: Credentials): Promise<void> {
  const issued = {
    authority: 'kubernetes-ca',
    purpose: 'kubeconfig',
    ...issuedFrom(certificate),
    issuedAt: new Date(),
  };
  try {
    await recordIssued(store, issued, {
      command: 'kbin kubeconfig',
      patience: 10_000,
      onWait: (holder) => io.err(`waiting for ${holder}\n`),
    });
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    const why = error.details.why === undefined ? '' : ` (${error.details.why})`;
    printWarning(io, `not on the record of what kubernetes-ca issued: ${error.message}${why}`);
  }
}

async function ofThePlan(store: Store): Promise<Credentials> {
  const view = store.view();
  const [certificate, key] = [view.certificate('admin'), view.key('admin')];
  const info = certificate === undefined ? undefined : inspectPem(certificate.pem, certificate.ref)[0];
  if (certificate === undefined || key === undefined || info === undefined) {
    throw new KbinError('the certificate store lacks admin', {
      step: 'read the certificate store',
      next: 'run `kbin pki init`: it makes what is missing, or says what keeps it from that',
    });
  }
  const fieldsOf = (type: string): string[] =>
    info.subjectFields.filter((field) => field.type === type).map(({ value }) => value);
  return {
    user: fieldsOf('CN')[0] ?? 'admin',
    groups: fieldsOf('O'),
    certificate: certificate.pem,
    key: Buffer.from(await store.readSecret(key.ref)).toString('utf8'),
    notAfter: info.notAfter,
    clamped: false,
  };
}

const groupText = (groups: readonly string[]): string =>
  groups.length === 0 ? '' : ` (${groups.join(', ')})`;

interface Made {
  readonly cluster: Cluster;
  readonly credentials: Credentials;
  readonly server: string;
  /** The administrator's of the plan, who is known to be all-powerful. */
  readonly isPlans: boolean;
}

function warn({ io }: CliContext, { cluster, credentials, server, isPlans }: Made): void {
  const { user, groups, clamped, notAfter } = credentials;
  if (clamped) {
    printWarning(io, `shorter than asked for: ${user} ends with kubernetes-ca, ${notAfter.toISOString()}`);
  }
  if (groups.includes(allPowerful) && !isPlans) {
    printWarning(
      io,
      `${allPowerful} may do anything, whatever RBAC says, and nobody can take that back before it ends`,
    );
  }
  const controlPlane = hostsWithRole(cluster, 'control-plane').length;
  if (server === endpointUrl(cluster) && cluster.endpoint === undefined && controlPlane > 1) {
    printWarning(
      io,
      `${server} is one of ${controlPlane} apiservers, and of no use while it is down: an endpoint in cluster.yaml or --server names what stands before them all`,
    );
  }
  const name = uncertified(cluster, server);
  if (name === undefined) return;
  printWarning(
    io,
    `no apiserver has a certificate for ${name}: add it to cluster.yaml (pki: { extraSans: { apiserver: ["${name}"] } }), then "kbin pki init"`,
  );
}

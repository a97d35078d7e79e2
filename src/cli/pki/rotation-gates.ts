import { X509Certificate } from 'node:crypto';
import { inspectPem } from '../../ca/inspect.ts';
import { type IssuedCertificate, issuedBy } from '../../ca/issued.ts';
import { issue, trust } from '../../ca/rotate-authority.ts';
import { atRest } from '../../ca/rotation.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { pemOf } from '../../desired/from-store.ts';
import { KbinError } from '../../errors.ts';
import type { ApiClient } from '../../health/api-client.ts';
import { withReadyApiservers } from './rotation-api.ts';
import { comingCa, few, isPublished, requirePublished } from './rotation-published.ts';
import type { Gate, RotationRun } from './rotations.ts';

/** Throws where something still depends on what the next phase takes away. */
export async function refuseLeaving(id: string, run: RotationRun, phase: number): Promise<void> {
  if (phase === atRest) return;
  refuseHandedOut(id, run, phase);
  if (!isPublished(id, run)) return;
  await withReadyApiservers(run, async ([client]) => {
    await requirePublished(client, id, run, phase);
    if (id === 'kubernetes-ca' && run.allow.nodesReady !== gateOf(phase)) await refuseNodes(client, phase);
  });
}

const gateOf = (phase: number): Gate => (phase === trust ? 'issue' : 'end');

/** Minutes that kbin dates a certificate back, so that a host whose clock is behind accepts it. */
const backdated = 5;

function refuseHandedOut(id: string, run: RotationRun, phase: number): void {
  if (run.allow.dropUnexpired === gateOf(phase)) return;
  const now = run.now();
  const unexpired = readConsistently(run.store.folder, (files) => issuedBy(files, id)).filter(
    ({ notAfter }) => notAfter > now,
  );
  const ca = new X509Certificate(comingCa(id, run, phase));
  if (phase === trust) {
    const made = new Date(ca.validFromDate.getTime() + backdated * 60_000);
    const blind = unexpired.filter(({ purpose, issuedAt }) => purpose === 'kubeconfig' && issuedAt < made);
    if (blind.length > 0) throw blindKubeconfigs(blind);
    return;
  }
  const own = inspectPem(pemOf(run.store.view(), id), id)[0]?.subjectKeyId;
  const old = unexpired.filter(({ authorityKeyId }) => authorityKeyId !== own);
  if (old.length > 0) throw stillInUse(id, old);
}

const listed = (issued: readonly IssuedCertificate[]): string =>
  issued
    .map(
      ({ subject, serial, purpose, notAfter }) =>
        `${subject} (${purpose}, until ${notAfter.toISOString().slice(0, 10)}, serial ${serial})`,
    )
    .join('\n');

function blindKubeconfigs(issued: readonly IssuedCertificate[]): KbinError {
  return new KbinError('kubeconfigs that people have do not trust the new kubernetes-ca', {
    step: 'rotate kubernetes-ca, nothing was changed',
    why: 'they were written before it was there, and the apiservers are about to show certificates that it signed',
    next: 'make them anew with `kbin kubeconfig` and hand them out, or go on with --drop-unexpired issue: these stop working then',
    output: listed(issued),
  });
}

function stillInUse(id: string, issued: readonly IssuedCertificate[]): KbinError {
  return new KbinError(`certificates that the old ${id} signed have been handed out and have not expired`, {
    step: `rotate ${id}, nothing was changed`,
    why: 'nobody accepts them once the old CA is dropped',
    next: 'have them made anew, or wait until they have expired, or go on with --drop-unexpired end: these stop working then',
    output: listed(issued),
  });
}

async function refuseNodes(client: ApiClient, phase: number): Promise<void> {
  const { items } = await client.getJson<{ items: readonly { metadata: { name: string } }[] }>(
    '/api/v1/nodes?limit=5000',
  );
  if (items.length === 0) return;
  const names = few(items.map(({ metadata }) => metadata.name));
  throw phase === issue ? nodesAtDrop(names) : nodesAtIssue(names);
}

function nodesAtIssue(names: string): KbinError {
  return new KbinError(`there are nodes, and kbin cannot tell whom they trust: ${names}`, {
    step: 'rotate kubernetes-ca, nothing was changed',
    why: 'the apiservers are about to show certificates of the new CA, to kubelets, kube-proxies and Pods too',
    next: 'on each node put both CAs (key ca.crt of any ConfigMap kube-root-ca.crt) into the kubelet’s clientCAFile and into the kubeconfigs of kubelet and kube-proxy, restart them, and restart Pods that talk to the apiserver; then go on with --nodes-ready issue',
  });
}

function nodesAtDrop(names: string): KbinError {
  return new KbinError(`there are nodes whose certificates the old kubernetes-ca may have signed: ${names}`, {
    step: 'rotate kubernetes-ca, nothing was changed',
    why: 'a kubelet that still comes with one is locked out once that CA is dropped',
    next: 'have each kubelet get a new certificate (remove /var/lib/kubelet/pki/kubelet-client-current.pem and let it bootstrap again, or issue one), see that the old CA is in none of its files, restart it; then go on with --nodes-ready end',
  });
}

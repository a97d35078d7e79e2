import { setTimeout as sleep } from 'node:timers/promises';
import { pathsBeside } from '../../ca/layout.ts';
import { trust } from '../../ca/rotate-authority.ts';
import { atRest } from '../../ca/rotation.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { pemOf } from '../../desired/from-store.ts';
import { KbinError } from '../../errors.ts';
import type { ApiClient } from '../../health/api-client.ts';
import { dropFromExtensions, holds, publishedBundles } from '../../health/published-authorities.ts';
import { deploysOf } from '../deploys.ts';
import { withReadyApiservers } from './rotation-api.ts';
import type { RotationRun } from './rotations.ts';

/** Of the CAs whose bundles Kubernetes hands on: to Pods, to extension apiservers. */
const published: readonly string[] = ['kubernetes-ca', 'front-proxy-ca'];

export function isPublished(id: string, { cluster }: RotationRun): boolean {
  return published.includes(id) && deploysOf(cluster, [id]).includes('control-plane');
}

/** The CA that everybody has to trust before the next phase begins. */
export function comingCa(id: string, { store }: RotationRun, phase: number): string {
  if (phase !== trust) return pemOf(store.view(), id);
  return readConsistently(store.folder, (files) => {
    const reading = files.read(pathsBeside('next', id).certificate ?? '');
    return reading.state === 'read' ? reading.content.toString('utf8') : '';
  });
}

/** Throws where somebody inside the cluster would be left without the CA that is about to sign, or to be the only one. */
export async function requirePublished(
  client: ApiClient,
  id: string,
  run: RotationRun,
  phase: number,
): Promise<void> {
  const missing = await lacking(client, id, comingCa(id, run, phase));
  if (missing.length > 0) throw notPublished(id, missing);
}

/** Kubernetes looks at its files when it starts and at its objects every now and then. */
const publishingSeconds = 90;

/**
 * After the deploys: waits until what Kubernetes publishes is of this phase. From rest on the old CA is taken out of where
 * apiservers never take one out by themselves.
 */
export async function finishAuthority(id: string, run: RotationRun, phase: number): Promise<void> {
  if (!isPublished(id, run)) return;
  const retired = phase === atRest ? retiredCas(id, run) : [];
  const wanted = comingCa(id, run, phase);
  run.say(`waiting until Kubernetes publishes ${id} as it is now`);
  await withReadyApiservers(run, async ([client]) => {
    for (const end = performance.now() + publishingSeconds * 1000; ; await sleep(1000)) {
      if (retired.length > 0) await dropFromExtensions(client, id, retired);
      const missing = await lacking(client, id, wanted);
      const left = retired.length > 0 ? await stillHolding(client, id, retired) : [];
      if (missing.length + left.length === 0) return;
      if (performance.now() < end && !run.signal.aborted) continue;
      throw missing.length > 0 ? notPublished(id, missing) : stillPublished(id, left);
    }
  });
}

async function lacking(client: ApiClient, id: string, ca: string): Promise<string[]> {
  const bundles = await publishedBundles(client, id);
  return bundles.filter(({ pem }) => !holds(pem, ca)).map(({ name }) => name);
}

async function stillHolding(client: ApiClient, id: string, retired: readonly string[]): Promise<string[]> {
  const bundles = await publishedBundles(client, id);
  return bundles.filter(({ pem }) => retired.some((ca) => holds(pem, ca))).map(({ name }) => name);
}

/** Certificates in archive/ that are not in use (again). */
function retiredCas(id: string, { store }: RotationRun): readonly string[] {
  const own = pemOf(store.view(), id);
  return readConsistently(store.folder, (files) =>
    files
      .list()
      .filter((path) => path.startsWith(`archive/${id}/`) && path.endsWith('.crt'))
      .flatMap((path) => {
        const reading = files.read(path);
        return reading.state === 'read' ? [reading.content.toString('utf8')] : [];
      })
      .filter((pem) => !holds(pem, own)),
  );
}

export const few = (names: readonly string[]): string =>
  names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');

function notPublished(id: string, names: readonly string[]): KbinError {
  return new KbinError(`what Kubernetes publishes of ${id} does not have the new CA yet`, {
    step: `rotate ${id}`,
    why: few(names),
    next: 'kube-controller-manager and kube-apiserver write these: see whether they are well (`kbin control-plane status`), and run the command again; an object of somebody else’s with that name or type must get the new CA by hand',
  });
}

function stillPublished(id: string, names: readonly string[]): KbinError {
  return new KbinError(`what Kubernetes publishes of ${id} still has the old CA`, {
    step: `rotate ${id}`,
    why: few(names),
    next: 'kube-controller-manager and kube-apiserver write these: see whether they are well (`kbin control-plane status`), and run the command again',
  });
}

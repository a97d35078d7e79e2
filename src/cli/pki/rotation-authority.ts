import { type BundleOfPhase, bundlesOfPhases } from '../../ca/bundle-phases.ts';
import { nextAuthority, trialClient } from '../../ca/next-authority.ts';
import { authorityRotation, trust } from '../../ca/rotate-authority.ts';
import { diskFiles, readConsistently } from '../../ca/store-files.ts';
import { sha256 } from '../../desired/digest.ts';
import { pemOf, trustedPem } from '../../desired/from-store.ts';
import type { HostSides } from '../../diff/preflight.ts';
import { KbinError } from '../../errors.ts';
import { clientCredentials } from '../../health/client-credentials.ts';
import {
  hostsOfAuthority,
  type Listener,
  listenersOf,
  wireShortcomings,
} from '../../health/rotation-wire.ts';
import { deploysOf } from '../deploys.ts';
import { refuseLeaving } from './rotation-gates.ts';
import { hostProof, outstanding } from './rotation-proof.ts';
import { finishAuthority } from './rotation-published.ts';
import type { HostProof, OpenRotation, RotationRun } from './rotations.ts';

/** A CA that is replaced by another one, on the cluster of `run`. */
export const openAuthority =
  (id: string): OpenRotation =>
  (run) => {
    const deploys = deploysOf(run.cluster, [id]);
    return {
      kind: authorityRotation(id),
      deploys,
      prove: (phase) => prove(id, run, phase),
      before: (phase) => refuseLeaving(id, run, phase),
      finish: (phase) => finishAuthority(id, run, phase),
    };
  };

/** Whom to show when the CA is to be seen to be trusted: it has signed them, once it is in use. */
const clients: Readonly<Record<string, string>> = {
  'etcd-ca': 'etcd-healthcheck-client',
  'kubernetes-ca': 'admin',
  'front-proxy-ca': 'front-proxy-client',
};

async function prove(id: string, run: RotationRun, phase: number): Promise<readonly HostProof[]> {
  const { cluster, store, connect } = run;
  if (store.view().certificate(id) === undefined) throw notMade(id);
  const [looked, shown] = await Promise.all([run.look(), credentials(id, run, phase)]);
  const bundles = readConsistently(store.folder, (files) => bundlesOfPhases(id, files));
  const listeners = listenersOf(id, cluster, connect);
  const deploys = deploysOf(cluster, [id]);
  const hosts = hostsOfAuthority(id, cluster).filter(
    (host) => outstanding(cluster, deploys, host, looked.plan).isConcerned,
  );
  return Promise.all(
    hosts.map(async (host) => {
      const sides = looked.sides.find((one) => one.host.name === host);
      const own = listeners.filter((listener) => listener.host === host);
      const open = outstanding(cluster, deploys, host, looked.plan);
      // Where files or processes are not as they should be there is no need to ask what that leads to.
      const wire = open.shortcomings.length > 0 || open.unreached !== undefined ? [] : await ask(own, shown);
      const seen = sides && bundleOf(id, run, sides, bundles);
      return hostProof(host, open, wire, {
        ...(seen === undefined ? {} : { seen: seen.says, phase: seen.phase }),
        proven: `${open.components.join(', ')} ${open.components.length === 1 ? 'runs' : 'run'} with it${wireWords(own, shown)}`,
      });
    }),
  );
}

function notMade(id: string): KbinError {
  return new KbinError(`the certificate store has no ${id}`, {
    step: `rotate ${id}`,
    why: 'there is nothing that could be replaced',
    next: 'run `kbin pki init`',
  });
}

function wireWords(listeners: readonly Listener[], { cert }: Shown): string {
  if (listeners.length === 0) return '';
  return cert === undefined ? ', but without keys no client could be shown to it' : ', on the wire too';
}

async function ask(listeners: readonly Listener[], shown: Shown): Promise<string[]> {
  const found = await Promise.all(listeners.map((listener) => wireShortcomings(listener, shown)));
  return found.flat();
}

interface Shown {
  /** The CA that signs, and nobody else. */
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** In `trust` the client is one that the next CA has signed just now. Where the keys are not, there is none to show. */
async function credentials(id: string, run: RotationRun, phase: number): Promise<Shown> {
  const ca = pemOf(run.store.view(), id);
  try {
    return { ...(await clientOf(id, run, phase)), ca };
  } catch (error) {
    if (error instanceof KbinError) return { ca };
    throw error;
  }
}

async function clientOf(
  id: string,
  { store, now }: RotationRun,
  phase: number,
): Promise<{ readonly cert: string; readonly key: string }> {
  const client = clients[id];
  if (client === undefined) throw new Error(`${id} is no CA`);
  if (phase !== trust) return clientCredentials(store, { authority: id, client, toAsk: 'the hosts' });
  const next = await nextAuthority(id, diskFiles(store.folder), { now: now(), passphrase: store.passphrase });
  // The front proxy is known by this name; the others know nobody of theirs.
  const CN = id === 'front-proxy-ca' ? client : 'kbin:rotation';
  return trialClient(next, [{ type: 'CN', value: CN }], now());
}

/** What the host has for a bundle, by its files; where they differ, the one that is not of now. */
function bundleOf(
  id: string,
  { store }: RotationRun,
  { desired, observed }: HostSides,
  bundles: readonly BundleOfPhase[],
): BundleOfPhase | undefined {
  const wanted = trustedPem(store.view(), id);
  const digests = desired.components.flatMap(({ bundles: folders }) =>
    folders.flatMap(({ path, files }) =>
      files
        .filter(({ content }) => content.kind === 'text' && content.text === wanted)
        .map((file) => observed.paths.get(`${path}/${file.path}`)?.sha256),
    ),
  );
  const seen = digests.map((digest) => bundles.find(({ pem }) => sha256(pem) === digest));
  if (seen.includes(undefined)) return undefined;
  return seen.find((bundle) => bundle?.pem !== wanted) ?? seen[0];
}

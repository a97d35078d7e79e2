import { phaseOfKeys } from '../../ca/encryption-phases.ts';
import {
  encryptionKeyRotation,
  recordRewritten,
  retiringKeys,
  rewrite,
  wasRewritten,
} from '../../ca/rotate-encryption-key.ts';
import { atRest } from '../../ca/rotation.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { hostsWithRole } from '../../cluster/cluster.ts';
import { requireControlPlane } from '../../cluster/required.ts';
import { encryptionText, keyOf } from '../../diff/encryption-text.ts';
import type { PlannedCluster } from '../../diff/plan.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { etcdPrefixOf } from '../../health/control-plane-subject.ts';
import { etcdCredentials, etcdTargetsEitherWay } from '../../health/of-cluster.ts';
import { rewriteStored } from '../../health/rewrite.ts';
import { readStoredWith, type StoredWith } from '../../health/stored-form.ts';
import { hasControlPlane } from '../live-control-plane.ts';
import { withReadyApiservers } from './rotation-api.ts';
import { hostProof, outstanding } from './rotation-proof.ts';
import type { HostProof, OpenRotation, RotationRun } from './rotations.ts';

const command = 'kbin pki rotate encryption-key';

const deploys = ['control-plane'] as const;

/** The key that encrypts Secrets in etcd, on the cluster of `run`. */
export const liveEncryptionKey: OpenRotation = (run) => ({
  kind: encryptionKeyRotation,
  deploys,
  prove: (phase) => prove(run, phase),
  finish: async (phase) => {
    if (phase === rewrite) await rewriteAll(run);
  },
  before: async (phase) => {
    if (phase === atRest) refuseWithoutEncryption(run);
    if (phase === rewrite) await refuseUse(run);
  },
  proven: async (phase) => {
    if (phase === rewrite) await recordRewritten(run.store, run.now(), command);
  },
});

async function prove(run: RotationRun, phase: number): Promise<readonly HostProof[]> {
  const { cluster, store } = run;
  if (!hasControlPlane(cluster)) return [];
  const looked = await run.look();
  const proofs = hostsWithRole(cluster, 'control-plane').map(({ name }) => {
    const names = keysThere(name, looked);
    const seen = readConsistently(store.folder, (files) => phaseOfKeys(names, files));
    return hostProof(name, outstanding(cluster, deploys, name, looked.plan), [], {
      ...(names.length === 0 ? {} : { seen: `encrypts with ${names[0]}${andReads(names.slice(1))}` }),
      ...(seen === undefined ? {} : { phase: seen }),
      proven: 'its control plane runs with it',
    });
  });
  return phase === rewrite ? [...proofs, await proofOfEtcd(run)] : proofs;
}

const andReads = (names: readonly string[]) =>
  names.length === 0 ? '' : `, can read what ${names.join(', ')} encrypted`;

/** By kbin's note on that host: names of the keys that its apiserver has, the first of which encrypts. */
function keysThere(host: string, { sides }: PlannedCluster): readonly string[] {
  const side = sides.find((one) => one.host.name === host);
  const files = side?.desired.components.flatMap((component) => component.files) ?? [];
  const note = files.find(({ path }) => path.endsWith('/encryption-keys.txt'));
  const text = side?.observed.paths.get(note?.path ?? '')?.text;
  if (text === undefined) return [];
  return [...new Set(encryptionText(text).providers.flatMap((provider) => keyOf(provider)?.name ?? []))];
}

/** An entry of its own among the hosts: what etcd holds is nobody's in particular. */
async function proofOfEtcd(run: RotationRun): Promise<HostProof> {
  const host = 'etcd';
  try {
    const { found, total } = await storedWithOld(run);
    return found.length === 0
      ? { host, proven: true, says: `none of ${total} values is encrypted with ${oldKeys(run)}` }
      : {
          host,
          proven: false,
          says: `${found.length} of ${total} values are encrypted with ${oldKeys(run)}`,
        };
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return { host, proven: false, reached: false, says: error.message };
  }
}

function oldKeys(run: RotationRun): string {
  return oldNames(run).join(', ');
}

function oldNames({ store }: RotationRun): readonly string[] {
  return readConsistently(store.folder, retiringKeys)?.others ?? [];
}

function refuseWithoutEncryption({ cluster }: RotationRun): void {
  requireControlPlane(cluster);
  if (cluster.kubernetes.encryption !== undefined) return;
  throw new KbinError('nothing is encrypted in this cluster: cluster.yaml has `encryption: off`', {
    step: 'rotate encryption-key, nothing was changed',
    why: 'a new key would encrypt nothing either',
    next: 'set `kubernetes: {encryption: secretbox}` and run `kbin control-plane deploy` first',
    exit: exitCode.usage,
  });
}

/** Milliseconds for one page of etcd. */
const deadlineMs = 10_000;

async function storedWithOld(run: RotationRun): Promise<StoredWith> {
  const { cluster, store, connect } = run;
  const targets = etcdTargetsEitherWay(cluster, connect);
  const stored = await readStoredWith(
    targets,
    await etcdCredentials(store),
    etcdPrefixOf(cluster),
    oldNames(run),
    deadlineMs,
  );
  if ('found' in stored) return stored;
  throw new KbinError(`etcd could not be read: ${stored.message}`, {
    step: 'look for what the old key has encrypted',
    next: stored.next,
  });
}

/**
 * Has everything written again that the old key had encrypted, as etcd itself shows it. A run that was cut off left some of
 * it; this one goes on with that.
 */
async function rewriteAll(run: RotationRun): Promise<void> {
  const { cluster, store, say, signal } = run;
  const { found } = await storedWithOld(run);
  if (found.length === 0) return;
  const again = readConsistently(store.folder, wasRewritten);
  say(`${found.length} values in etcd are encrypted with ${oldKeys(run)}: they are written again`);
  for (const resource of cluster.kubernetes.encryption?.resources ?? []) {
    await withReadyApiservers(run, async (clients) => {
      const onProgress = (written: number) => {
        if (written % 500 === 0) say(`${resource}: ${written} written again`);
      };
      const written = await rewriteStored({ clients, resource, stored: found, signal, onProgress });
      say(`${resource}: ${written} written again`);
    });
  }
  refuseLeft(run, await storedWithOld(run));
  if (again) throw stillInUse(run, found);
}

function refuseLeft(run: RotationRun, { found }: StoredWith): void {
  if (found.length === 0) return;
  throw new KbinError(`${found.length} values in etcd are still encrypted with ${oldKeys(run)}`, {
    step: 'write them again',
    why: `no resource of \`kubernetes.encryption.resources\` has them: ${listed(found)}`,
    next: 'if they are of a resource that was taken out of that list, put it back and deploy; if nobody serves them any more (a CustomResourceDefinition that is gone), delete them in etcd; then run the command again',
  });
}

/** Right before the old key goes, whatever was proven earlier. */
async function refuseUse(run: RotationRun): Promise<void> {
  const { found } = await storedWithOld(run);
  if (found.length > 0) throw stillInUse(run, found);
  const files = oldNames(run).map((name) => `pki/archive/encryption-key/${name}.key`);
  run.say(
    `${files.join(', ')} will be all that can read snapshots of etcd from before now: keep it with them, and see docs/rotation.md before you restore one`,
  );
}

function stillInUse(run: RotationRun, found: readonly string[]): KbinError {
  return new KbinError(
    `${found.length} values in etcd were encrypted with ${oldKeys(run)} after all had been written again`,
    {
      step: 'rotate encryption-key, the old key stays',
      why: `something that kbin does not know of still writes with it (an apiserver that is not in cluster.yaml, a restored backup): ${listed(found)}`,
      next: `find and stop it, and run \`${command}\` again: what it wrote is written again by then`,
    },
  );
}

const listed = (found: readonly string[]) =>
  `${found.slice(0, 3).join(', ')}${found.length > 3 ? ', …' : ''}`;

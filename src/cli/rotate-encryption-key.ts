import {
  encryptionKeyRotation,
  recordRewritten,
  retiringKeys,
  rewrite,
  wasRewritten,
} from '../ca/rotate-encryption-key.ts';
import { atRest } from '../ca/rotation.ts';
import { readConsistently } from '../ca/store-files.ts';
import { hostsWithRole } from '../cluster/cluster.ts';
import { exitCode, KbinError } from '../errors.ts';
import { etcdPrefixOf } from '../health/control-plane-subject.ts';
import { etcdCredentials, etcdTargetsEitherWay } from '../health/of-cluster.ts';
import { rewriteStored } from '../health/rewrite.ts';
import { readStoredWith, type StoredWith } from '../health/stored-form.ts';
import { componentProofs } from './component-proofs.ts';
import { withReadyApiservers } from './rotation-api.ts';
import type { HostProof, LiveRotation, RotationRun } from './rotations.ts';

const command = 'kbin pki rotate encryption-key';

/** The key that encrypts Secrets in etcd, on a live cluster. */
export function liveEncryptionKey(run: RotationRun): LiveRotation {
  return {
    kind: encryptionKeyRotation,
    deploys: ['control-plane'],
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
  };
}

async function prove(run: RotationRun, phase: number): Promise<readonly HostProof[]> {
  const hosts = hostsWithRole(run.cluster, 'control-plane').map(({ name }) => name);
  const proofs = componentProofs(await run.look(), hosts, ['kube-apiserver']);
  return phase === rewrite ? [...proofs, await proofOfEtcd(run)] : proofs;
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

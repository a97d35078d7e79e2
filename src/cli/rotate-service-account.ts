import {
  keyIdOf,
  recordSignedUntil,
  serviceAccountRotation,
  sign,
  signedUntil,
} from '../ca/rotate-service-account.ts';
import { readConsistently } from '../ca/store-files.ts';
import { parseDuration } from '../cfssl/duration.ts';
import { type Cluster, hostsWithRole } from '../cluster/cluster.ts';
import { compareMinors, versionOf } from '../cluster/version.ts';
import { KbinError } from '../errors.ts';
import type { ApiClient } from '../health/api-client.ts';
import { type LegacyToken, legacyTokens, signAnew } from '../health/legacy-tokens.ts';
import { readTokenKeys, type TokenKeys } from '../health/token-keys.ts';
import { longestAskedFor, longestLife, type TokenSettings } from '../health/token-lives.ts';
import { componentProofs } from './component-proofs.ts';
import { withApiservers, withReadyApiservers } from './rotation-api.ts';
import type { HostProof, LiveRotation, RotationRun } from './rotations.ts';

const command = 'kbin pki rotate service-account';

/** The key that signs service-account tokens, on a live cluster. */
export function liveServiceAccount(run: RotationRun): LiveRotation {
  return {
    kind: serviceAccountRotation,
    deploys: ['control-plane'],
    prove: () => prove(run),
    before: async (phase) => {
      if (phase === sign) await beforeDropping(run);
    },
    proven: async (phase) => {
      if (phase === sign) await recordSignedUntil(run.store, run.now(), command);
    },
  };
}

/** What is to be in force follows from the store alone: its keys are those that verify, the first of them signs. */
async function prove(run: RotationRun): Promise<readonly HostProof[]> {
  const hosts = hostsWithRole(run.cluster, 'control-plane').map(({ name }) => name);
  const [planned, wire] = await Promise.all([
    run.look(),
    withApiservers(
      run,
      async (clients) =>
        new Map(
          await Promise.all(
            clients.map(async (client) => [client.target.name, await readTokenKeys(client)] as const),
          ),
        ),
    ),
  ]);
  const wanted = kids(run);
  return componentProofs(planned, hosts, ['kube-apiserver', 'kube-controller-manager']).map((proof) => {
    if (!proof.proven) return proof;
    const seen = wire.get(proof.host) ?? {};
    const wrong = shortcomings(seen, wanted);
    return wrong.length === 0
      ? {
          ...proof,
          says: `accepts ${counted(wanted)} and signs with ${seen.signs === undefined ? 'the one of pki/' : wanted[0]}`,
        }
      : { ...proof, proven: false, says: wrong.join('; ') };
  });
}

function kids({ store }: RotationRun): readonly string[] {
  return store
    .view()
    .serviceAccountKeys()
    .map(({ pem }) => keyIdOf(pem));
}

const counted = (wanted: readonly string[]) =>
  wanted.length === 1 ? 'tokens of one key' : `tokens of ${wanted.length} keys`;

function shortcomings({ verifies, signs, failure }: TokenKeys, wanted: readonly string[]): string[] {
  if (failure !== undefined) return [`its apiserver could not be asked for its keys: ${failure.message}`];
  const missing = wanted.filter((kid) => verifies?.includes(kid) === false);
  const more = (verifies ?? []).filter((kid) => !wanted.includes(kid));
  return [
    ...missing.map((kid) => `its apiserver does not accept tokens of the key ${kid}`),
    ...more.map((kid) => `its apiserver accepts tokens of the key ${kid} still`),
    ...(signs === undefined || signs === wanted[0] ? [] : [`its apiserver signs with the key ${signs}`]),
  ];
}

/** Nothing that the old key signed may be in use when it is not accepted any more. */
async function beforeDropping(run: RotationRun): Promise<void> {
  await withReadyApiservers(run, async ([client]) => {
    await refuseLivingTokens(run, client);
    await signLegacyTokens(run, client);
  });
}

async function refuseLivingTokens(run: RotationRun, client: ApiClient): Promise<void> {
  const { store, cluster, now, allow, say } = run;
  const { seconds, why } = longestLife({
    ...tokenSettings(cluster),
    asked: await longestAskedFor(client),
  });
  const since = readConsistently(store.folder, signedUntil);
  if (since === undefined) throw new Error('nobody has noted since when the old key signs nothing');
  const earliest = new Date(since.getTime() + seconds * 1000);
  if (now() >= earliest) return;
  const living = `the old key signed until ${since.toISOString()}, and ${why}`;
  if (allow.dropTokens) {
    say(
      `tokens that the old key signed stop being accepted before they have ended (${living}): whoever took one and does not read it again is refused. Pods whose programs read their token anew, as client libraries do, got another one within the hour`,
    );
    return;
  }
  throw new KbinError(`tokens that the old key signed may live until ${earliest.toISOString()}`, {
    step: 'rotate service-account, nothing was changed',
    why: living,
    next: `run \`${command}\` again after that; or, if whoever holds such a token may be refused, with --invalidate-tokens`,
  });
}

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
export function tokenSettings(cluster: Cluster): TokenSettings {
  const { version, components } = cluster.kubernetes;
  const { flags } = components['kube-apiserver'];
  const [extend, most] = [
    flags['service-account-extend-token-expiration']?.at(-1),
    flags['service-account-max-token-expiration']?.at(-1),
  ];
  const byDefault = version !== undefined && compareMinors(versionOf(version), { major: 1, minor: 21 }) >= 0;
  const seconds =
    most === undefined ? 0 : parseDuration(most, '--service-account-max-token-expiration') / 1000;
  return {
    extended: extend === undefined ? byDefault : !/^(false|f|0)$/i.test(extend),
    ...(seconds > 0 ? { most: seconds } : {}),
  };
}

/** Seconds that kube-controller-manager may take for one of them. */
const patience = 60;

/** Those in Secrets never end, so they are signed anew, each in its Secret. */
async function signLegacyTokens(run: RotationRun, client: ApiClient): Promise<void> {
  const { say, signal } = run;
  const [own, ...others] = kids(run);
  if (own === undefined) throw new Error('there is no service-account key');
  const isOld = ({ kid, isEmpty }: LegacyToken) => !isEmpty && (kid === undefined || others.includes(kid));
  const old = (await legacyTokens(client)).filter(isOld);
  if (old.length === 0) return;
  say(
    `${old.length} Secrets hold a token without an end that the old key signed: each is signed anew, and the former token is refused from then on. Pods get the new one through their kubelet within a minute or two; whoever has a copy elsewhere has to fetch it again`,
  );
  let done = 0;
  for (const token of old) {
    signal.throwIfAborted();
    if (await signAnew(client, token, own, { within: patience, signal })) done++;
    say(
      `token of Secret ${token.namespace}/${token.name} is signed by the new key (${done} of ${old.length})`,
    );
  }
  const left = (await legacyTokens(client)).filter(isOld);
  const [first] = left;
  if (first === undefined) return;
  throw new KbinError(`Secret ${first.namespace}/${first.name} still holds a token of the old key`, {
    step: 'rotate service-account, the old key stays',
    why: 'it was written while the others were signed anew: somebody keeps a copy of it',
    next: 'find who writes it (a backup, a tool that keeps objects as files), and run the command again',
  });
}

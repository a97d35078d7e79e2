import {
  keyIdOf,
  recordSignedUntil,
  serviceAccountRotation,
  sign,
  signedUntil,
} from '../../ca/rotate-service-account.ts';
import { atRest } from '../../ca/rotation.ts';
import { keysOfPhases } from '../../ca/service-account-phases.ts';
import { readConsistently } from '../../ca/store-files.ts';
import { parseDuration } from '../../cfssl/duration.ts';
import { type Cluster, hostsWithRole } from '../../cluster/cluster.ts';
import { requireControlPlane } from '../../cluster/required.ts';
import { compareMinors, versionOf } from '../../cluster/version.ts';
import { sha256 } from '../../desired/digest.ts';
import type { PlannedCluster } from '../../diff/plan.ts';
import { KbinError } from '../../errors.ts';
import type { ApiClient } from '../../health/api-client.ts';
import { type LegacyToken, legacyTokens, signAnew } from '../../health/legacy-tokens.ts';
import { readTokenKeys, type TokenKeys } from '../../health/token-keys.ts';
import { longestAskedFor, longestLife, type TokenSettings } from '../../health/token-lives.ts';
import { inParallel } from '../../remote/parallel.ts';
import { hasControlPlane } from '../live-control-plane.ts';
import { withApiservers, withReadyApiservers } from './rotation-api.ts';
import { hostProof, outstanding } from './rotation-proof.ts';
import type { HostProof, OpenRotation, RotationRun } from './rotations.ts';

const command = 'kbin pki rotate service-account';

const deploys = ['control-plane'] as const;

/** The key that signs service-account tokens, on the cluster of `run`. */
export const liveServiceAccount: OpenRotation = (run) => ({
  kind: serviceAccountRotation,
  deploys,
  prove: () => prove(run),
  before: async (phase) => {
    if (phase === atRest) requireControlPlane(run.cluster);
    if (phase === sign) await beforeDropping(run);
  },
  proven: async (phase) => {
    if (phase === sign) await recordSignedUntil(run.store, run.now(), command);
  },
});

/** What is to be in force follows from the store alone: its keys are those that verify, the first of them signs. */
async function prove(run: RotationRun): Promise<readonly HostProof[]> {
  const { cluster, store } = run;
  if (!hasControlPlane(cluster)) return [];
  const [looked, wire] = await Promise.all([run.look(), askApiservers(run)]);
  const wanted = kids(run);
  const known = readConsistently(store.folder, keysOfPhases);
  return hostsWithRole(cluster, 'control-plane').map(({ name }) => {
    const open = outstanding(cluster, deploys, name, looked.plan);
    const wrong = open.shortcomings.length > 0 ? [] : shortcomings(wire(name), wanted);
    const seen = known.find(({ pem }) => sha256(pem) === keysThere(name, looked));
    return hostProof(name, open, wrong, {
      ...(seen === undefined ? {} : { seen: seen.says, phase: seen.phase }),
      proven: 'its control plane runs with it, and its apiserver says so too',
    });
  });
}

/** By host. Where the keys are not here, nobody is asked, and nothing is proven. */
async function askApiservers(run: RotationRun): Promise<(host: string) => TokenKeys | KbinError> {
  try {
    return await withApiservers(run, async (clients) => {
      const asked = clients.map(async (client) => [client.target.name, await readTokenKeys(client)] as const);
      const found = new Map(await Promise.all(asked));
      return (host) => found.get(host) ?? {};
    });
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return () => error;
  }
}

/** Digest of the file with the keys that the apiserver of that host verifies with. */
function keysThere(host: string, { sides }: PlannedCluster): string | undefined {
  const side = sides.find((one) => one.host.name === host);
  const bundles = side?.desired.components.flatMap((component) => component.bundles) ?? [];
  const folder = bundles.find(({ files }) => files.some(({ path }) => path === 'service-account.pub'));
  return folder && side?.observed.paths.get(`${folder.path}/service-account.pub`)?.sha256;
}

function kids({ store }: RotationRun): readonly string[] {
  return store
    .view()
    .serviceAccountKeys()
    .map(({ pem }) => keyIdOf(pem));
}

function shortcomings(seen: TokenKeys | KbinError, wanted: readonly string[]): string[] {
  if (seen instanceof KbinError) return [`its apiserver was not asked for its keys: ${seen.message}`];
  const { verifies, signs, failure } = seen;
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
    next: `run \`${command}\` again after that; or, if whoever holds such a token may be refused, with --drop-tokens`,
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

/** Seconds that kube-controller-manager may take for one of them, and how many it is given at once. */
const patience = 60;
const atOnce = 8;

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
  const settled = await inParallel(old, atOnce, async (token) => {
    signal.throwIfAborted();
    if (!(await signAnew(client, token, own, { within: patience, signal }))) return;
    done++;
    say(
      `token of Secret ${token.namespace}/${token.name} is signed by the new key (${done} of ${old.length})`,
    );
  });
  for (const one of settled) if ('error' in one) throw one.error;
  const left = (await legacyTokens(client)).filter(isOld);
  const [first] = left;
  if (first === undefined) return;
  throw new KbinError(`Secret ${first.namespace}/${first.name} still holds a token of the old key`, {
    step: 'rotate service-account, the old key stays',
    why: 'it was written while the others were signed anew: somebody keeps a copy of it',
    next: 'find who writes it (a backup, a tool that keeps objects as files), and run the command again',
  });
}

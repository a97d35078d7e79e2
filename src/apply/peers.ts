import { setTimeout as sleep } from 'node:timers/promises';
import { KbinError } from '../errors.ts';
import { type Cause, type CauseCode, causeOf } from '../health/causes.ts';
import { dialThrough } from '../health/dial.ts';
import { type EtcdCredentials, parseEndpoint } from '../health/target.ts';
import { probeWire } from '../health/wire.ts';
import { bundlesToStage } from './commit.ts';
import { unprovenPlaces } from './leftovers.ts';
import type { Member, Rollout } from './rollout.ts';

/** Milliseconds for one look at a peer port. */
const lookDeadlineMs = 5000;

/** A member that just stops may close a connection too; one that refuses a certificate does so always. */
const looks = 2;
const pauseMs = 1000;

/** What a member says, or does, that does not take a certificate. Anything else is not about the certificate. */
const refusals: ReadonlySet<CauseCode> = new Set([
  'foreign-client',
  'client-certificate-expired',
  'client-certificate-refused',
  'certificate-not-yet-valid',
  // Having compared the names of the certificate with where the connection comes from, etcd hangs up without a word.
  'connection-lost',
]);

/**
 * Throws when another member that runs does not let this one in with the peer certificate that it is given. Members keep
 * their connections for as long as they can, so that would show only when one of them breaks, perhaps months later. It is
 * asked through the member's own host, since members look at the address that a connection comes from; it need not have
 * the certificate yet. Where that way is closed, or a member does not run, nothing is said.
 */
export async function refuseUnwelcomePeer(rollout: Rollout, member: Member): Promise<void> {
  const shown = await peerCredentials(rollout, member);
  if (shown === undefined) return;
  const others = rollout.targets.filter(({ name }) => name !== member.name);
  const said = await Promise.all(
    others.flatMap(({ name, expected }) => {
      const url = expected?.peerUrls[0];
      return url === undefined ? [] : [refusal(member, url, shown).then((cause) => ({ name, url, cause }))];
    }),
  );
  const refusing = said.flatMap(({ cause, ...door }) => (cause === undefined ? [] : [{ ...door, cause }]));
  const [first] = refusing;
  if (first === undefined) return;
  const names = refusing.map(({ name }) => name).join(', ');
  throw new KbinError(`${names} would not let etcd on ${member.name} in with its new peer certificate`, {
    host: member.name,
    step: `connect to ${first.url} with peer.crt`,
    why: `it ${first.cause.message}; the certificate has to be good for clients, for the CA that is trusted there, and for the address that connections of ${member.name} come from`,
    next: `See the journal of etcd on ${first.name}; \`pki.reserve\` in cluster.yaml adds addresses to the certificates.`,
  });
}

/** undefined where the peer certificate is the one that was proven before. */
async function peerCredentials(
  { credentials: { ca }, readSecret }: Rollout,
  { task }: Member,
): Promise<EtcdCredentials | undefined> {
  const unproven = unprovenPlaces(task);
  const bundle =
    bundlesToStage(task)[0] ?? task.component.bundles.find(({ path }) => unproven.includes(path));
  const contentOf = (name: string) => bundle?.files.find(({ path }) => path === name)?.content;
  const [certificate, key] = [contentOf('peer.crt'), contentOf('peer.key')];
  if (certificate?.kind !== 'text' || key?.kind !== 'secret') return undefined;
  const secret = Buffer.from(await readSecret(key.ref)).toString('utf8');
  return { ...(ca === undefined ? {} : { ca }), cert: certificate.text, key: secret };
}

async function refusal({ host }: Member, url: string, shown: EtcdCredentials): Promise<Cause | undefined> {
  const dial = dialThrough(async () => host);
  for (let look = 1; ; look++) {
    const cause = await probeWire(parseEndpoint(url), shown, { dial, deadlineMs: lookDeadlineMs }).then(
      ({ notAccepted }) => notAccepted,
      (error: unknown) => causeOf(error, { deadlineMs: lookDeadlineMs }),
    );
    if (cause === undefined || !refusals.has(cause.code)) return undefined;
    if (look === looks) return cause;
    await sleep(pauseMs);
  }
}

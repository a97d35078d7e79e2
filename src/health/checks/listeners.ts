import type { Check } from '../check.ts';
import type { ListenerEvidence } from '../evidence.ts';
import { hostPort } from '../target.ts';
import { daysLeft, type Served } from '../wire.ts';
import type { Judgement } from './index.ts';

/** Days. */
const warnWithin = 30;

/** What clients are shown on the client port, judged as a client would. */
export const servedCertificate: Judgement = ({ members, now }) =>
  members.flatMap(({ target, client }): Check[] => {
    const base = { id: 'served-certificate', target: target.name } as const;
    if (client.address.scheme === 'http') return [plaintext(base, 'client')];
    if (client.served === undefined) {
      const why = client.unserved?.message ?? 'it does not answer';
      return [{ ...base, status: 'skip', message: `not seen: ${why}` }];
    }
    return [judgeCertificate(base, client.served, now)];
  });

/** A served certificate as a verifying client would take it, and its days. */
export function judgeCertificate(
  base: Pick<Check, 'id' | 'target'>,
  served: Served,
  now: Date,
  renewal = renew,
): Check {
  const [leaf] = served.chain;
  if (leaf === undefined)
    return { ...base, status: 'fail', message: 'no certificate is served', next: 'see the journal' };
  const about = `${leaf.subject} from ${leaf.issuer}`;
  if (served.refusal !== undefined) {
    return {
      ...base,
      status: 'fail',
      message: `${served.refusal.message}; it is ${about}, ${validity(leaf)}`,
      next: served.refusal.next,
    };
  }
  return judgeDays(base, { ...leaf, about }, now, renewal);
}

/** Days left. Verification went by this machine's clock; `now` may be another. */
export function judgeDays(
  base: Pick<Check, 'id' | 'target'>,
  certificate: { readonly notBefore: Date; readonly notAfter: Date; readonly about: string },
  now: Date,
  next: string,
): Check {
  const days = daysLeft(certificate, now);
  const about = `${certificate.about}, ${validity(certificate)}`;
  if (days < 0) return { ...base, status: 'fail', message: `expired: ${about}`, next };
  if (days < warnWithin) return { ...base, status: 'warn', message: `${days} days left: ${about}`, next };
  return { ...base, status: 'pass', message: `${days} days left: ${about}` };
}

function validity({ notBefore, notAfter }: { readonly notBefore: Date; readonly notAfter: Date }): string {
  return `valid from ${day(notBefore)} to ${day(notAfter)}`;
}

const renew =
  'issue it anew and bring it to the host (etcd reads it at the next handshake, without a restart)';

/** Nobody without a certificate may talk to a member. */
export const clientAuthentication: Judgement = ({ members }) =>
  members.flatMap(({ target, client }) =>
    client.address.scheme === 'http' ? [] : [judgeAnonymous('client-authentication', target.name, client)],
  );

function judgeAnonymous(id: string, target: string, { anonymous, address }: ListenerEvidence): Check {
  const base = { id, target } as const;
  if (anonymous === 'refused')
    return { ...base, status: 'pass', message: 'clients without a certificate are refused' };
  if (anonymous === 'unknown') return { ...base, status: 'skip', message: 'could not be tried' };
  const peer = id === 'peer-authentication';
  return {
    ...base,
    status: 'fail',
    message: `${hostPort(address)} answers clients that show no certificate: anybody who reaches the port ${peer ? 'may join the raft traffic' : 'may read and write everything'}`,
    next: peer
      ? 'set peer-client-cert-auth and peer-trusted-ca-file, and restart the member'
      : 'set client-cert-auth and trusted-ca-file, and restart the member',
  };
}

/**
 * The peer port shows its certificate to anybody, before it looks at ours. Its CA may be one of its own, and a firewall
 * may keep the operator out, so only dates and authentication are judged.
 */
export const peerListener: Judgement = ({ members, now }) =>
  members.flatMap(({ target, peers }) =>
    peers.flatMap((peer): Check[] => {
      const base = { id: 'peer-certificate', target: target.name } as const;
      if (peer.address.scheme === 'http') return [plaintext(base, 'peer')];
      if (peer.served === undefined) {
        const seen = peer.unserved?.message ?? 'no answer';
        return [{ ...base, status: 'skip', message: `${hostPort(peer.address)} ${seen}, as seen from here` }];
      }
      return [
        judgePeerCertificate(base, peer.served, now),
        judgeAnonymous('peer-authentication', target.name, peer),
      ];
    }),
  );

function judgePeerCertificate(base: Pick<Check, 'id' | 'target'>, served: Served, now: Date): Check {
  const { refusal, ...rest } = served;
  const judged = refusal !== undefined && refusal.code !== 'wrong-ca' && refusal.code !== 'foreign-client';
  return judgeCertificate(base, judged ? served : rest, now);
}

function plaintext(base: Pick<Check, 'id' | 'target'>, kind: 'client' | 'peer'): Check {
  return {
    ...base,
    status: 'warn',
    message: `the ${kind} listener speaks plain http: anybody on the way may read and change everything`,
    next: `give it a certificate, and https in its ${kind} URLs`,
  };
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}

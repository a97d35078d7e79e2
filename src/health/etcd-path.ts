import { KbinError } from '../errors.ts';
import { kubeCauseOf } from './api-causes.ts';
import type { Cause } from './causes.ts';
import { type Address, type Dial, type EtcdCredentials, type EtcdTarget, parseEndpoint } from './target.ts';
import { probeWire } from './wire.ts';

/** How an apiserver's host gets to one etcd member. */
export interface EtcdPath {
  readonly member: string;
  readonly address: Address;
  /** Why not; undefined: the member took the connection and the certificate. */
  readonly failure?: Cause;
}

/** From the host that `dial` leads through, with the certificate that its apiserver uses, to every member. Never rejects. */
export function tryEtcdPaths(
  dial: Dial,
  members: readonly EtcdTarget[],
  credentials: EtcdCredentials,
  deadlineMs: number,
): Promise<readonly EtcdPath[]> {
  return Promise.all(
    members.map(async ({ name, endpoint }) => {
      const address = parseEndpoint(endpoint);
      const failure = await probeWire(address, credentials, { dial, deadlineMs }).then(
        ({ refusal, accepted, notAccepted }) => refusal ?? (accepted ? undefined : notAccepted),
        (error: unknown) => unreached(error) ?? kubeCauseOf(error, 'etcd', deadlineMs),
      );
      return { member: name, address, ...(failure === undefined ? {} : { failure }) };
    }),
  );
}

/** What the host's own network said of the member, rather than SSH of the host. */
function unreached(error: unknown): Cause | undefined {
  const why = error instanceof KbinError ? error.details.why : undefined;
  return why !== undefined && /no route to host|network is unreachable|timed out/i.test(why)
    ? kubeCauseOf(`EHOSTUNREACH ${why}`, 'etcd')
    : undefined;
}

import { type ApiReading, readApiserver } from './api-reading.ts';
import type { ApiCredentials, ApiTarget } from './api-target.ts';
import { type Patience, poll } from './poll.ts';
import { probeWire } from './wire.ts';

export { type ApiReading, readApiserver, readApiservers } from './api-reading.ts';
export {
  type ComponentExpectation,
  type ComponentReading,
  readComponent,
  waitForComponent,
} from './component-reading.ts';

/** Milliseconds one look may take inside a wait. */
const lookDeadlineMs = 3000;

export interface ApiExpectation {
  /** major.minor.patch without `v`: what it has to run. */
  readonly version?: string;
  /** SHA-256 of the certificate that it has to serve, as X509Certificate.fingerprint256 has it. */
  readonly fingerprint?: string;
}

/** Waits until this apiserver says /readyz, in the version and with the certificate that are expected. */
export function waitForReady(
  target: ApiTarget,
  credentials: ApiCredentials,
  patience: Patience,
  expected: ApiExpectation = {},
): Promise<ApiReading> {
  const look = async () => {
    const reading = await readApiserver(target, credentials, lookDeadlineMs);
    const seen =
      apiShortcoming(reading, expected) ?? (await certificateShortcoming(target, credentials, expected));
    return seen === undefined ? { done: reading } : { seen: `${target.name}: ${seen}` };
  };
  const next = 'see what it says on the host (journalctl -u kube-apiserver)';
  return poll(`apiserver ${target.name} to be ready`, patience, look, next);
}

/** What it still lacks, as a clause; undefined when it lacks nothing. */
export function apiShortcoming(reading: ApiReading, { version }: ApiExpectation = {}): string | undefined {
  const { ready, notReady, failure } = reading;
  if (failure !== undefined) return failure.message;
  if (ready !== true) return notReady?.length ? `not ready: ${notReady.join(', ')}` : 'not ready';
  if (version !== undefined && reading.version !== version)
    return `is ready, but runs ${reading.version ?? 'an unknown version'} and not ${version}`;
  return undefined;
}

async function certificateShortcoming(
  { address, port, dial }: ApiTarget,
  credentials: ApiCredentials,
  { fingerprint }: ApiExpectation,
): Promise<string | undefined> {
  if (fingerprint === undefined) return undefined;
  const options = { deadlineMs: lookDeadlineMs, ...(dial === undefined ? {} : { dial }) };
  const found = await probeWire(
    { scheme: 'https', host: address, port },
    { ca: credentials.ca },
    options,
  ).then(
    ({ chain }) => chain[0]?.fingerprint,
    () => undefined,
  );
  return found === fingerprint ? undefined : 'does not serve the certificate that was issued for it yet';
}

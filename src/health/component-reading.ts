import { kubeCauseOf } from './api-causes.ts';
import { openApi } from './api-client.ts';
import { failing } from './api-reading.ts';
import type { ApiCredentials } from './api-target.ts';
import type { Cause } from './causes.ts';
import type { ComponentTarget } from './component-target.ts';
import { plainText } from './plain-text.ts';
import { type Patience, poll } from './poll.ts';
import { probeWire, type Served } from './wire.ts';

/** What one controller-manager or scheduler answered, or why it did not. */
export interface ComponentReading {
  readonly target: ComponentTarget;
  /** /healthz says yes. */
  readonly healthy: boolean;
  /** Names of the checks of /healthz that fail: `leaderElection`. */
  readonly unhealthy?: readonly string[];
  /** What was shown in the TLS handshake. */
  readonly served?: Served;
  /** major.minor.patch without `v`; undefined where it could not be asked (without the administrator's key). */
  readonly version?: string;
  /** Milliseconds of the whole look at /healthz, connecting included. */
  readonly latencyMs?: number;
  /** Why it could not be asked. */
  readonly failure?: Cause;
}

/** Milliseconds. */
const componentDeadlineMs = 5000;

/** Asks for /healthz, which anybody may, and with the administrator's key for the version. Never rejects. */
export async function readComponent(
  target: ComponentTarget,
  credentials: ApiCredentials,
  deadlineMs: number = componentDeadlineMs,
): Promise<ComponentReading> {
  const address = { scheme: 'https', host: target.address, port: target.port } as const;
  const began = performance.now();
  const dial = target.dial === undefined ? {} : { dial: target.dial };
  try {
    const served = await probeWire(
      address,
      { ca: credentials.ca },
      { ...dial, deadlineMs, path: '/healthz' },
    );
    const latencyMs = performance.now() - began;
    const version = await versionOf(target, credentials, deadlineMs);
    return {
      target,
      healthy: served.status === 200,
      unhealthy: failing(served.body ?? ''),
      served,
      latencyMs,
      ...(version === undefined ? {} : { version }),
      ...(served.notAccepted === undefined
        ? {}
        : { failure: { ...served.notAccepted, next: journal(target) } }),
    };
  } catch (error) {
    return { target, healthy: false, failure: kubeCauseOf(error, target.component, deadlineMs) };
  }
}

function journal({ component }: ComponentTarget): string {
  return `see its journal (journalctl -u ${component})`;
}

/** Its metrics tell, to those whom the apiserver lets: undefined for any reason. */
async function versionOf(
  { name, component, address, port, dial }: ComponentTarget,
  credentials: ApiCredentials,
  deadlineMs: number,
): Promise<string | undefined> {
  if (credentials.cert === undefined) return undefined;
  const target = { name: `${component} ${name}`, address, port, ...(dial === undefined ? {} : { dial }) };
  const client = openApi(target, credentials, deadlineMs);
  try {
    const { status, text } = await client.get('/metrics');
    if (status !== 200) return undefined;
    const found = /^kubernetes_build_info\{[^}]*\bgit_version="v?([^"]+)"/im.exec(text)?.[1];
    return found === undefined ? undefined : plainText(found);
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

export interface ComponentExpectation {
  /** SHA-256 of the certificate that it has to serve, as X509Certificate.fingerprint256 has it. */
  readonly fingerprint?: string;
}

/** Waits until it is healthy and serves the certificate that it was given. */
export function waitForComponent(
  target: ComponentTarget,
  credentials: ApiCredentials,
  expected: ComponentExpectation,
  patience: Patience,
): Promise<ComponentReading> {
  const { component, name } = target;
  const what = `${component} on ${name} to be healthy`;
  const look = async () => {
    const reading = await readComponent(target, { ca: credentials.ca }, componentDeadlineMs);
    const seen = shortcoming(reading, expected);
    return seen === undefined ? { done: reading } : { seen: `${name}: ${component} ${seen}` };
  };
  return poll(what, patience, look, `see what it says on the host (journalctl -u ${component})`);
}

/** What it still lacks, as a clause; undefined when it lacks nothing. */
function shortcoming(
  { healthy, unhealthy, served, failure }: ComponentReading,
  { fingerprint }: ComponentExpectation,
): string | undefined {
  if (failure !== undefined) return failure.message;
  if (!healthy) {
    const names = unhealthy?.join(', ') || `answers ${served?.status ?? 'nothing'}`;
    return `is not healthy: ${names}`;
  }
  if (fingerprint !== undefined && served?.chain[0]?.fingerprint !== fingerprint)
    return 'does not serve the certificate that was issued for it yet';
  return undefined;
}

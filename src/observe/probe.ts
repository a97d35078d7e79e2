import { KbinError } from '../errors.ts';
import type { Host } from '../remote/host.ts';
import type { Observed } from './observed.ts';
import { parseProbe } from './parse.ts';
import script from './probe.sh?raw';
import { type ProbeRequest, probeArguments } from './request.ts';

export { type ProbeRequest, probeRequestFor } from './request.ts';

/**
 * A host's present state, in one round trip. `now` is the operator's clock in milliseconds since 1970; it is read before
 * and after, so that the host's clock can be compared.
 */
export async function probe(host: Host, request: ProbeRequest, now: () => number): Promise<Observed> {
  const sent = now();
  const result = await host.script(script, probeArguments(request), { label: 'probe' });
  const received = now();
  if (result.code !== 0) {
    throw new KbinError('The host could not be looked at', {
      host: host.name,
      step: 'probe',
      why: 'a command that every supported distribution has failed: see its message below',
      next: 'Check that stat, sha256sum, od, df and systemctl work there as root.',
      output: result.stderr.trim(),
    });
  }
  return parseProbe(host.name, request, result.stdout, { sent, received });
}

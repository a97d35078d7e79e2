import { KbinError } from '../errors.ts';
import type { ProbeLines } from './lines.ts';
import type { MemberMarker, ObservedDataDirectory } from './observed.ts';
import type { ProbedState } from './request.ts';
import { walIdentity } from './wal.ts';

const states = ['absent', 'empty', 'data', 'foreign'] as const;

export function dataDirectories(
  lines: ProbeLines,
  asked: readonly ProbedState[],
): ReadonlyMap<string, ObservedDataDirectory> {
  const markers = lines.indexed('marker');
  const found = lines.indexed('data');
  return new Map(
    asked.map(({ directory, marker }, index) => {
      const [word, log] = (found.get(index) ?? '').split(' ');
      const state = states.find((known) => known === word);
      if (state === undefined) throw lines.malformed('the state of the data directory is missing');
      const identity = log === undefined ? undefined : walIdentity(lines.hex(log));
      const text = markers.get(index);
      return [
        directory,
        {
          state,
          ...(identity === undefined ? {} : { identity }),
          ...(text === undefined
            ? {}
            : { marker: markerFrom(lines.host, marker, lines.hex(text).toString()) }),
        },
      ];
    }),
  );
}

function markerFrom(host: string, path: string, text: string): MemberMarker {
  try {
    const { clusterId, memberId, name } = JSON.parse(text) as MemberMarker;
    if ([clusterId, memberId].every((id) => /^[0-9a-f]{1,16}$/.test(id)) && typeof name === 'string') {
      return { clusterId, memberId, name };
    }
  } catch {
    // Not JSON: told below.
  }
  throw new KbinError(`${path} is not a marker of kbin`, {
    host,
    step: 'probe',
    why: 'it says which etcd member lives on the host, and was changed by hand or by another program',
    next: 'If the member on this host is healthy, remove the file: the next run writes it anew.',
  });
}

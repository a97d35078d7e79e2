import type { MemberReading } from '../health/live.ts';
import type { EtcdCredentials, EtcdTarget } from '../health/target.ts';
import type { MemberMarker } from '../observe/observed.ts';
import { write } from './operations.ts';
import { clearUp, type Work, type Workplace } from './work.ts';

/** An etcd member's; its target has the host's name too. */
export interface Member extends Workplace {
  readonly target: EtcdTarget;
  /** It copies the data and has no vote yet. */
  readonly isLearner: boolean;
}

/** Of etcd. */
export interface Rollout extends Work {
  /** All members that cluster.yaml names, left out or not: who is asked for health and counted for quorum. */
  readonly targets: readonly EtcdTarget[];
  readonly credentials: EtcdCredentials;
  /** Hex; undefined until a new cluster is there. */
  readonly clusterId?: string;
}

/** Clears up on a member's host and writes down, for later runs, which member lives there. */
export async function settle(rollout: Rollout, member: Member, reading: MemberReading): Promise<void> {
  const { component, observed } = member.task;
  const { status } = reading;
  const state = component.state;
  const marker = state && observed.dataDirectories.get(state.directory)?.marker;
  const wanted = status && { clusterId: status.clusterId, memberId: status.memberId, name: member.name };
  const markers =
    state === undefined || wanted === undefined || sameMarker(marker, wanted)
      ? []
      : [write(state.marker, { mode: 0o644, owner: 'root', group: 'root' }, JSON.stringify(wanted))];
  await clearUp(rollout, member, markers);
}

function sameMarker(one: MemberMarker | undefined, other: MemberMarker): boolean {
  return one?.clusterId === other.clusterId && one.memberId === other.memberId && one.name === other.name;
}

/** Of "node1: has no quorum; node2: …" the part about one member. */
export function ownPart(name: string, seen: string): string | undefined {
  return seen
    .split('; ')
    .find((part) => part.startsWith(`${name}: `))
    ?.slice(name.length + 2);
}

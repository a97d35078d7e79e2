import type { Docker } from './engine.ts';
import { LAB, OWNER, ownerIsGone } from './labels.ts';

/** Removes the labs whose owner process has ended: a test run killed with -9 leaves its hosts behind. */
export const sweep = (docker: Docker) => removeWhere(docker, LAB, ownerIsGone);

/** Removes one lab's containers and networks, whoever owns them. */
export const removeLab = (docker: Docker, lab: string) => removeWhere(docker, `${LAB}=${lab}`, () => true);

async function removeWhere(
  docker: Docker,
  label: string,
  matches: (owner: string) => boolean,
): Promise<void> {
  const filters = { label: [label] };
  const ours = ({ Labels }: { Labels?: Record<string, string> | undefined }) =>
    matches(Labels?.[OWNER] ?? '');

  const containers = (await docker.listContainers({ all: true, filters })).filter(ours);
  await Promise.all(
    containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }).catch(absent)),
  );
  const networks = (await docker.listNetworks({ filters })).filter(ours);
  await Promise.all(networks.map(({ Id }) => docker.getNetwork(Id).remove().catch(absent)));
}

/** Another sweep may be at the same lab: gone, or being removed, is what was wanted. */
function absent(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}

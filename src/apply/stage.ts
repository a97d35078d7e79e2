import type { DesiredFile } from '../desired/desired.ts';
import { type HostFile, stageMany } from '../remote/upload.ts';
import { bundlesToStage, filesToStage, preparation, stagingFolder } from './commit.ts';
import { act } from './operations.ts';
import { type Member, onAll, type Rollout, stopped } from './rollout.ts';

/**
 * Brings everything that differs to its host and lays it beside its place, on all hosts at once: nothing of it has an
 * effect yet. What an interrupted run has brought already is not sent again.
 */
export async function stage(rollout: Rollout, members: readonly Member[]): Promise<void> {
  const work = onAll(rollout, members, (member) => stageOn(rollout, member));
  await Promise.race([work, whenStopped(rollout.signal)]);
}

async function stageOn(rollout: Rollout, { host, name, task }: Member): Promise<void> {
  rollout.progress.step(name, 'preparing');
  await act(host, 'prepare', preparation(task));
  const bundled = bundlesToStage(task).flatMap((bundle) =>
    bundle.files.map((file) => ({ ...file, path: `${stagingFolder(bundle)}/${file.path}` })),
  );
  const wanted = [...filesToStage(task), ...bundled];
  if (wanted.length === 0) return;
  const files = await Promise.all(wanted.map((file) => hostFile(rollout, file)));
  await stageMany(host, files, (sent, total) => rollout.progress.transfer(name, 'uploading', sent, total));
  rollout.progress.step(name, 'uploaded');
}

async function hostFile(rollout: Rollout, { content, ...file }: DesiredFile): Promise<HostFile> {
  const { path, mode, owner, group } = file;
  const bytes =
    content.kind === 'text'
      ? Buffer.from(content.text)
      : content.kind === 'secret'
        ? await rollout.readSecret(content.ref)
        : { file: content.ref, size: content.size };
  return { path, mode, owner, group, sha256: content.sha256, content: bytes };
}

/** An upload has no effect, so a user who wants to stop does not have to wait for it. Never resolves. */
function whenStopped(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener(
      'abort',
      () => reject(stopped('uploads were under way, and nothing of them is in force')),
      {
        once: true,
      },
    );
  });
}

import { compose } from '../desired/compose.ts';
import type { Content, DesiredFile } from '../desired/desired.ts';
import { type HostFile, stageMany } from '../remote/upload.ts';
import { bundlesToStage, filesToStage, preparation, stagingFolder, type Task } from './commit.ts';
import { act } from './operations.ts';
import { onAll, stopped, type Work, type Workplace } from './rollout.ts';

/**
 * Brings everything that differs to its host and lays it beside its place, on all hosts at once: nothing of it has an
 * effect yet. What an interrupted run has brought already is not sent again.
 */
export async function stage(work: Work, places: readonly Workplace[]): Promise<void> {
  const staging = onAll(work, places, (place) => stageOn(work, place));
  await Promise.race([staging, whenStopped(work.signal)]);
}

/** Binaries that need neither a folder nor an account to be made first are on their way meanwhile. */
async function stageOn(work: Work, { host, name, task }: Workplace): Promise<void> {
  work.progress.step(name, 'preparing');
  const bundled = bundlesToStage(task).flatMap((bundle) =>
    bundle.files.map((file) => ({ ...file, path: `${stagingFolder(bundle)}/${file.path}` })),
  );
  const wanted = filesToStage(task);
  const early = wanted.filter((file) => isReady(task, file));
  const late = [...wanted.filter((file) => !early.includes(file)), ...bundled];
  const bring = uploader(work, { host, name, task });
  const [first, second] = await Promise.allSettled([
    bring(early),
    act(host, 'prepare', preparation(task)).then(() => bring(late)),
  ]);
  for (const part of [second, first]) if (part.status === 'rejected') throw part.reason;
  if (wanted.length + bundled.length > 0) work.progress.step(name, 'uploaded');
}

function isReady({ plan }: Task, { path, owner, group, content }: DesiredFile): boolean {
  if (content.kind !== 'binary') return false;
  const made = plan.changes.filter(({ kind, action }) => kind === 'directory' && action === 'create');
  return owner === 'root' && group === 'root' && !made.some(({ target }) => path.startsWith(`${target}/`));
}

/** Uploads files to one host; several calls at once are shown as one transfer. */
function uploader(
  work: Work,
  { host, name, task }: Workplace,
): (files: readonly DesiredFile[]) => Promise<void> {
  const parts: { sent: number; total: number }[] = [];
  const fresh = task.observed.leftovers.length === 0;
  return async (wanted) => {
    if (wanted.length === 0) return;
    const part = { sent: 0, total: 0 };
    parts.push(part);
    const files = await Promise.all(wanted.map((file) => hostFile(work, file)));
    const onProgress = (sent: number, total: number) => {
      Object.assign(part, { sent, total });
      const all = (of: 'sent' | 'total') => parts.reduce((sum, one) => sum + one[of], 0);
      work.progress.transfer(name, 'uploading', all('sent'), all('total'));
    };
    await stageMany(host, files, onProgress, { fresh });
  };
}

async function hostFile(work: Work, { content, ...file }: DesiredFile): Promise<HostFile> {
  const { path, mode, owner, group } = file;
  return { path, mode, owner, group, sha256: content.sha256, content: await bytesOf(work, content) };
}

async function bytesOf({ readSecret }: Work, content: Content): Promise<HostFile['content']> {
  switch (content.kind) {
    case 'text':
      return Buffer.from(content.text);
    case 'secret':
      return readSecret(content.ref);
    case 'composed':
      return compose(content.parts, readSecret);
    case 'binary':
      return { file: content.ref, size: content.size };
  }
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

import { compose } from '../desired/compose.ts';
import type { Content, DesiredFile } from '../desired/desired.ts';
import { type HostFile, stageMany } from '../remote/upload.ts';
import { bundlesToStage, filesToStage, preparation, stagingFolder, type Task } from './commit.ts';
import { refuseForeignKeys } from './keys-fit.ts';
import { act } from './operations.ts';
import { onAll, stopped, type Work, type Workplace } from './work.ts';

/**
 * Brings everything that differs to its host and lays it beside its place, on all hosts at once: nothing of it has an
 * effect yet. What an interrupted run has brought already is not sent again. Several components of a host go together.
 */
export async function stage(work: Work, places: readonly Workplace[]): Promise<void> {
  await refuseForeignKeys(work, places);
  const names = [...new Set(places.map(({ name }) => name))];
  const staging = onAll(work, names, (name) =>
    stageOn(
      work,
      places.filter((place) => place.name === name),
    ),
  );
  await Promise.race([staging, whenStopped(work.signal)]);
}

/** Binaries that need neither a folder nor an account to be made first are on their way meanwhile. */
async function stageOn(work: Work, places: readonly Workplace[]): Promise<void> {
  const [{ host, name }] = places as [Workplace];
  const tasks = places.map(({ task }) => task);
  work.progress.step(name, 'preparing');
  const bundled = tasks
    .flatMap(bundlesToStage)
    .flatMap((bundle) =>
      bundle.files.map((file) => ({ ...file, path: `${stagingFolder(bundle)}/${file.path}` })),
    );
  const wanted = tasks.flatMap(filesToStage);
  const early = wanted.filter((file) => isReady(tasks, file));
  const late = [...wanted.filter((file) => !early.includes(file)), ...bundled];
  const bring = uploader(work, places);
  const [first, second] = await Promise.allSettled([
    bring(early),
    act(host, 'prepare', tasks.flatMap(preparation)).then(() => bring(late)),
  ]);
  for (const part of [second, first]) if (part.status === 'rejected') throw part.reason;
  if (wanted.length + bundled.length > 0) work.progress.step(name, 'uploaded');
}

function isReady(tasks: readonly Task[], { path, owner, group, content }: DesiredFile): boolean {
  if (content.kind !== 'binary') return false;
  const made = tasks
    .flatMap(({ plan }) => plan.changes)
    .filter(({ kind, action }) => kind === 'directory' && action === 'create');
  return owner === 'root' && group === 'root' && !made.some(({ target }) => path.startsWith(`${target}/`));
}

/** Uploads files to one host; several calls at once are shown as one transfer. */
function uploader(
  work: Work,
  places: readonly Workplace[],
): (files: readonly DesiredFile[]) => Promise<void> {
  const [{ host, name }] = places as [Workplace];
  const parts: { sent: number; total: number }[] = [];
  const fresh = places.every(({ task }) => task.observed.leftovers.length === 0);
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
    case 'bytes':
      return Buffer.from(content.base64, 'base64');
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

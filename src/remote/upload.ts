import type { Host } from './host.ts';
import { type HostFile, stage, type UploadProgress } from './stage.ts';
import { commit } from './stage-scripts.ts';
import { uploadFailed } from './upload-errors.ts';

export { type HostFile, stage, stagedPath, stageMany, type UploadProgress } from './stage.ts';

/**
 * Puts one file in its place on a host: staged beside it (stage.ts), then renamed, so that whoever reads the path sees
 * the old file or the whole new one, and a running binary is no obstacle. @throws KbinError
 */
export async function upload(host: Host, file: HostFile, onProgress?: UploadProgress): Promise<void> {
  const staged = await stage(host, file, onProgress);
  const result = await host.script(commit, [staged, file.path], { label: `upload ${file.path}` });
  if (result.code !== 0) {
    await host.run(['rm', '-f', '--', staged]);
    throw uploadFailed(host.name, file.path, result);
  }
}

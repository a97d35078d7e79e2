import { type DesiredFile, identityOf } from './desired.ts';
import { sha256 } from './digest.ts';

/** DesiredBundle's `digest`: over names, modes, owners and contents, whatever the order of the files. */
export function bundleDigest(files: readonly DesiredFile[]): string {
  const rows = files.map((file) => [file.path, file.mode, file.owner, file.group, identityOf(file.content)]);
  return sha256(JSON.stringify(rows.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))));
}

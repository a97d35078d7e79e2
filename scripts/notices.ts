import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The licence texts of the packages that files of a bundle came from: they ask to go where their code goes. */
export function licenceNotices(root: string, files: readonly string[]): string {
  const folders = new Set(files.flatMap((file) => packageFolder(file) ?? []));
  const notices = [...folders].sort().map((folder) => notice(join(root, folder)));
  return `program.cjs holds code of these packages.\n\n${notices.join('\n')}`;
}

/** `node_modules/a/node_modules/@b/c` of a file somewhere in it. */
function packageFolder(file: string): string | undefined {
  return /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
}

function notice(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const path = file === undefined ? undefined : join(folder, file);
  const text =
    path !== undefined && existsSync(path) ? readFileSync(path, 'utf8').trim() : `License: ${license}`;
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}

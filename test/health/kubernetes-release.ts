import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = resolve(import.meta.dirname, '../../scripts/kubernetes.sh');

let folder: Promise<string> | undefined;

/** Folder with the programs of Kubernetes 1.20.2; scripts/kubernetes.sh gets them where they are not there. */
export function kubernetesRelease(): Promise<string> {
  folder ??= run('bash', [script]).then(({ stdout }) => stdout.trim().split('\n')[1] ?? '');
  return folder;
}

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A certificate of openssl and its key, RSA, both PEM: `crt` and `key` of the folder, and what is in them. */
export async function selfSigned(
  folder: string,
): Promise<{ readonly certificate: string; readonly key: string }> {
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-noenc', '-subj', '/CN=a'];
  execFileSync('openssl', [...request, '-keyout', 'key', '-out', 'crt'], { cwd: folder, stdio: 'pipe' });
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return { certificate: await read('crt'), key: await read('key') };
}

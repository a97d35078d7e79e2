import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCertificateFiles } from '../../src/observe/certificate-files.ts';
import { ListeningHost } from '../remote/listening-host.ts';
import { LocalHost } from '../remote/local-host.ts';
import { selfSigned } from './self-signed.ts';

let root: string;
let cert: string;
let key: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kbin certificates' "));
  ({ certificate: cert, key } = await selfSigned(root));
});
afterEach(() => rm(root, { recursive: true }));

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(root, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** What is asked for, and that no line of the key was told, as text or in hex. */
async function look(request: Partial<Parameters<typeof readCertificateFiles>[1]>) {
  const host = new ListeningHost();
  const found = await readCertificateFiles(host, {
    certificates: [],
    kubeconfigs: [],
    secrets: [],
    ...request,
  });
  const told = `${host.heard}${Buffer.from(host.heard.replaceAll(/[^0-9a-f]/g, ''), 'hex').toString('latin1')}`;
  // The first lines of an RSA key are its modulus, which is public.
  for (const line of key.split('\n').slice(10, -3)) {
    for (const form of [
      line,
      Buffer.from(line).toString('hex'),
      Buffer.from(line).toString('base64').slice(2, 30),
    ])
      expect(told).not.toContain(form);
  }
  return found;
}

test('certificates as they lie there, whatever is around them, through links too', async () => {
  const plain = await file(`it's "odd" $HOME *`, cert, 0o644);
  const link = join(root, 'link');
  await symlink(plain, link);
  const bundle = await file('bundle', `# two\n${cert}${cert}`);
  const folder = join(root, 'folder');
  await mkdir(folder);
  const missing = join(root, 'missing');
  const found = await look({ certificates: [missing, plain, link, bundle, folder] });
  expect(found.get(missing)).toEqual({ state: 'absent' });
  expect(found.get(folder)).toEqual({ state: 'odd' });
  expect(found.get(plain)).toMatchObject({ state: 'read', mode: 0o644, pem: cert });
  expect(found.get(link)).toMatchObject({ state: 'read', mode: 0o644, pem: cert });
  expect(found.get(bundle)).toMatchObject({ pem: cert + cert });
});

test('no key leaves the host, wherever it lies', async () => {
  const body = key.split('\n').slice(1, -2).join('\n');
  const files = [
    await file('before', key + cert),
    await file('after', cert + key),
    await file('between', cert + key + cert),
    // A certificate whose end is missing would go on to the key.
    await file('cut', `${cert.split('\n').slice(0, 5).join('\n')}\n${key}`),
    await file('cut-within', `-----BEGIN CERTIFICATE-----\n${key}${cert}`),
    await file('key-cut', `${cert}-----BEGIN RSA PRIVATE KEY-----\n${body}\n`),
    await file('key-alone', key),
    await file('windows', `${cert}${key}`.replaceAll('\n', '\r\n')),
  ];
  const found = await look({ certificates: files, kubeconfigs: [...files], secrets: [...files] });
  expect(found.size).toBe(files.length);
  const certificates = await look({ certificates: files });
  expect(certificates.get(files[0] ?? '')).toMatchObject({ pem: cert });
  expect(certificates.get(files[2] ?? '')).toMatchObject({ pem: cert + cert });
});

test('of a kubeconfig its certificates, of a secret its digest', async () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const kubeconfig = await file(
    'admin.conf',
    `clusters:
- cluster:
    certificate-authority-data: ${base64(cert)}
    server: https://127.0.0.1:6443
users:
- user:
    client-certificate-data: "${base64(cert)}"
    client-key-data: ${base64(key)}
- user:
    client-certificate-data: '${base64(cert)}'
    client-key-data: ${base64(key)}
`,
  );
  const secret = await file('server.key', key, 0o640);
  const found = await look({ kubeconfigs: [kubeconfig], secrets: [secret] });
  expect(found.get(kubeconfig)).toMatchObject({ mode: 0o600, authority: cert, client: cert + cert });
  const sha256 = createHash('sha256').update(key).digest('hex');
  expect(found.get(secret)).toMatchObject({ state: 'read', mode: 0o640, sha256 });
});

test('an answer that was cut off is never taken for a whole one', async () => {
  const host = new LocalHost();
  const real = host.script.bind(host);
  host.script = async (...given) => {
    const result = await real(...given);
    return { ...result, stdout: result.stdout.replace(/end\n$/, '') };
  };
  const none = { certificates: [await file('crt', cert)], kubeconfigs: [], secrets: [] };
  await expect(readCertificateFiles(host, none)).rejects.toThrow(/cannot be read/);
});

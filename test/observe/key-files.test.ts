import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readKeyFiles } from '../../src/observe/key-files.ts';
import { ListeningHost } from '../remote/listening-host.ts';
import { LocalHost } from '../remote/local-host.ts';
import { selfSigned } from './self-signed.ts';

let root: string;
let certificate: string;
let key: string;
let half: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kbin keys' "));
  ({ certificate, key } = await selfSigned(root));
  half = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
});
afterEach(() => rm(root, { recursive: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

async function file(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await writeFile(path, text);
  return path;
}

/** What one file is found to hold, and that no line of the secrets was told, as text or in hex. */
async function told(path: string, secrets: readonly string[] = [], encryption = false) {
  const host = new ListeningHost();
  const asked = encryption ? { keys: [], encryption: [path] } : { keys: [path], encryption: [] };
  const found = await readKeyFiles(host, asked);
  const words = host.heard.split(/\s/).filter((word) => /^(?:[0-9a-f]{2})+$/.test(word));
  const heard = `${host.heard}${words.map((word) => Buffer.from(word, 'hex').toString('latin1')).join('\n')}`;
  for (const secret of secrets) expect(heard).not.toContain(secret);
  return found.get(path);
}

/** The first lines of an RSA key are its modulus, which is public. */
const secretLines = (pem: string) => pem.split('\n').slice(10, -3);

test('certificates and public keys as they are; of a private key its public half', async () => {
  const none = { kind: 'keys', isClosed: false };
  expect(await told(await file('ca.pem', certificate))).toEqual({
    ...none,
    sha256: sha256(certificate),
    pem: certificate,
  });
  expect(await told(await file('sa.pub', half + half))).toMatchObject({ ...none, pem: half + half });
  expect(await told(await file('ca-key.pem', key), secretLines(key))).toEqual({
    ...none,
    sha256: sha256(key),
    pem: half,
  });
  const both = await told(await file('both.pem', key + certificate), secretLines(key));
  expect(both).toMatchObject({ ...none, pem: certificate + half });
  expect(await told(join(root, 'missing'))).toEqual({ kind: 'absent' });
  await mkdir(join(root, 'folder'));
  expect(await told(join(root, 'folder'))).toEqual({ kind: 'absent' });
  expect(await told(await file('text', 'nothing'))).toMatchObject({ ...none, pem: '' });
});

test('elliptic curves, in both of the forms that openssl writes', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  for (const type of ['sec1', 'pkcs8'] as const) {
    const text = privateKey.export({ type, format: 'pem' }).toString();
    expect(await told(await file(type, text))).toMatchObject({ pem, isClosed: false });
  }
});

test('a private key that the host cannot open, or one of several, is said to be there', async () => {
  const closed = createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
    .toString();
  for (const text of [closed, key + key, `${certificate}-----BEGIN RSA PRIVATE KEY-----\n`]) {
    expect(await told(await file('key', text))).toMatchObject({ kind: 'keys', isClosed: true });
  }
});

const one = Buffer.alloc(32, 1).toString('base64');
const two = Buffer.alloc(32, 2).toString('base64');
const found = {
  kind: 'encryption',
  lists: 1,
  resources: ['secrets', 'configmaps'],
  providers: [`aescbc:key1:${sha256(`${one}\n`)}`, `aescbc:old:${sha256(`${two}\n`)}`, 'identity'],
};

const block = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources:
      - secrets   # those first
      - configmaps
    providers:
    - aescbc:
        keys:
        - name: key1
          secret: ${one}
        - secret: "${two}"
          name: 'old'
    - identity: {}
`;
const flow = `{apiVersion: apiserver.config.k8s.io/v1, kind: EncryptionConfiguration, resources: [{resources: [secrets, configmaps],
 providers: [{aescbc: {keys: [{name: key1, secret: ${one}}, {name: old, secret: ${two}}]}}, {identity: {}}]}]}`;
const json = JSON.stringify({
  kind: 'EncryptionConfiguration',
  resources: [
    {
      providers: [
        {
          aescbc: {
            keys: [
              { name: 'key1', secret: one },
              { secret: two, name: 'old' },
            ],
          },
        },
        { identity: {} },
      ],
      resources: ['secrets', 'configmaps'],
    },
  ],
});

test.each([
  ['YAML', block],
  ['YAML in one line', flow],
  ['JSON', json],
  ['JSON with line ends', JSON.stringify(JSON.parse(json), null, 2)],
  ['line ends of Windows', block.replaceAll('\n', '\r\n')],
])('an EncryptionConfiguration in %s: its keys by name and digest', async (_form, text) => {
  const path = await file('encryption', text);
  expect(await told(path, [one, two], true)).toEqual(found);
});

test('several lists, KMS, and what is none', async () => {
  const kms = block.replace('- identity: {}', '- kms:\n        name: vault\n        endpoint: unix:///x');
  expect(await told(await file('kms', kms), [one], true)).toMatchObject({
    providers: [...found.providers.slice(0, 2), 'kms'],
  });
  const lists = `${block}  - resources: [events]\n    providers: [{identity: {}}]\n`;
  expect(await told(await file('lists', lists), [one], true)).toMatchObject({ lists: 2 });
  expect(await told(await file('ca', key), secretLines(key), true)).toMatchObject({
    lists: 0,
    providers: [],
  });
  expect(await told(join(root, 'missing'), [], true)).toEqual({ kind: 'absent' });
});

test('an answer that was cut off is never taken for a whole one', async () => {
  const host = new LocalHost();
  const real = host.script.bind(host);
  host.script = async (...given) => {
    const result = await real(...given);
    return { ...result, stdout: result.stdout.replace(/end\n$/, '') };
  };
  const asked = readKeyFiles(host, { keys: [join(root, 'crt')], encryption: [] });
  await expect(asked).rejects.toMatchObject({
    details: { why: expect.stringContaining('its end is missing') },
  });
});

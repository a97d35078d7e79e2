import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../ca/stores.ts';
import { programFolder } from '../cli/transcript.ts';
import { certificateFacts } from './facts.ts';
import { cfssl, cfssljson, kbin, needCfssl, put } from './side-by-side.ts';

beforeAll(() => void needCfssl());

const config = {
  signing: {
    default: { expiry: '8760h' },
    profiles: {
      www: { usages: ['signing', 'server auth'], expiry: '8760h' },
      ca: { usages: ['cert sign', 'crl sign'], expiry: '8760h', ca_constraint: { is_ca: true } },
    },
  },
};

const signed = ['-ca', 'ca.pem', '-ca-key', 'ca-key.pem', '-config', 'config.json'];

/** A folder with a CA that `maker` made, and files to sign. */
async function folderWithCa(
  maker: 'kbin' | 'cfssl',
  key: object = { algo: 'ecdsa', size: 256 },
): Promise<string> {
  const folder = temporaryFolder();
  put(folder, {
    'config.json': config,
    'ca.json': {
      CN: 'my ca',
      names: [{ O: 'Example', E: 'ca@example.com' }, { O: 'Another' }],
      key,
      ca: { expiry: '87600h' },
    },
    'www.json': { CN: 'www', hosts: ['www.example.com', '10.0.0.1', 'fd00::1'], key },
  });
  if (maker === 'kbin') await kbin(folder, ['gencert', '-initca', '--bare', 'ca', 'ca.json']);
  else await cfssljson(folder, ['-bare', 'ca'], (await cfssl(folder, ['gencert', '-initca', 'ca.json'])).out);
  return folder;
}

const pem = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8');

describe('a pipeline', () => {
  test.each([
    ['ecdsa', { algo: 'ecdsa', size: 384 }],
    ['rsa', { algo: 'rsa', size: 2048 }],
  ])(
    'into the real cfssljson goes on working (%s), and either side verifies what the other signed',
    async (_name, key) => {
      for (const [maker, signer] of [
        ['kbin', cfssl],
        ['cfssl', kbin],
      ] as const) {
        const folder = await folderWithCa(maker, key);
        const made = await signer(folder, ['gencert', ...signed, '-profile', 'www', 'www.json']);
        await cfssljson(folder, ['-bare', 'www'], made.out);
        const [ca, leaf] = ['ca.pem', 'www.pem'].map((name) => new X509Certificate(pem(folder, name)));
        expect(leaf?.verify(ca?.publicKey ?? leaf.publicKey)).toBe(true);
        const chain = ['bundle', '-cert', 'www.pem', '-key', 'www-key.pem', '-ca-bundle', 'ca.pem'];
        const [theirs, ours] = [await cfssl(folder, chain), await kbin(folder, chain)].map(({ out }) =>
          JSON.parse(out),
        );
        expect({ ...ours, status: 0, hostnames: 0 }).toEqual({ ...theirs, status: 0, hostnames: 0 });
        expect([...ours.hostnames].sort()).toEqual([...theirs.hostnames].sort());
        const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'www.pem'];
        expect(execFileSync('openssl', strict, { cwd: folder, encoding: 'utf8' })).toBe('www.pem: OK\n');
        expect(statSync(join(folder, 'www-key.pem')).mode & 0o777).toBe(0o600);
      }
    },
  );

  test('in a shell, from stdin to files', async () => {
    const folder = temporaryFolder();
    const program = join(await programFolder(), 'kbin');
    const { bin } = needCfssl();
    const script =
      `set -euo pipefail; echo '{"CN":"my ca"}' | ${program} cfssl gencert -initca - | ${bin}/cfssljson -bare ca; ` +
      `echo '{"CN":"www","hosts":["a.b"]}' | ${program} cfssl gencert -ca=ca.pem --ca-key ca-key.pem - | ` +
      `${bin}/cfssljson -bare www; ${program} cfssl certinfo -cert - <www.pem`;
    const env = { ...process.env, KBIN_NODE: process.execPath };
    const out = execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', env });
    expect(JSON.parse(out)).toMatchObject({
      subject: { common_name: 'www' },
      issuer: { common_name: 'my ca' },
      sans: ['a.b'],
    });
    const { out: theirs } = await cfssl(folder, ['certinfo', '-cert', 'www.pem']);
    expect(out).toBe(theirs);
  });

  test('ends with an error and nothing on stdout where there is no certificate', async () => {
    const folder = await folderWithCa('kbin');
    for (const words of [
      ['gencert', 'www.json'],
      ['gencert', ...signed, 'missing.json'],
      ['gencert', ...signed, '-remote', 'http://127.0.0.1:1', 'www.json'],
      ['gencert', ...signed, 'www.json', '-profile', 'www'],
      ['gencert', ...signed, '-prfile', 'www', 'www.json'],
      ['gencert', ...signed, 'ca.json'],
      ['sign', ...signed, 'www.json'],
      ['certinfo', '-cert', 'ca-key.pem'],
      ['gencrl', 'www.json', 'ca.pem', 'ca-key.pem'],
      ['print-defaults', 'cfg'],
    ]) {
      const { out, error } = await kbin(folder, words);
      expect([words, out, error?.details.exit ?? 1, error?.details.next ?? '']).toEqual([
        words,
        '',
        expect.toSatisfy((code) => code === 1 || code === 2),
        expect.stringMatching(/./),
      ]);
      const secret = pem(folder, 'ca-key.pem').split('\n')[1];
      expect(JSON.stringify([error?.message, error?.details])).not.toContain(secret);
    }
  });
});

describe('what cfssl makes and shows, kbin makes and shows', () => {
  test('a CA once more: with its key, and for as long again, with every attribute of its name', async () => {
    const folder = await folderWithCa('cfssl');
    const again = ['gencert', '-initca', '-ca-key', 'ca-key.pem', 'ca.json'];
    const [theirs, ours] = [await cfssl(folder, again), await kbin(folder, again)].map(({ out }) =>
      JSON.parse(out),
    );
    expect(Object.keys(ours)).toEqual(Object.keys(theirs));
    expect(certificateFacts(ours.cert)).toEqual(certificateFacts(theirs.cert));
    const renewed = await kbin(folder, ['gencert', '-renewca', '-ca', 'ca.pem', '-ca-key', 'ca-key.pem']);
    const { cert, ...rest } = JSON.parse(renewed.out);
    expect(rest).toEqual({});
    expect(certificateFacts(cert)).toEqual(certificateFacts(pem(folder, 'ca.pem')));
    await kbin(folder, ['gencert', ...signed, '-profile', 'www', '--bare', 'www', 'www.json']);
    expect(new X509Certificate(pem(folder, 'www.pem')).checkIssued(new X509Certificate(cert))).toBe(true);
  });

  test('a key of any type signs as with cfssl, whoever made it', async () => {
    const folder = await folderWithCa('cfssl');
    const keys = [
      ...[2048, 3072, 4096].map((modulusLength) => generateKeyPairSync('rsa', { modulusLength }).privateKey),
      ...['P-384', 'P-521'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve }).privateKey),
      generateKeyPairSync('ed25519').privateKey,
    ];
    const algorithms = [];
    for (const key of keys) {
      put(folder, { 'key.pem': key.export({ type: 'pkcs8', format: 'pem' }) });
      const words = ['gencert', '-initca', '-ca-key', 'key.pem', 'ca.json'];
      const [theirs, ours] = [await cfssl(folder, words), await kbin(folder, words)].map(({ out }) =>
        JSON.parse(out),
      );
      expect(certificateFacts(ours.cert)).toEqual(certificateFacts(theirs.cert));
      put(folder, { 'own.pem': ours.cert });
      algorithms.push(JSON.parse((await cfssl(folder, ['certinfo', '-cert', 'own.pem'])).out).sigalg);
      expect((await kbin(folder, ['certinfo', '-cert', 'own.pem'])).out).toContain(
        `"sigalg": "${algorithms.at(-1)}"`,
      );
    }
    expect(algorithms.slice(0, 5)).toEqual([
      'SHA256WithRSA',
      'SHA384WithRSA',
      'SHA512WithRSA',
      'ECDSAWithSHA384',
      'ECDSAWithSHA512',
    ]);
  });

  test('certinfo says the same of certificates of both', async () => {
    for (const maker of ['kbin', 'cfssl'] as const) {
      const folder = await folderWithCa(maker);
      put(folder, {
        'leaf.json': {
          hosts: ['a.b', 'c@d', 'http://e/', '::1', '1.2.3.4'],
          names: [{ O: 'a,b' }],
          serialnumber: '7',
        },
      });
      await kbin(folder, ['gencert', ...signed, '-profile', 'www', '--bare', 'leaf', 'leaf.json']);
      for (const name of ['ca.pem', 'leaf.pem']) {
        const [theirs, ours] = [
          await cfssl(folder, ['certinfo', '-cert', name]),
          await kbin(folder, ['certinfo', '-cert', name]),
        ];
        expect(ours.out).toBe(theirs.out);
      }
      const csr = ['certinfo', '-csr', 'leaf.csr'];
      const [theirs, ours] = [await cfssl(folder, csr), await kbin(folder, csr)].map(({ out }) =>
        JSON.parse(out),
      );
      const { PublicKey, Attributes, ExtraExtensions, URIs, ...same } = theirs;
      expect({ ...ours, URIs: 0 }).toEqual({ ...same, URIs: 0 });
      expect(ours.URIs).toEqual(['http://e/']);
    }
  });

  test('requests for a key that there is, from a file and from a certificate', async () => {
    const folder = await folderWithCa('cfssl');
    await kbin(folder, ['gencert', ...signed, '-profile', 'www', '--bare', 'www', 'www.json']);
    for (const words of [
      ['gencsr', '-key', 'www-key.pem', '-hostname', 'x.y,z@z', 'www.json'],
      ['gencsr', '-key', 'ca-key.pem', '-cert', 'ca.pem'],
      ['gencsr', '-key', 'www-key.pem', '-cert', 'www.pem'],
    ]) {
      const [theirs, ours] = [await cfssl(folder, words), await kbin(folder, words)].map(({ out }) =>
        JSON.parse(out),
      );
      expect(ours.key).toBe(theirs.key);
      const text = (csr: string): string =>
        execFileSync('openssl', ['req', '-noout', '-text'], { input: csr, encoding: 'utf8' }).replace(
          /Signature Value[\s\S]*/,
          '',
        );
      expect(text(ours.csr)).toBe(text(theirs.csr));
    }
  });

  test('requests of openssl, signed for what they ask, and for whom the subject file says', async () => {
    const folder = await folderWithCa('kbin');
    const subject = '/CN=Müller/C=DE/title=Boss/O=B/OU=x+UID=me/O=A/emailAddress=a@b.c/street=s/postalCode=1';
    const names = 'subjectAltName=DNS:q.r,IP:::1,email:z@z.z,URI:http://k/';
    const asked = [
      '-addext',
      names,
      '-addext',
      'keyUsage=critical,keyCertSign',
      '-addext',
      '1.2.3.4=DER:0500',
    ];
    execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        'o.key',
        '-out',
        'o.csr',
        '-utf8',
        '-subj',
        subject,
        ...asked,
      ],
      { cwd: folder, stdio: 'pipe' },
    );
    put(folder, {
      'copy.json': { signing: { default: { expiry: '1h', usages: ['client auth'], copy_extensions: true } } },
      'subject.json': { CN: 'other', names: [{ O: 'Own', E: 'e@e' }], SerialNumber: '5' },
    });
    for (const words of [
      ['sign', ...signed, '-profile', 'www', 'o.csr'],
      ['sign', ...signed, '-profile', 'www', '-hostname', 'h.h', '-csr', 'o.csr', 'subject.json'],
      ['sign', ...signed.slice(0, 4), '-config', 'copy.json', 'o.csr'],
    ]) {
      const [theirs, ours] = [await cfssl(folder, words), await kbin(folder, words)].map(({ out }) =>
        JSON.parse(out),
      );
      expect(certificateFacts(ours.cert)).toEqual(certificateFacts(theirs.cert));
      expect(ours.csr).toBe(theirs.csr);
    }
  });

  test('revocation lists', async () => {
    const folder = await folderWithCa('cfssl');
    writeFileSync(join(folder, 'serials'), '123\n\n376322961050985454378047326971507801342904106019\n');
    const words = ['gencrl', 'serials', 'ca.pem', 'ca-key.pem', '3600'];
    const [theirs, ours] = await Promise.all([cfssl(folder, words), kbin(folder, words)]);
    const text = ({ out }: { out: string }): string =>
      execFileSync('openssl', ['crl', '-inform', 'DER', '-noout', '-text'], {
        input: Buffer.from(out, 'base64'),
        encoding: 'utf8',
      })
        .replace(/Signature Value[\s\S]*/, '')
        .replaceAll(/(Update|Date): .*/g, '');
    expect(text(ours).replace(/, emailAddress = [^\n]*/, '')).toBe(text(theirs));
    writeFileSync(join(folder, 'crl.der'), Buffer.from(ours.out, 'base64'));
    const check = ['crl', '-inform', 'DER', '-in', 'crl.der', '-CAfile', 'ca.pem', '-noout'];
    expect(() => execFileSync('openssl', check, { cwd: folder, stdio: 'pipe' })).not.toThrow();
  });

  test('certificates that sign themselves, and files to start from', async () => {
    const folder = await folderWithCa('cfssl');
    for (const words of [
      ['selfsign', 'www.example.com', 'www.json'],
      ['selfsign', '-config', 'config.json', '-profile', 'ca', 'www.example.com', 'www.json'],
    ]) {
      const [theirs, ours] = [await cfssl(folder, words), await kbin(folder, words)].map(({ out }) =>
        JSON.parse(out),
      );
      expect(certificateFacts(ours.cert)).toEqual({ ...certificateFacts(theirs.cert), serialIsLong: true });
    }
    for (const kind of ['config', 'csr', 'list']) {
      const [theirs, ours] = [
        await cfssl(folder, ['print-defaults', kind]),
        await kbin(folder, ['print-defaults', kind]),
      ];
      // A Go map has no order.
      const lines = ({ out }: { out: string }): string[] => out.trim().split('\n').sort();
      expect(lines(ours)).toEqual(lines(theirs));
    }
  });
});

describe('where cfssl is silent', () => {
  test.each<[string, Record<string, unknown>, readonly string[], RegExp]>([
    [
      'a misspelt key',
      { 'www.json': { CN: 'x', host: ['a.b'] } },
      [],
      /nothing reads the key host; did you mean "hosts"\?/,
    ],
    [
      'a key in the wrong place',
      {
        'config.json': {
          signing: { profiles: { www: { usages: ['server auth'], expiry: '1h', is_ca: true } } },
        },
      },
      [],
      /nothing reads the key signing\.profiles\.www\.is_ca; it belongs into "ca_constraint"/,
    ],
    [
      'an unknown profile',
      {},
      ['-profile', 'ww'],
      /there is no profile "ww", the default is taken.*did you mean "www"\?/,
    ],
    [
      'an unknown usage',
      {
        'config.json': {
          signing: { profiles: { www: { usages: ['server auth', 'client-auth'], expiry: '1h' } } },
        },
      },
      [],
      /there is no usage "client-auth", it is left out; did you mean "client auth"\?/,
    ],
    [
      'a leaf that outlives its CA',
      { 'config.json': { signing: { profiles: { www: { usages: ['server auth'], expiry: '200000h' } } } } },
      [],
      /outlives its CA/,
    ],
    [
      'a host that is none',
      { 'www.json': { CN: 'x', hosts: ['a b', 'ok.example'] } },
      [],
      /hosts: "a b" is neither an address nor a DNS name/,
    ],
    ['an empty host', { 'www.json': { CN: 'x', hosts: [''] } }, [], /becomes an empty DNS name/],
    ['a server without a name', { 'www.json': { CN: 'x' } }, [], /names no host: no client will accept it/],
    ['a flag without effect', {}, ['-label', 'x'], /-label has no effect on gencert/],
  ])('kbin warns, and --strict refuses: %s', async (_what, files, flags, said) => {
    const folder = await folderWithCa('kbin');
    put(folder, {
      'config.json': {
        ...config,
        signing: { ...config.signing, default: { expiry: '1h', usages: ['server auth'] } },
      },
      ...files,
    });
    const words = [
      'gencert',
      ...signed,
      ...(flags.includes('-profile') ? [] : ['-profile', 'www']),
      ...flags,
    ];
    const lax = await kbin(folder, [...words, 'www.json']);
    expect(lax.err).toMatch(said);
    expect(Object.keys(JSON.parse(lax.out))).toEqual(['cert', 'csr', 'key']);
    const strict = await kbin(folder, [...words, '--strict', '--bare', 'x', 'www.json']);
    expect(strict.failed).toMatch(said);
    expect(strict.error?.details.exit).toBe(2);
    expect([strict.out, () => statSync(join(folder, 'x.pem'))]).toEqual([
      '',
      expect.toSatisfy((look) => throws(look)),
    ]);
  });

  test('a whitelist is for all names that are asked for, those too that a CA does not get', async () => {
    const folder = await folderWithCa('kbin');
    const profile = {
      usages: ['cert sign'],
      expiry: '1h',
      ca_constraint: { is_ca: true },
      name_whitelist: '^www$',
    };
    put(folder, { 'config.json': { signing: { profiles: { ca: profile } } } });
    const words = ['gencert', ...signed, '-profile', 'ca', 'www.json'];
    const [theirs, ours] = [await cfssl(folder, words), await kbin(folder, words)];
    expect(theirs.failed).toMatch(/does not match policy whitelist/);
    expect(ours.failed).toMatch(/does not allow "www\.example\.com"/);
  });

  test('nothing is said where nothing is wrong', async () => {
    const folder = await folderWithCa('kbin');
    const { err } = await kbin(folder, ['gencert', ...signed, '-profile', 'www', '--strict', 'www.json']);
    expect(err).toBe('');
  });

  test('a key is not lost under --bare without a word', async () => {
    const folder = await folderWithCa('kbin');
    const before = pem(folder, 'ca-key.pem');
    const words = ['gencert', '-initca', '--bare', 'ca', 'ca.json'];
    expect((await kbin(folder, [...words, '--strict'])).failed).toMatch(/ca-key\.pem holds another key/);
    expect(pem(folder, 'ca-key.pem')).toBe(before);
    expect((await kbin(folder, words)).err).toMatch(/ca-key\.pem holds another key/);
    expect(pem(folder, 'ca-key.pem')).not.toBe(before);
  });
});

describe('files and variables', () => {
  test('a CA comes out of variables, an encrypted key opens with the passphrase, and neither is shown', async () => {
    const folder = await folderWithCa('cfssl');
    const env = {
      CA: pem(folder, 'ca.pem'),
      CA_KEY: pem(folder, 'ca-key.pem'),
      CFSSL_CA_PK_PASSWORD: 'secret',
    };
    const words = ['gencert', '-ca', 'env:CA', '-ca-key', 'env:CA_KEY', 'www.json'];
    expect((await kbin(folder, words, env)).failed).toBeUndefined();
    expect((await kbin(folder, words, { CA: env.CA })).failed).toMatch(/variable CA_KEY is not set/);
    execFileSync(
      'openssl',
      ['pkcs8', '-topk8', '-in', 'ca-key.pem', '-out', 'closed.pem', '-passout', 'pass:secret'],
      { cwd: folder },
    );
    const closed = ['gencert', '-ca', 'ca.pem', '-ca-key', 'closed.pem', 'www.json'];
    expect((await kbin(folder, closed, env)).failed).toBeUndefined();
    const refused = await kbin(folder, closed, { CFSSL_CA_PK_PASSWORD: 'sesame' });
    expect(refused.failed).toMatch(/closed\.pem cannot be read as a private key/);
    expect(JSON.stringify([refused.failed, refused.err, refused.error?.details])).not.toContain('sesame');
  });

  test('a chain is found through what lies between', async () => {
    const folder = await folderWithCa('kbin');
    put(folder, { 'mid.json': { CN: 'between' }, 'leaf.json': { CN: 'leaf', hosts: ['a.b'] } });
    await kbin(folder, ['gencert', ...signed, '-profile', 'ca', '--bare', 'mid', 'mid.json']);
    await kbin(folder, [
      'gencert',
      '-ca',
      'mid.pem',
      '-ca-key',
      'mid-key.pem',
      '--bare',
      'leaf',
      'leaf.json',
    ]);
    mkdirSync(join(folder, 'between'));
    writeFileSync(join(folder, 'between/mid.pem'), pem(folder, 'mid.pem'));
    const words = ['bundle', '-cert', 'leaf.pem', '-ca-bundle', 'ca.pem', '-int-bundle', 'mid.pem'];
    const [theirs, ours] = [await cfssl(folder, words), await kbin(folder, words)].map(({ out }) =>
      JSON.parse(out),
    );
    expect([ours.bundle, ours.root]).toEqual([theirs.bundle, theirs.root]);
    const fromFolder = await kbin(folder, [...words.slice(0, -2), '-int-dir', 'between']);
    expect(JSON.parse(fromFolder.out)).toEqual(ours);
    const lacking = await kbin(folder, words.slice(0, -2));
    expect(lacking.failed).toMatch(/no chain leads from leaf\.pem to a root/);
  });
});

function throws(look: () => unknown): boolean {
  try {
    look();
    return false;
  } catch {
    return true;
  }
}

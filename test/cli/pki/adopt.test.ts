import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { pemBlocks } from '../../../src/ca/pem.ts';
import { temporaryFolder } from '../../ca/stores.ts';
import { kubeadmTree, kubeaszTree, optTree } from '../../ca/trees.ts';
import { kbin } from '../in-process.ts';

interface Item {
  readonly id: string;
  readonly action: string;
  readonly from: readonly string[];
}
interface Finding {
  readonly code: string;
  readonly id?: string;
  readonly severity: string;
  readonly message: string;
}

const three = `name: prod
hosts:
  - { name: m1, address: 192.168.31.71, roles: [etcd, control-plane] }
  - { name: n1, address: 192.168.31.72, roles: [etcd, worker] }
  - { name: n2, address: 192.168.31.73, roles: [etcd, worker] }
etcd: { version: 3.5.16 }
kubernetes: { version: 1.20.2, serviceCidr: 10.0.0.0/24 }
`;
const one = `name: prod
hosts: [{ name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }]
etcd: { version: 3.5.16 }
kubernetes: { version: 1.20.2, serviceCidr: 10.96.0.0/12 }
`;
const addresses = ['192.168.31.71', '192.168.31.72', '192.168.31.73'];

function place(cluster: string, tree?: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'cluster.yaml'), cluster);
  if (tree !== undefined) cpSync(tree, join(folder, 'tree'), { recursive: true });
  return folder;
}

async function adopt(
  folder: string,
  ...argv: string[]
): Promise<{ code: number; items: Item[]; findings: Finding[]; err: string }> {
  const { code, out, err } = await kbin(folder, ['--json', 'pki', 'adopt', ...argv]);
  return { code, err, ...(out === '' ? { items: [], findings: [] } : JSON.parse(out)) };
}

const ids = (items: readonly Item[], action: string): string[] =>
  items.filter((item) => item.action === action).map(({ id }) => id);
const same = (folder: string, mine: string, theirs: string): void => {
  const bytes = (path: string) => readFileSync(join(folder, path), 'utf8');
  expect([mine, bytes(`pki/${mine}`)]).toEqual([mine, bytes(theirs)]);
};
/** Path and content of every file of the store but its lock. */
function content(folder: string): Record<string, string> {
  const files = readdirSync(join(folder, 'pki'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.startsWith('.lock'),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      join(parentPath, name),
      createHash('sha256')
        .update(readFileSync(join(parentPath, name)))
        .digest('hex'),
    ]),
  );
}

const base = mkdtempSync(join(tmpdir(), 'kbin-trees-'));
const made = { opt: join(base, 'opt'), kubeasz: join(base, 'kubeasz'), kubeadm: join(base, 'kubeadm') };
beforeAll(async () => {
  optTree(made.opt, addresses, '10.0.0.1');
  kubeaszTree(made.kubeasz, addresses, '10.0.0.1');
  await kubeadmTree(made.kubeadm, 'm1', '10.0.0.1', '10.96.0.0/12');
  return () => rmSync(base, { recursive: true });
}, 120_000);

describe("kubeadm's tree", () => {
  const pairs = [
    ['etcd-ca/ca', 'etcd/ca'],
    ['etcd-ca/etcd-server@m1', 'etcd/server'],
    ['etcd-ca/etcd-peer@m1', 'etcd/peer'],
    ['etcd-ca/etcd-healthcheck-client', 'etcd/healthcheck-client'],
    ['etcd-ca/apiserver-etcd-client', 'apiserver-etcd-client'],
    ['kubernetes-ca/ca', 'ca'],
    ['kubernetes-ca/apiserver@m1', 'apiserver'],
    ['kubernetes-ca/apiserver-kubelet-client', 'apiserver-kubelet-client'],
    ['front-proxy-ca/ca', 'front-proxy-ca'],
    ['front-proxy-ca/front-proxy-client', 'front-proxy-client'],
  ] as const;

  test('is taken over byte for byte, with its kubeconfigs; init makes the rest and nothing else', async () => {
    const folder = place(one, made.kubeadm);
    const { code, items, findings } = await adopt(folder, 'tree');
    expect(code).toBe(0);
    for (const [mine, theirs] of pairs) {
      same(folder, `${mine}.crt`, `tree/pki/${theirs}.crt`);
      same(folder, `${mine}.key`, `tree/pki/${theirs}.key`);
      expect(statSync(join(folder, `pki/${mine}.key`)).mode & 0o777).toBe(0o600);
      execFileSync('sha256sum', ['--quiet', '-c', `${mine.split('/')[1]}.key.sha256`], {
        cwd: join(folder, 'pki', mine.split('/')[0] ?? ''),
      });
    }
    same(folder, 'service-account/sa.key', 'tree/pki/sa.key');
    same(folder, 'service-account/sa.pub', 'tree/pki/sa.pub');
    expect(ids(items, 'adopt')).toEqual(expect.arrayContaining(['controller-manager', 'scheduler', 'admin']));
    const admin = readFileSync(join(folder, 'tree/admin.conf'), 'utf8');
    for (const part of ['crt', 'key']) {
      expect(admin).toContain(
        readFileSync(join(folder, `pki/kubernetes-ca/admin.${part}`)).toString('base64'),
      );
    }
    expect(findings.map(({ code: each, id }) => [each, id])).toEqual([
      ['too-powerful', 'apiserver-kubelet-client'],
      ['no-role', undefined],
      ['missing', 'kubernetes-ca'],
    ]);
    const { changes } = JSON.parse((await kbin(folder, ['--json', 'pki', 'init'])).out);
    expect(changes.map(({ id, action }: Item) => [id, action])).toEqual([
      ['controller-manager-server@m1', 'create'],
      ['scheduler-server@m1', 'create'],
      ['kube-proxy', 'create'],
      ['encryption-key', 'create'],
    ]);
    const before = content(folder);
    const again = await adopt(folder, 'tree');
    expect(ids(again.items, 'same')).toHaveLength(14);
    expect((await kbin(folder, ['pki', 'init'])).out).toMatch(/^nothing to do/);
    expect(content(folder)).toEqual(before);
  });

  test('is known whatever its files are called, in one folder or as one file', async () => {
    const folder = place(one);
    mkdirSync(join(folder, 'tree'));
    const files = readdirSync(made.kubeadm, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    for (const [index, { parentPath, name }] of files.entries()) {
      cpSync(
        join(parentPath, name),
        join(folder, 'tree', `${createHash('md5').update(`${index}`).digest('hex')}.txt`),
      );
    }
    const { code, items } = await adopt(folder, 'tree');
    expect([code, ids(items, 'adopt').length]).toEqual([0, 14]);
    same(
      folder,
      'kubernetes-ca/ca.crt',
      `tree/${createHash('md5')
        .update(
          `${files.findIndex(({ parentPath, name }) => name === 'ca.crt' && parentPath.endsWith('/pki'))}`,
        )
        .digest('hex')}.txt`,
    );
    const all = place(one);
    const texts = files
      .filter(({ name }) => /\.(crt|key|pub)$/.test(name))
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
    writeFileSync(join(all, 'bundle.pem'), texts.join(''));
    expect(ids((await adopt(all, 'bundle.pem')).items, 'adopt')).toHaveLength(11);
  });

  test('--dry-run changes nothing', async () => {
    const folder = place(one, made.kubeadm);
    const { code, items } = await adopt(folder, 'tree', '--dry-run');
    expect([code, ids(items, 'adopt').length]).toEqual([0, 14]);
    expect(readdirSync(folder).sort()).toEqual(['cluster.yaml', 'tree']);
  });

  test('into a store with other CAs stops, and leaves it as it was', async () => {
    const folder = place(one, made.kubeadm);
    await kbin(folder, ['pki', 'init']);
    const before = content(folder);
    const { code, findings, err } = await adopt(folder, 'tree');
    expect(code).toBe(1);
    expect(
      findings.filter(({ severity }) => severity === 'stop').map(({ code: each, id }) => [each, id]),
    ).toEqual([
      ['conflict', 'etcd-ca'],
      ['conflict', 'kubernetes-ca'],
      ['conflict', 'front-proxy-ca'],
      ['conflict', 'service-account'],
    ]);
    expect(err).toContain('4 things stop the adoption; nothing was changed');
    expect(content(folder)).toEqual(before);
  });

  test('with keys that are missing or of another certificate says so', async () => {
    const folder = place(one, made.kubeadm);
    const at = (path: string) => join(folder, 'tree/pki', path);
    rmSync(at('ca.key'));
    rmSync(at('sa.key'));
    renameSync(at('apiserver.key'), at('swap'));
    renameSync(at('etcd/server.key'), at('apiserver.key'));
    rmSync(at('swap'));
    chmodSync(at('etcd/ca.key'), 0o644);
    writeFileSync(at('torn.pem'), '-----BEGIN CERTIFICATE-----\nMIIB');
    const { items, findings } = await adopt(folder, 'tree');
    const about = (code: string) =>
      findings.filter((finding) => finding.code === code).map(({ message }) => message);
    expect(about('lacking')).toEqual([
      expect.stringMatching(/cannot be apiserver@m1: its private key was not found$/),
    ]);
    expect(about('key-missing')).toEqual([
      expect.stringContaining('the private key to'),
      expect.stringContaining('the key of kubernetes-ca was not found'),
    ]);
    expect(about('open')).toEqual([expect.stringContaining('etcd/ca.key may be read by other users')]);
    expect(about('unreadable')).toEqual([expect.stringContaining('torn.pem')]);
    // The certificate that still has its key does both jobs.
    expect(items.filter(({ id }) => id.startsWith('etcd-')).map(({ id }) => id)).toContain('etcd-server@m1');
  });
});

describe("a guide's tree", () => {
  test('of cfssl, with one certificate for all members, is kept as it is', async () => {
    const folder = place(three, made.opt);
    const { code, items, findings } = await adopt(
      folder,
      'tree',
      '--as',
      'service-account=tree/kubernetes/ssl/ca-key.pem',
    );
    expect(code).toBe(0);
    for (const host of ['m1', 'n1', 'n2']) {
      for (const role of ['server', 'peer']) {
        same(folder, `etcd-ca/etcd-${role}@${host}.crt`, 'tree/etcd/ssl/server.pem');
        same(folder, `etcd-ca/etcd-${role}@${host}.key`, 'tree/etcd/ssl/server-key.pem');
      }
    }
    same(folder, 'etcd-ca/ca.key', 'tree/etcd/ssl/ca-key.pem');
    same(folder, 'kubernetes-ca/apiserver@m1.crt', 'tree/kubernetes/ssl/server.pem');
    same(folder, 'service-account/sa.key', 'tree/kubernetes/ssl/ca-key.pem');
    expect(ids(items, 'adopt')).toEqual(
      expect.arrayContaining(['kube-proxy', 'admin', 'controller-manager', 'scheduler']),
    );
    expect(findings.filter(({ code: each }) => each === 'weak').map(({ id }) => id)).toEqual([
      'service-account',
    ]);
    // cfssl signs for ten years with a CA of five.
    const { err } = await kbin(folder, ['pki', 'init']);
    const ending = /^warning: when etcd-ca ends on \S+, these end with it, whatever they say: (.*)$/gm;
    expect([...err.matchAll(ending)].map(([, names]) => names?.split(', '))).toEqual([
      ['server', 'peer'].flatMap((role) => ['m1', 'n1', 'n2'].map((host) => `etcd-${role}@${host}`)),
    ]);
    const checked = JSON.parse((await kbin(folder, ['--json', 'pki', 'check', '--no-hosts'])).out);
    expect(JSON.stringify(checked.certificates)).toContain('outlives-ca');
    expect(checked.notes.filter((note: string) => note.includes('whatever they say'))).toEqual([]);
    expect((await kbin(folder, ['pki', 'init'])).out).toMatch(/^nothing to do: 22 /);
    const listed: { name: string; status: string }[] = JSON.parse(
      (await kbin(folder, ['--json', 'pki', 'list'])).out,
    );
    expect(listed.filter(({ status }) => status !== 'ok')).toEqual([]);
    for (const leaf of [
      'etcd-ca/etcd-server@n2',
      'etcd-ca/apiserver-etcd-client',
      'kubernetes-ca/apiserver@m1',
    ]) {
      const ca = join(folder, 'pki', leaf.split('/')[0] ?? '', 'ca.crt');
      execFileSync('openssl', ['verify', '-CAfile', ca, join(folder, `pki/${leaf}.crt`)], { stdio: 'pipe' });
    }
  });

  test('whose certificate lacks an address is issued anew by init, and the reason is told', async () => {
    const folder = place(three.replace('31.73', '31.79'), made.opt);
    const { items, findings } = await adopt(folder, 'tree');
    expect(ids(items, 'adopt')).toContain('etcd-server@n1');
    expect(ids(items, 'adopt')).not.toContain('etcd-server@n2');
    expect(findings.find(({ code, id }) => code === 'missing' && id === 'etcd-ca')?.message).toContain(
      'etcd-server@n2',
    );
    const vip = place(`${three}endpoint: { address: 192.168.31.99 }\n`, made.opt);
    const lacking = (await adopt(vip, 'tree')).findings.filter(({ code }) => code === 'lacking');
    expect(lacking.map(({ message }) => message)).toEqual([
      expect.stringMatching(/cannot be apiserver@m1: it lacks 192\.168\.31\.99$/),
    ]);
  });
});

test.each(['pkcs8', 'traditional'] as const)(
  'a tree in DER, its keys in %s form, is taken over with its keys',
  async (form) => {
    const folder = place(one, made.kubeadm);
    const pki = join(folder, 'tree/pki');
    for (const name of readdirSync(pki, { recursive: true, encoding: 'utf8' })) {
      const file = join(pki, name);
      if (/\.(crt|key|pub)$/.test(name)) writeFileSync(file, inDer(readFileSync(file, 'utf8'), form));
    }
    const { code, items, findings } = await adopt(folder, 'tree');
    expect(code).toBe(0);
    expect(findings.filter((each) => /^(unreadable|key-missing|lacking)$/.test(each.code))).toEqual([]);
    expect(ids(items, 'adopt')).toEqual(
      expect.arrayContaining(['etcd-ca', 'kubernetes-ca', 'apiserver@m1', 'service-account']),
    );
    const key = (path: string) =>
      createPrivateKey(readFileSync(path)).export({ type: 'pkcs8', format: 'pem' });
    for (const [mine, theirs] of [
      ['kubernetes-ca/ca', 'ca'],
      ['etcd-ca/etcd-server@m1', 'etcd/server'],
    ]) {
      expect(key(join(folder, `pki/${mine}.key`))).toBe(key(join(made.kubeadm, `pki/${theirs}.key`)));
    }
    const shown = await kbin(folder, ['pki', 'show', 'tree/pki/ca.key']);
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining('private key')]);
    await kbin(folder, ['pki', 'init']);
    expect((await kbin(folder, ['pki', 'init'])).out).toMatch(/^nothing to do/);
  },
);

function inDer(pem: string, form: 'pkcs8' | 'traditional'): Buffer {
  if (!pem.includes('PRIVATE KEY')) return pemBlocks(pem, 'tree')[0]?.der ?? Buffer.alloc(0);
  const key = createPrivateKey(pem);
  const traditional = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
  return key.export({ type: form === 'pkcs8' ? form : traditional, format: 'der' });
}

describe("kubeasz's tree", () => {
  test('has one CA for two: it is adopted for both, and never for the front proxy', async () => {
    const folder = place(three, made.kubeasz);
    const { code, items, findings } = await adopt(folder, 'tree');
    expect(code).toBe(0);
    same(folder, 'etcd-ca/ca.key', 'tree/ca-key.pem');
    same(folder, 'kubernetes-ca/ca.key', 'tree/ca-key.pem');
    same(folder, 'etcd-ca/etcd-peer@n2.crt', 'tree/etcd.pem');
    same(folder, 'kubernetes-ca/apiserver@m1.crt', 'tree/kubernetes.pem');
    expect(ids(items, 'adopt')).not.toContain('front-proxy-ca');
    expect(findings.map(({ code: each, id }) => [each, id])).toEqual(
      expect.arrayContaining([
        ['one-ca', 'etcd-ca'],
        ['requestheader-ca', 'front-proxy-ca'],
        ['missing', 'service-account'],
        ['no-role', undefined],
      ]),
    );
    await kbin(folder, ['pki', 'init']);
    expect((await kbin(folder, ['pki', 'init'])).out).toMatch(/^nothing to do/);
  });
});

describe('what cannot be told', () => {
  test('two CAs that both sign for etcd stop it, and --as says which', async () => {
    const folder = place(three, made.opt);
    optTree(join(folder, 'tree/other'), addresses, '10.0.0.1');
    const { code, findings } = await adopt(folder, 'tree');
    expect(code).toBe(1);
    const stops = findings.filter(({ severity }) => severity === 'stop');
    expect(stops.map(({ code: each, id }) => [each, id])).toEqual([
      ['ambiguous', 'etcd-ca'],
      ['ambiguous', 'kubernetes-ca'],
    ]);
    expect(stops[0]?.message).toMatch(
      /tree\/etcd\/ssl\/ca\.pem \(.*\) and .*tree\/other\/etcd\/ssl\/ca\.pem/,
    );
    const told = await adopt(
      folder,
      'tree',
      '--as',
      'etcd-ca=tree/other/etcd/ssl/ca.pem',
      '--as',
      'kubernetes-ca=tree/kubernetes/ssl/ca.pem',
    );
    expect(told.code).toBe(0);
    same(folder, 'etcd-ca/ca.crt', 'tree/other/etcd/ssl/ca.pem');
    same(folder, 'etcd-ca/etcd-server@n1.crt', 'tree/other/etcd/ssl/server.pem');
  });

  test.each([
    [['nowhere'], 'there is no such file'],
    [['cluster.yaml'], 'there is no certificate and no key in cluster.yaml'],
    [['tree', '--as', 'etcd-ca'], '--as wants NAME=FILE'],
    [['tree', '--skip', 'etcd-cq'], 'nothing in cluster.yaml is called "etcd-cq"'],
    [['tree', '--replace', 'nobody'], 'nothing in cluster.yaml is called "nobody"'],
  ])('%j is refused', async (argv, text) => {
    const folder = place(three, made.opt);
    const { code, err } = await kbin(folder, ['pki', 'adopt', ...argv]);
    expect(code).not.toBe(0);
    expect(err).toContain(text);
  });
});

describe('an EncryptionConfiguration', () => {
  const key = (letter: string): string => Buffer.alloc(32, letter).toString('base64');
  const configuration = (providers: string): string =>
    `kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources: [{ resources: [secrets], providers: [${providers}] }]\n`;

  test('gives its keys, with their names and in their order, to the provider that cluster.yaml names', async () => {
    const folder = place(
      one.replace('kubernetes: {', 'kubernetes: { encryption: { provider: aescbc },'),
      made.kubeadm,
    );
    writeFileSync(
      join(folder, 'tree/encryption.yaml'),
      configuration(
        `{ aescbc: { keys: [{ name: my-key, secret: ${key('a')} }, { name: key1, secret: ${key('b')} }] } }, { identity: {} }`,
      ),
    );
    const { code, items } = await adopt(folder, 'tree');
    expect([code, ids(items, 'adopt').includes('encryption-key')]).toEqual([0, true]);
    expect(readFileSync(join(folder, 'pki/encryption-key/order'), 'utf8')).toBe('my-key\nkey1\n');
    expect(readFileSync(join(folder, 'pki/encryption-key/my-key.key'), 'utf8')).toBe(`${key('a')}\n`);
    const { out } = await kbin(folder, ['--json', 'pki', 'init']);
    expect(JSON.parse(out).changes.map(({ id }: Item) => id)).not.toContain('encryption-key');
    expect(ids((await adopt(folder, 'tree')).items, 'same')).toContain('encryption-key');
    expect(out).not.toContain(key('a'));
  });

  test.each([
    [
      `{ aescbc: { keys: [{ name: k, secret: ${key('a')} }] } }`,
      'encrypts with aescbc, cluster.yaml says secretbox',
    ],
    [`{ secretbox: { keys: [{ name: k, secret: c2hvcnQ= }] } }`, 'the key "k" in'],
    [`{ secretbox: { keys: [{ name: ../k, secret: ${key('a')} }] } }`, 'has a name that is no file name'],
    [
      `{ secretbox: { keys: [{ name: k, secret: ${key('a')} }] } }, { aesgcm: { keys: [{ name: k, secret: ${key('b')} }] } }`,
      'kbin keeps those of one kind',
    ],
  ])('that cannot be kept stops all: %s', async (providers, text) => {
    const folder = place(one, made.kubeadm);
    writeFileSync(join(folder, 'tree/encryption.yaml'), configuration(providers));
    const { code, err } = await adopt(folder, 'tree');
    expect(code).toBe(1);
    expect(err).toContain(text);
    expect(err).not.toContain(key('a'));
    expect((await adopt(folder, 'tree', '--skip', 'encryption-key')).code).toBe(0);
  });

  const secretbox = (name: string, letter: string): string =>
    `{ secretbox: { keys: [{ name: ${name}, secret: ${key(letter)} }] } }`;
  const several = (...entries: readonly (readonly [string, string])[]): string =>
    `kind: EncryptionConfiguration\napiVersion: apiserver.config.k8s.io/v1\nresources:\n${entries
      .map(([resources, providers]) => `- { resources: [${resources}], providers: [${providers}] }\n`)
      .join('')}`;
  const both = one.replace(
    'kubernetes: {',
    'kubernetes: { encryption: { resources: [secrets, configmaps] },',
  );

  test.each([
    [
      one,
      configuration('{ kms: { name: vault, endpoint: "unix:///k" } }, { identity: {} }'),
      'secrets with kms',
    ],
    [
      both,
      several(
        ['secrets', secretbox('key1', 'a')],
        ['configmaps', `{ aesgcm: { keys: [{ name: key9, secret: ${key('b')} }] } }`],
      ),
      '(secretbox key1, aesgcm key9)',
    ],
    [
      both,
      several(['secrets', secretbox('key1', 'a')], ['configmaps', secretbox('key1', 'b')]),
      'two keys "key1"',
    ],
    [
      one,
      several(['secrets', secretbox('key1', 'a')], ['configmaps', secretbox('key2', 'b')]),
      'encrypts configmaps, cluster.yaml only secrets',
    ],
    [one, several(['"*.*"', secretbox('key1', 'a')]), 'encrypts *.*: cluster.yaml has no word for that'],
    [one, several(['secrets', '{ secretbox: {} }']), 'lacks resources, providers, or keys'],
    [
      one,
      `kind: EncryptionConfiguration\nresources: [${key('a')}\n`,
      'cannot be read: it is not YAML, line ',
    ],
    [one, `EncryptionConfiguration ${key('a')}\n`, 'cannot be read: it is text'],
  ])('that would not all be kept stops all: %#', async (cluster, text, message) => {
    const folder = place(cluster, made.kubeadm);
    writeFileSync(join(folder, 'tree/encryption.yaml'), text);
    const { code, err } = await adopt(folder, 'tree');
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
    expect(err).not.toContain(key('a'));
    expect((await adopt(folder, 'tree', '--skip', 'encryption-key')).code).toBe(0);
  });

  test('of several resources gives all their keys, those of Secrets first', async () => {
    const folder = place(both, made.kubeadm);
    writeFileSync(
      join(folder, 'tree/encryption.yaml'),
      several(
        ['configmaps', `${secretbox('key9', 'c')}, ${secretbox('key1', 'a')}`],
        ['secrets', `${secretbox('key1', 'a')}, ${secretbox('key2', 'b')}`],
      ),
    );
    expect((await adopt(folder, 'tree')).code).toBe(0);
    expect(readFileSync(join(folder, 'pki/encryption-key/order'), 'utf8')).toBe('key1\nkey2\nkey9\n');
  });

  test("is taken of another host where one host's cannot be read, which is told", async () => {
    const folder = place(one, made.kubeadm);
    writeFileSync(join(folder, 'tree/m1.yaml'), configuration(secretbox('key1', 'a')));
    writeFileSync(join(folder, 'tree/m2.yaml'), 'kind: EncryptionConfiguration\nresources: [');
    const { code, items, findings } = await adopt(folder, 'tree');
    expect([code, ids(items, 'adopt').includes('encryption-key')]).toEqual([0, true]);
    const told = findings.filter((each) => each.code === 'encryption');
    expect(told.map(({ severity }) => severity)).toEqual(['warning']);
    expect(told[0]?.message).toContain('tree/m2.yaml');
  });

  test.each([
    ['{ encryption: secretbox,', 'warning'],
    ['{ encryption: off,', undefined],
  ])('with identity first wrote plain text; cluster.yaml with %s', async (kubernetes, severity) => {
    const folder = place(one.replace('kubernetes: {', `kubernetes: ${kubernetes}`), made.kubeadm);
    writeFileSync(
      join(folder, 'tree/encryption.yaml'),
      configuration(`{ identity: {} }, ${secretbox('key2', 'a')}`),
    );
    const { code, items, findings } = await adopt(folder, 'tree');
    expect([code, ids(items, 'adopt').includes('encryption-key')]).toEqual([0, true]);
    expect(findings.find((each) => each.code === 'encryption')?.severity).toBe(severity);
  });
});

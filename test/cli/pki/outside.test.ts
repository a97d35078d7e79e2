import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { firstCertificate } from '../../../src/ca/pem.ts';
import { openStore } from '../../../src/ca/store.ts';
import { openApi } from '../../../src/health/api-client.ts';
import { openMember } from '../../../src/health/etcd-client.ts';
import { probeWire } from '../../../src/health/wire.ts';
import { temporaryFolder } from '../../ca/stores.ts';
import { etcdRelease } from '../../health/etcd-release.ts';
import { kubernetesRelease } from '../../health/kubernetes-release.ts';
import { flagsOf, freePorts, LocalMember, startEtcd, tlsFlags } from '../../health/local-etcd.ts';
import { LocalProcess } from '../../health/local-kubernetes.ts';
import { until } from '../../lab/until.ts';
import { kbin } from '../in-process.ts';
import { expectTranscript } from '../transcript.ts';

const cluster = (address = '10.0.0.1', more = ''): string => `name: prod
hosts: [{ name: m1, address: ${address}, roles: [etcd, control-plane] }]
etcd: { version: 3.5.16 }
kubernetes: { version: 1.20.2 }
${more}`;

function place(text = cluster()): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'cluster.yaml'), text);
  return folder;
}

const usual = ['subjectKeyIdentifier=hash', 'authorityKeyIdentifier=keyid'];
const asCa = (length: number): string[] => [
  `basicConstraints=critical,CA:TRUE,pathlen:${length}`,
  'keyUsage=critical,keyCertSign,cRLSign',
  ...usual,
];

/** A company's CA: root, and an issuing one below it. openssl, so that kbin is not tested with itself. */
class Company {
  readonly folder = temporaryFolder();

  constructor() {
    const req = 'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
    this.openssl(
      `${req} -x509 -days 3650 -keyout root.key -out root.pem -subj /O=Corp/CN=Root -addext keyUsage=critical,keyCertSign,cRLSign`,
    );
    this.openssl(`${req} -new -keyout issuing.key -out issuing.csr -subj /O=Corp/CN=Issuing`);
    this.sign(join(this.folder, 'issuing.csr'), 'issuing.pem', asCa(1), 'root');
  }

  at = (file: string): string => join(this.folder, file);

  /** With what the request asks for where nothing else is said. Returns the answer's path. */
  sign(csr: string, name: string, extensions: readonly string[], by = 'issuing', days = 2000): string {
    writeFileSync(this.at('ext'), extensions.join('\n'));
    this.openssl(
      `x509 -req -in ${csr} -CA ${by}.pem -CAkey ${by}.key -CAcreateserial -days ${days} -extfile ext -out ${name}`,
    );
    return this.at(name);
  }

  openssl(argv: string): string {
    return execFileSync('openssl', argv.split(' '), { cwd: this.folder, encoding: 'utf8', stdio: 'pipe' });
  }
}

const severitiesOf = (findings: readonly { code: string; severity: string }[]): string[] =>
  findings.filter(({ code }) => code === 'path-not-allowed').map(({ severity }) => severity);

const verify = (...argv: string[]): string =>
  execFileSync('openssl', ['verify', '-x509_strict', ...argv], { encoding: 'utf8', stdio: 'pipe' });

/** A CA of ours that is an intermediate of the company, with all that it signs. */
async function intermediate(folder: string, company: Company, id = 'etcd-ca'): Promise<void> {
  expect((await kbin(folder, ['pki', 'csr', id, '-o', 'ca.csr'])).code).toBe(0);
  const answer = company.sign(join(folder, 'ca.csr'), 'etcd-ca.pem', asCa(0));
  const { code, err } = await kbin(folder, [
    'pki',
    'adopt',
    answer,
    company.at('issuing.pem'),
    company.at('root.pem'),
  ]);
  expect([code, err]).toEqual([0, expect.any(String)]);
  expect((await kbin(folder, ['pki', 'init'])).code).toBe(0);
}

describe('a request', () => {
  test('has what the plan wants, and is the same key when it is written once more', async () => {
    const folder = place();
    const first = await kbin(folder, ['pki', 'csr', 'apiserver@m1']);
    writeFileSync(join(folder, 'a.csr'), first.out);
    const text = execFileSync(
      'openssl',
      ['req', '-in', join(folder, 'a.csr'), '-noout', '-text', '-verify'],
      { encoding: 'utf8', stdio: 'pipe' },
    );
    expect(text).toContain('Subject: CN = kube-apiserver');
    expect(text).toMatch(/DNS:m1, DNS:kubernetes, .*IP Address:10\.0\.0\.1/);
    expect(text).toMatch(/Extended Key Usage: \n +TLS Web Server Authentication\n/);
    const key = join(folder, 'pki/next/kubernetes-ca/apiserver@m1.key');
    const before = readFileSync(key, 'utf8');
    await kbin(folder, ['pki', 'csr', 'apiserver']);
    expect(readFileSync(key, 'utf8')).toBe(before);
    await kbin(folder, ['pki', 'csr', 'apiserver', '--new-key']);
    expect(readFileSync(key, 'utf8')).not.toBe(before);
    expect(first.err).toMatch(/its key waits in .*\/pki\/next; when signed: kbin pki adopt FILE/);
  });

  test('waits: neither init nor renew makes anything in its place', async () => {
    const folder = place();
    await kbin(folder, ['pki', 'csr', 'etcd-server', '-o', 'a.csr']);
    const { out, err } = await kbin(folder, ['pki', 'init']);
    expect(out).not.toContain('etcd-server@m1');
    expect(err).toMatch(/etcd-server@m1 waits for an answer to .*next\/etcd-ca\/etcd-server@m1\.csr/);
    expect(existsSync(join(folder, 'pki/etcd-ca/etcd-server@m1.crt'))).toBe(false);
    expect((await kbin(folder, ['pki', 'renew', '--all'])).out).not.toContain('etcd-server@m1');
    const listed: { name: string; status: string }[] = JSON.parse(
      (await kbin(folder, ['--json', 'pki', 'list'])).out,
    );
    expect(listed.find(({ name }) => name === 'etcd-server@m1')?.status).toBe(
      'waits for an answer to its request',
    );
  });

  test.each([
    [['pki', 'csr'], 'say for which certificates'],
    [['pki', 'csr', 'etcd-ca', '--all'], 'name certificates, or say --all'],
    [['pki', 'csr', 'etcd-servr'], 'did you mean "etcd-server'],
    [['pki', 'csr', 'service-account'], 'a key pair has no certificate'],
  ])('%j is refused', async (argv, text) => {
    const { code, err } = await kbin(place(), argv);
    expect([code, err]).toEqual([2, expect.stringContaining(text)]);
  });
});

describe('an answer', () => {
  const ofLeaf = ['subjectAltName=DNS:m1,IP:10.0.0.1', 'extendedKeyUsage=serverAuth,clientAuth', ...usual];

  test('of a CA whose key is elsewhere brings each leaf; what is lacking is named', async () => {
    const folder = place();
    const company = new Company();
    await kbin(folder, ['pki', 'init']);
    const ca = join(folder, 'pki/etcd-ca/ca.key');
    renameSync(ca, company.at('own.key'));
    writeFileSync(company.at('own.pem'), readFileSync(join(folder, 'pki/etcd-ca/ca.crt')));
    expect((await kbin(folder, ['pki', 'csr', '--all'])).err).toContain('nothing to ask for');
    rmSync(join(folder, 'pki/etcd-ca/etcd-server@m1.crt'));
    rmSync(join(folder, 'pki/etcd-ca/etcd-healthcheck-client.crt'));
    expect((await kbin(folder, ['pki', 'csr', '--all', '-o', 'requests'])).code).toBe(0);
    expect(readdirSync(join(folder, 'requests'))).toEqual([
      'etcd-healthcheck-client.csr',
      'etcd-server@m1.csr',
    ]);
    const csr = join(folder, 'requests/etcd-server@m1.csr');
    for (const [extensions, by, days, text] of [
      [usual, 'own', 100, 'it lacks 10.0.0.1'],
      [
        ['subjectAltName=IP:10.0.0.1', 'extendedKeyUsage=serverAuth'],
        'own',
        100,
        'it is not for client auth',
      ],
      [ofLeaf, 'own', -1, 'it expired on'],
      [ofLeaf, 'issuing', 100, 'which does not lead to etcd-ca'],
    ] as const) {
      const { code, err } = await kbin(folder, [
        'pki',
        'adopt',
        company.sign(csr, 'bad.pem', extensions, by, days),
      ]);
      expect([code, err]).toEqual([1, expect.stringContaining(text)]);
      expect(existsSync(join(folder, 'pki/etcd-ca/etcd-server@m1.crt'))).toBe(false);
    }
    const good = company.sign(csr, 'good.pem', ofLeaf, 'own', 100);
    expect((await kbin(folder, ['pki', 'adopt', good])).code).toBe(0);
    expect(readFileSync(join(folder, 'pki/etcd-ca/etcd-server@m1.crt'), 'utf8')).toBe(
      readFileSync(good, 'utf8'),
    );
    expect(readdirSync(join(folder, 'pki/next/etcd-ca'))).not.toContain('etcd-server@m1.key');
    const { out } = await kbin(folder, ['pki', 'init']);
    expect(out).toMatch(/^nothing to do/);
  });

  test('for a CA needs the chain, CA:TRUE, and names that it may sign for', async () => {
    const folder = place();
    const company = new Company();
    await kbin(folder, ['pki', 'csr', 'etcd-ca', '-o', 'ca.csr']);
    const csr = join(folder, 'ca.csr');
    const above = [company.at('issuing.pem'), company.at('root.pem')];
    const alone = await kbin(folder, ['pki', 'adopt', company.sign(csr, 'a.pem', asCa(0))]);
    expect([alone.code, alone.err]).toEqual([
      1,
      expect.stringContaining('give the certificate of O=Corp, CN=Issuing along'),
    ]);
    for (const [extensions, text] of [
      [usual, 'it may not sign certificates'],
      [
        [...asCa(0), 'nameConstraints=critical,permitted;IP:192.168.0.0/255.255.0.0'],
        'it may not sign for 10.0.0.1',
      ],
      [[...asCa(0), 'nameConstraints=critical,excluded;DNS:m1'], 'it may not sign for m1 (excluded'],
    ] as const) {
      const { code, err } = await kbin(folder, [
        'pki',
        'adopt',
        company.sign(csr, 'a.pem', extensions),
        ...above,
      ]);
      expect([code, err]).toEqual([1, expect.stringContaining(text)]);
    }
    expect(readdirSync(join(folder, 'pki/next/etcd-ca')).sort()).toEqual([
      'ca.csr',
      'ca.key',
      'ca.key.sha256',
    ]);
  });

  test('with the key of the CA in use takes its place, and leaves get its chain; with a new key it is the next one', async () => {
    const folder = place();
    const company = new Company();
    await kbin(folder, ['pki', 'init']);
    const key = readFileSync(join(folder, 'pki/etcd-ca/ca.key'), 'utf8');
    await kbin(folder, ['pki', 'csr', 'etcd-ca', '-o', 'ca.csr']);
    const above = [company.at('issuing.pem'), company.at('root.pem')];
    const answer = company.sign(join(folder, 'ca.csr'), 'a.pem', asCa(0));
    expect((await kbin(folder, ['pki', 'adopt', answer, ...above])).code).toBe(0);
    expect(readFileSync(join(folder, 'pki/etcd-ca/ca.key'), 'utf8')).toBe(key);
    const { changes } = JSON.parse((await kbin(folder, ['--json', 'pki', 'init'])).out);
    expect(
      changes.map(({ action, reasons }: { action: string; reasons: { code: string }[] }) => [
        action,
        reasons.map(({ code }) => code),
      ]),
    ).toEqual(Array(4).fill(['repair', ['chain']]));
    const leaf = join(folder, 'pki/etcd-ca/etcd-server@m1.crt');
    verify('-CAfile', company.at('root.pem'), '-untrusted', leaf, leaf);
    await kbin(folder, ['pki', 'csr', 'etcd-ca', '--new-key', '-o', 'next.csr']);
    const next = company.sign(join(folder, 'next.csr'), 'b.pem', asCa(0));
    const { code, err } = await kbin(folder, ['pki', 'adopt', next, ...above]);
    expect([code, err]).toEqual([0, expect.stringContaining('next: kbin pki rotate etcd-ca')]);
    expect(readdirSync(join(folder, 'pki/next/etcd-ca')).sort()).toEqual([
      'ca.crt',
      'ca.key',
      'ca.key.sha256',
    ]);
    expect(readFileSync(join(folder, 'pki/etcd-ca/ca.crt'), 'utf8')).toContain(readFileSync(answer, 'utf8'));
  });
});

describe('an intermediate CA', () => {
  test('signs leaves that carry its chain without the root, by a root or by itself to be verified', async () => {
    const folder = place();
    const company = new Company();
    await intermediate(folder, company);
    for (const file of readdirSync(join(folder, 'pki/etcd-ca')).filter((name) =>
      /^[^c].*\.crt$/.test(name),
    )) {
      const leaf = join(folder, 'pki/etcd-ca', file);
      expect(readFileSync(leaf, 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
      verify('-CAfile', company.at('root.pem'), '-untrusted', leaf, leaf);
      verify('-partial_chain', '-CAfile', company.at('etcd-ca.pem'), leaf);
    }
    expect((await kbin(folder, ['pki', 'init'])).out).toMatch(/^nothing to do/);
  });

  test('signs nothing that its name constraints forbid', async () => {
    const folder = place();
    const company = new Company();
    await kbin(folder, ['pki', 'csr', 'etcd-ca', '-o', 'ca.csr']);
    const permitted =
      'nameConstraints=critical,permitted;IP:10.0.0.0/255.255.255.0,permitted;IP:127.0.0.1/255.255.255.255,permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    const answer = company.sign(join(folder, 'ca.csr'), 'a.pem', [...asCa(0), permitted]);
    const above = [company.at('issuing.pem'), company.at('root.pem')];
    expect((await kbin(folder, ['pki', 'adopt', answer, ...above])).code).toBe(0);
    expect((await kbin(folder, ['pki', 'init'])).code).toBe(0);
    const leaf = join(folder, 'pki/etcd-ca/etcd-server@m1.crt');
    verify('-CAfile', company.at('root.pem'), '-untrusted', leaf, leaf);
    writeFileSync(join(folder, 'cluster.yaml'), cluster('10.9.0.1'));
    const { code, err } = await kbin(folder, ['pki', 'init']);
    expect([code, err]).toEqual([1, expect.stringContaining('etcd-ca may not sign etcd-server@m1')]);
    expect(err).toContain('forbid 10.9.0.1');
  });

  test('that is one too many below its root works, and adopt and check warn of it', async () => {
    const made = place();
    const company = new Company();
    await intermediate(made, company);
    // The same keys: as somebody signed them who forgot the path length of the one above.
    company.sign(company.at('issuing.csr'), 'narrow.pem', asCa(0), 'root');
    const tree = join(made, 'pki/etcd-ca');
    const chain = ['etcd-ca.pem', 'narrow.pem', 'root.pem'];
    writeFileSync(join(tree, 'ca.crt'), chain.map((file) => readFileSync(company.at(file), 'utf8')).join(''));
    const leaf = join(tree, 'etcd-server@m1.crt');
    for (const name of readdirSync(tree).filter((file) => /^[^c].*\.crt$/.test(file))) {
      const [own = ''] = readFileSync(join(tree, name), 'utf8').split(/(?<=-----END CERTIFICATE-----\n)/);
      writeFileSync(join(tree, name), own);
    }
    const untrusted = ['etcd-ca.pem', 'narrow.pem'].flatMap((file) => ['-untrusted', company.at(file)]);
    expect(() => verify('-CAfile', company.at('root.pem'), ...untrusted, leaf)).toThrow('error 25');

    const folder = place();
    const adopted = await kbin(folder, ['--json', 'pki', 'adopt', tree]);
    expect(adopted.code).toBe(0);
    expect(severitiesOf(JSON.parse(adopted.out).findings)).toEqual(['warning']);
    expect((await kbin(folder, ['pki', 'init'])).code).toBe(0);
    const checked = await kbin(folder, ['pki', 'check', '--no-hosts']);
    expect([checked.code, checked.out + checked.err]).toEqual([
      0,
      expect.stringContaining('CN=Issuing allows 0 CAs below itself, and there is 1'),
    ]);
  });

  test('limited to other usages than its leaves have is refused wherever it comes in', async () => {
    const folder = place();
    const company = new Company();
    await intermediate(folder, company);
    const above = [company.at('issuing.pem'), company.at('root.pem')];
    await kbin(folder, ['pki', 'csr', 'etcd-ca', '-o', 'ca.csr']);
    const limited = [...asCa(0), 'extendedKeyUsage=serverAuth'];
    const answer = company.sign(join(folder, 'ca.csr'), 'limited.pem', limited);
    const says = 'client auth (CN=etcd-ca is limited to other usages)';
    const answered = await kbin(folder, ['pki', 'adopt', answer, ...above]);
    expect([answered.code, answered.err]).toEqual([
      1,
      expect.stringContaining(`it may not sign for ${says}`),
    ]);

    writeFileSync(
      join(folder, 'pki/etcd-ca/ca.crt'),
      [answer, ...above].map((file) => readFileSync(file, 'utf8')).join(''),
    );
    const checked = await kbin(folder, ['--json', 'pki', 'check', '--no-hosts']);
    expect([checked.code, checked.out]).toEqual([3, expect.stringContaining('"usages-forbidden"')]);
    writeFileSync(join(folder, 'cluster.yaml'), cluster('10.9.0.1'));
    const { code, err } = await kbin(folder, ['pki', 'init']);
    expect([code, err]).toEqual([1, expect.stringContaining(`forbids ${says}`)]);

    const other = place();
    cpSync(join(folder, 'pki/etcd-ca'), join(other, 'tree'), { recursive: true });
    // Without their chains, in which the CA is as it was before it was limited.
    for (const name of readdirSync(join(other, 'tree')).filter((file) =>
      /@.*\.crt$|client\.crt$/.test(file),
    )) {
      const file = join(other, 'tree', name);
      writeFileSync(file, firstCertificate(readFileSync(file, 'utf8')));
    }
    const tree = await kbin(other, ['pki', 'adopt', 'tree']);
    expect([tree.code, tree.err]).toEqual([1, expect.stringContaining(`is used for ${says}`)]);
  });

  test('is believed by etcd, etcdctl and kbin; another CA of the same company is not', {
    timeout: 120_000,
  }, async () => {
    const company = new Company();
    const folder = place(cluster('127.0.0.1'));
    await intermediate(folder, company);
    const stranger = place(cluster('127.0.0.1'));
    await intermediate(stranger, company);
    const at = (name: string, below = folder): string => join(below, 'pki/etcd-ca', name);
    const anchor = join(folder, 'anchor.pem');
    // As hosts get it (StoreView.trusted): the CA alone, without those above it.
    writeFileSync(
      anchor,
      readFileSync(at('ca.crt'), 'utf8').split(/(?<=-----END CERTIFICATE-----\n)/)[0] ?? '',
    );
    const [client = 0, peer = 0] = await freePorts(2, '127.0.0.1');
    const data = join(folder, 'etcd');
    mkdirSync(data);
    const member = new LocalMember({
      name: 'm1',
      endpoint: `https://127.0.0.1:${client}`,
      peerUrl: `https://127.0.0.1:${peer}`,
      folder: data,
      program: join(await etcdRelease('3.5.16'), 'etcd'),
    });
    const pair = (name: string) => ({ cert: at(`${name}@m1.crt`), key: at(`${name}@m1.key`) });
    member.flags = [
      ...flagsOf(member, `m1=${member.peerUrl}`),
      ...tlsFlags(anchor, pair('etcd-server'), pair('etcd-peer')),
    ];
    await member.start();
    try {
      const credentials = (below: string) => ({
        ca: readFileSync(anchor, 'utf8'),
        cert: readFileSync(at('etcd-healthcheck-client.crt', below), 'utf8'),
        key: readFileSync(at('etcd-healthcheck-client.key', below), 'utf8'),
      });
      const etcdctl = async (below: string): Promise<string> =>
        execFileSync(
          join(await etcdRelease('3.5.16'), 'etcdctl'),
          [
            'endpoint',
            'health',
            `--endpoints=${member.endpoint}`,
            `--cacert=${anchor}`,
            `--cert=${at('etcd-healthcheck-client.crt', below)}`,
            `--key=${at('etcd-healthcheck-client.key', below)}`,
          ],
          { env: {}, encoding: 'utf8', stdio: 'pipe', timeout: 10_000 },
        );
      await until('etcd is healthy', async () => (await etcdctl(folder)) !== undefined);
      const address = { scheme: 'https', host: '127.0.0.1', port: client } as const;
      const served = await probeWire(address, credentials(folder), { deadlineMs: 5000 });
      expect([served.refusal, served.accepted, served.chain.length]).toEqual([undefined, true, 3]);
      const foreign = await probeWire(address, credentials(stranger), { deadlineMs: 5000 });
      expect(foreign.accepted).toBe(false);
      await expect(etcdctl(stranger)).rejects.toThrow();
      const etcd = await openMember({ name: 'm1', endpoint: member.endpoint }, credentials(folder));
      onTestFinished(() => etcd.close());
      expect(await etcd.get('nothing', 'linearizable')).toBeUndefined();
    } finally {
      await member.stop();
    }
  });
});

test('an intermediate kubernetes-ca is believed by kube-apiserver, kubectl and kbin', {
  timeout: 180_000,
}, async () => {
  const company = new Company();
  const folder = place(cluster('127.0.0.1'));
  const stranger = place(cluster('127.0.0.1'));
  await intermediate(folder, company, 'kubernetes-ca');
  await intermediate(stranger, company, 'kubernetes-ca');
  const at = (name: string, below = folder): string => join(below, 'pki/kubernetes-ca', name);
  const anchor = join(folder, 'anchor.pem');
  writeFileSync(anchor, (await openStore(join(folder, 'pki'))).view().trusted('kubernetes-ca') ?? '');
  await using etcd = await startEtcd({ size: 1 });
  const programs = await kubernetesRelease();
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const apiserver = new LocalProcess({ name: 'm1', port, program: join(programs, 'kube-apiserver'), folder });
  const account = join(folder, 'pki/service-account');
  apiserver.flags = [
    `--etcd-servers=${etcd.member(0).endpoint}`,
    `--etcd-cafile=${etcd.authority.caFile}`,
    `--etcd-certfile=${etcd.authority.path('client.crt')}`,
    `--etcd-keyfile=${etcd.authority.path('client.key')}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=192.0.2.1',
    `--secure-port=${port}`,
    `--cert-dir=${folder}/run`,
    `--client-ca-file=${anchor}`,
    `--tls-cert-file=${at('apiserver@m1.crt')}`,
    `--tls-private-key-file=${at('apiserver@m1.key')}`,
    '--authorization-mode=Node,RBAC',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${account}/sa.pub`,
    `--service-account-signing-key-file=${account}/sa.key`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
  ];
  await apiserver.start();
  try {
    const kubectl = (below: string): string =>
      execFileSync(
        join(programs, 'kubectl'),
        [
          `--server=https://127.0.0.1:${port}`,
          `--certificate-authority=${anchor}`,
          `--client-certificate=${at('admin.crt', below)}`,
          `--client-key=${at('admin.key', below)}`,
          ...['get', 'namespace', 'kube-system', '-o', 'name'],
        ],
        { env: { HOME: folder }, encoding: 'utf8', stdio: 'pipe', timeout: 20_000 },
      );
    await until('the apiserver answers', async () => kubectl(folder) === 'namespace/kube-system\n');
    expect(() => kubectl(stranger)).toThrow(/Unauthorized|must be logged in/);
    const credentials = {
      ca: readFileSync(anchor, 'utf8'),
      cert: readFileSync(at('admin.crt'), 'utf8'),
      key: readFileSync(at('admin.key'), 'utf8'),
    };
    const client = openApi({ name: 'm1', address: '127.0.0.1', port }, credentials, 10_000);
    onTestFinished(() => client.close());
    expect(await client.getJson('/api/v1/namespaces/kube-system')).toMatchObject({ kind: 'Namespace' });
  } finally {
    await apiserver.stop();
  }
});

test('as it is typed', { timeout: 60_000 }, async () => {
  const replace = [
    [/\b20\d\d-\d\d-\d\dT[0-9:.]+Z/g, 'YYYY-MM-DDThh:mm:ss.000Z'],
    [/\b20\d\d-\d\d-\d\d\b/g, 'YYYY-MM-DD'],
    [/ \d{4} +ok/g, ' DAYS ok'],
  ] as const;
  await expectTranscript(join(import.meta.dirname, 'outside.txt'), { replace });
});

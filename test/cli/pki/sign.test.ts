import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { inspectPem } from '../../../src/ca/inspect.ts';
import { issuedBy } from '../../../src/ca/issued.ts';
import { diskFiles } from '../../../src/ca/store-files.ts';
import { temporaryFolder } from '../../ca/stores.ts';
import { kbin } from '../in-process.ts';

let folder: string;
beforeAll(async () => {
  folder = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  writeFileSync(
    join(folder, 'cluster.yaml'),
    'name: prod\nhosts: [{ name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }]\netcd: { version: 3.5.16 }\nkubernetes: { version: 1.20.2 }\n',
  );
  await kbin(folder, ['pki', 'init']);
  return () => execFileSync('rm', ['-r', folder]);
});

const ec = '-newkey ec -pkeyopt ec_paramgen_curve:P-256';

/** A request by openssl; its path. */
function request(subject: string, more = '', key = ec): string {
  const at = temporaryFolder();
  const argv = `req -new ${key} -nodes -keyout key.pem -out request.csr -subj ${subject} ${more}`.trim();
  execFileSync('openssl', argv.split(/ +/), { cwd: at, stdio: 'pipe' });
  return join(at, 'request.csr');
}

const sans = '-addext subjectAltName=DNS:www.example.net,IP:10.0.0.9';
const sign = (...argv: string[]) => kbin(folder, ['pki', 'sign', ...argv]);

describe('a request from elsewhere', () => {
  test('is shown, and signed for what the profile says; what else it asks for is not granted', async () => {
    const csr = request(
      '/O=Web/CN=ingress',
      `${sans} -addext extendedKeyUsage=codeSigning,clientAuth -addext keyUsage=keyAgreement`,
    );
    const { code, out, err } = await sign(csr, '--profile', 'server', '--yes');
    expect(code).toBe(0);
    expect(err).toMatch(
      /REQUEST +SUBJECT +SANS +ASKS FOR +KEY\n.*O=Web, CN=ingress +www\.example\.net, ip:10\.0\.0\.9 +key agreement, code signing, client auth +ecdsa-p256\n/,
    );
    const [info] = inspectPem(out);
    expect([info?.subject, info?.usages, info?.isCa]).toEqual([
      'O=Web, CN=ingress',
      ['signing', 'server auth'],
      false,
    ]);
    expect(info?.sans).toEqual([
      { type: 'dns', value: 'www.example.net' },
      { type: 'ip', value: '10.0.0.9' },
    ]);
    const days = ((info?.notAfter.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    const file = join(temporaryFolder(), 'a.crt');
    writeFileSync(file, out);
    execFileSync(
      'openssl',
      ['verify', '-x509_strict', '-CAfile', join(folder, 'pki/kubernetes-ca/ca.crt'), file],
      { stdio: 'pipe' },
    );
    const record = issuedBy(diskFiles(join(folder, 'pki')), 'kubernetes-ca').at(-1);
    expect(record).toMatchObject({
      serial: info?.serial,
      subject: 'O=Web, CN=ingress',
      purpose: 'pki sign',
      authorityKeyId: info?.authorityKeyId,
    });
  });

  test('is signed by the CA, for the time and for the names that are asked for', async () => {
    const { out } = await sign(
      request('/CN=m2'),
      '--profile',
      'peer',
      '--authority',
      'etcd-ca',
      '--valid',
      '12h',
      '--sans',
      'm2,10.0.0.2',
      '--sans',
      '::1',
      '--yes',
    );
    const [info] = inspectPem(out);
    expect([info?.issuer, info?.usages]).toEqual(['CN=etcd-ca', ['signing', 'server auth', 'client auth']]);
    expect(info?.sans.map(({ value }) => value)).toEqual(['m2', '10.0.0.2', '::1']);
    expect(Math.round(((info?.notAfter.getTime() ?? 0) - Date.now()) / 3_600_000)).toBe(12);
  });

  test('that RSA key may encipher, and nothing outlives the CA', async () => {
    const { out, err } = await sign(
      request('/CN=a', sans, '-newkey rsa:2048'),
      '--profile',
      'server',
      '--valid',
      '90y',
      '--yes',
    );
    expect(inspectPem(out)[0]?.usages).toEqual(['signing', 'key encipherment', 'server auth']);
    expect(err).toContain('shorter than asked for: they end with kubernetes-ca');
  });

  test('is not signed where nobody can be asked and --yes is not said', async () => {
    const before = issuedBy(diskFiles(join(folder, 'pki')), 'kubernetes-ca').length;
    const { code, out, err } = await sign(request('/CN=a', sans), '--profile', 'server');
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('look at what is asked for above, and say --yes');
    expect(issuedBy(diskFiles(join(folder, 'pki')), 'kubernetes-ca')).toHaveLength(before);
  });

  test.each([
    ['a CA', '/CN=x', `${sans} -addext basicConstraints=critical,CA:TRUE`, ec, 'it asks to be a CA'],
    [
      'one that signs certificates',
      '/CN=x',
      `${sans} -addext keyUsage=keyCertSign`,
      ec,
      'it asks to be a CA',
    ],
    ['a superuser', '/O=system:masters/CN=x', sans, ec, 'O=system:masters is a name that Kubernetes keeps'],
    [
      'a component',
      '/CN=system:kube-scheduler',
      sans,
      ec,
      'CN=system:kube-scheduler is a name that Kubernetes keeps',
    ],
    [
      'a superuser of kubeadm',
      '/O=kubeadm:cluster-admins/CN=x',
      sans,
      ec,
      'O=kubeadm:cluster-admins is a name',
    ],
    [
      'the apiserver to Pods',
      '/CN=x',
      '-addext subjectAltName=DNS:Kubernetes.default.svc',
      ec,
      'Kubernetes.default.svc is where apiserver@m1 is',
    ],
    [
      'the apiserver, by a wildcard',
      '/CN=x',
      '-addext subjectAltName=DNS:*.default.svc',
      ec,
      '*.default.svc is where apiserver@m1 is',
    ],
    [
      'the apiserver, by the service address',
      '/CN=x',
      '-addext subjectAltName=IP:10.96.0.1',
      ec,
      '10.96.0.1 is where apiserver@m1 is',
    ],
    ['a short key', '/CN=x', sans, '-newkey rsa:1024', 'its key is weak: rsa-1024'],
    [
      'a curve of nobody',
      '/CN=x',
      sans,
      '-newkey ec -pkeyopt ec_paramgen_curve:secp256k1',
      'nobody here takes a key of type ecdsa-secp256k1',
    ],
    ['a server without names', '/CN=x', '', ec, 'it has no SANs'],
    ['nobody', '/O=x', sans, ec, 'its subject has no CN'],
    ['two', '/CN=x/CN=y', sans, ec, 'its subject has more than one CN'],
    [
      'a name that is none',
      '/CN=x',
      '-addext subjectAltName=DNS:a_b..c',
      ec,
      'is neither an address nor a DNS name',
    ],
    ['SHA-1', '/CN=x', `${sans} -sha1`, ec, 'it is signed with SHA-1'],
  ])('that is %s is refused', async (_what, subject, more, key, text) => {
    const { code, out, err } = await sign(request(subject, more, key), '--profile', 'server', '--yes');
    expect([code, out, err]).toEqual([1, '', expect.stringContaining(text)]);
  });

  test.each([
    ['kubernetes-ca', 'kubernetes-admin', 'admin'],
    ['kubernetes-ca', 'kube-apiserver-kubelet-client', 'apiserver-kubelet-client'],
    ['etcd-ca', 'kube-apiserver-etcd-client', 'apiserver-etcd-client'],
    ['front-proxy-ca', 'front-proxy-client', 'front-proxy-client'],
  ])(
    'to %s of the cluster’s own client %s is refused, and signed when that is meant',
    async (ca, name, entry) => {
      const argv = [request(`/CN=${name}`), '--profile', 'client', '--authority', ca, '--yes'];
      const { code, out, err } = await sign(...argv);
      expect([code, out, err]).toEqual([
        1,
        '',
        expect.stringContaining(`CN=${name} is the name of ${entry} (`),
      ]);
      expect((await sign(...argv, '--allow-system')).code).toBe(0);
    },
  );

  test.each([
    ['etcd-ca', 'client', 'whoever has a client certificate of etcd-ca reads and writes all of etcd'],
    ['etcd-ca', 'peer', 'whoever has a client certificate of etcd-ca reads and writes all of etcd'],
    ['front-proxy-ca', 'client', 'whoever has a client certificate of front-proxy-ca is any user'],
    ['etcd-ca', 'server', undefined],
    ['kubernetes-ca', 'client', undefined],
  ])('to %s as %s is signed with a word about what that allows', async (ca, profile, word) => {
    const { code, err } = await sign(
      request('/CN=x', sans),
      '--profile',
      profile,
      '--authority',
      ca,
      '--yes',
    );
    expect(code).toBe(0);
    if (word === undefined) expect(err).not.toContain('whoever has');
    else expect(err).toContain(word);
  });

  test('for the loopback, or a client with a name of the apiserver, is nobody else', async () => {
    const local = request('/CN=x', '-addext subjectAltName=DNS:localhost,IP:127.0.0.1');
    expect((await sign(local, '--profile', 'server', '--yes')).code).toBe(0);
    const client = request('/CN=x', '-addext subjectAltName=DNS:kubernetes.default.svc');
    expect((await sign(client, '--profile', 'client', '--yes')).code).toBe(0);
  });

  test('of a system name is signed when that is meant', async () => {
    const { out } = await sign(
      request('/O=system:nodes/CN=system:node:m1'),
      '--profile',
      'client',
      '--allow-system',
      '--yes',
    );
    expect(inspectPem(out)[0]?.subject).toBe('O=system:nodes, CN=system:node:m1');
  });

  test('in DER is read too', async () => {
    const csr = request('/CN=web', sans);
    execFileSync('openssl', ['req', '-in', csr, '-outform', 'DER', '-out', `${csr}.der`]);
    const { out, code } = await sign(`${csr}.der`, '--profile', 'server', '--yes');
    expect([code, inspectPem(out)[0]?.subject]).toEqual([0, 'CN=web']);
  });

  test('that was changed, is no request, or not there is refused', async () => {
    const csr = request('/CN=abcdef', sans);
    const der = execFileSync('openssl', ['req', '-in', csr, '-outform', 'DER']);
    der[der.indexOf('abcdef')] = 0x62;
    writeFileSync(
      csr,
      `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`,
    );
    const said = async (file: string) => (await sign(file, '--profile', 'server', '--yes')).err;
    expect(await said(csr)).toContain('is not signed with its own key');
    expect(await said('cluster.yaml')).toContain('is not one certificate request');
    expect(await said('pki/kubernetes-ca/ca.crt')).toContain('is not one certificate request');
    expect(await said('nowhere.csr')).toContain('there is no such file');
  });
});

test('many are signed at once, or none', async () => {
  const out = join(temporaryFolder(), 'out');
  const files = ['a', 'b'].map((name) => {
    const file = join(temporaryFolder(), `${name}.csr`);
    writeFileSync(file, readFileSync(request(`/CN=${name}`, sans)));
    return file;
  });
  const bad = await sign(...files, request('/CN=x', '', ec), '--profile', 'server', '--yes', '-o', out);
  expect([bad.code, existsSync(out)]).toEqual([1, false]);
  const { code, err } = await sign(...files, '--profile', 'server', '--yes', '-o', out);
  expect([code, readdirSync(out)]).toEqual([0, ['a.crt', 'b.crt']]);
  expect(err).toContain('wrote 2 certificates');
  const again = await sign(...files, '--profile', 'server', '--yes', '-o', out);
  expect([again.code, again.err]).toEqual([2, expect.stringContaining('a.crt exists already')]);
  const key = await sign(files[0] ?? '', '--profile', 'server', '--yes', '-o', 'pki/kubernetes-ca/ca.key');
  expect([key.code, key.err]).toEqual([2, expect.stringContaining('lies in the certificate store')]);
});

test.each([
  [['--profile', 'srver'], 'did you mean "server"'],
  [['--profile', 'server', '--authority', 'etcd'], 'there is no CA called "etcd"'],
  [['--profile', 'server', '--valid', 'long'], '--valid:'],
  [[], "required option '--profile <name>' not specified"],
])('%j is wrong usage', async (argv, text) => {
  const { code, err } = await sign(request('/CN=a', sans), ...argv);
  expect([code, err]).toEqual([2, expect.stringContaining(text)]);
});

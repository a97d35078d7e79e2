import { describe, expect, test } from 'vitest';
import { assess } from '../../../src/ca/assess.ts';
import { pemText } from '../../../src/ca/pem.ts';
import type { SeenCertificate } from '../../../src/ca/seen.ts';
import { judgeDisk } from '../../../src/cli/pki/check-disk.ts';
import { type ExpectedFile, expectedFiles } from '../../../src/cli/pki/check-expected.ts';
import { knownOf } from '../../../src/cli/pki/check-known.ts';
import { judgeServed } from '../../../src/cli/pki/check-served.ts';
import { desire } from '../../../src/desired/desire.ts';
import type { CertificateListener } from '../../../src/health/certificate-listeners.ts';
import type { CertificateFile } from '../../../src/observe/certificate-files.ts';
import { type Made, make } from '../../ca/authorities.ts';
import { filledStore, smallCluster, smallPlan } from '../../ca/stores.ts';

const now = new Date();
const terms = { now, withinHours: 720 };
const root = make({ name: 'etcd-ca', authority: {}, to: 3650 });
const young = make({ name: 'etcd-ca', authority: {}, to: 3650 });
const leaf = (wanted: Partial<Parameters<typeof make>[0]> = {}) =>
  make({ name: 'm1', by: root, sans: ['localhost'], ...wanted });
const own = leaf();

const authorities = [
  { name: 'etcd-ca', certificate: root.x509 },
  { name: 'next/etcd-ca', certificate: young.x509 },
];
const seen = (name: string, { der }: Made): SeenCertificate => ({
  seen: 'store',
  where: `pki/${name}`,
  name,
  ...assess(der, { ...terms, authorities }),
});
const stored = [seen('etcd-ca', root), seen('next/etcd-ca', young), seen('etcd-server@m1', own)];
const known = knownOf(
  smallPlan,
  { certificates: stored, others: [], authorities, notes: [], revoked: new Map() },
  terms,
);

const listener: CertificateListener = {
  host: 'm1',
  component: 'etcd',
  id: 'etcd-server@m1',
  address: { scheme: 'https', host: 'localhost', port: 2379 },
};
const onDisk = (made: Made): SeenCertificate => ({
  ...seen('etcd-server@m1', made),
  seen: 'host',
  host: 'm1',
});
const codes = ({ findings }: Pick<SeenCertificate, 'findings'>) => findings.map(({ code }) => code);

describe('what is served', () => {
  const judged = (chain: readonly Made[], beside: readonly SeenCertificate[] = stored) =>
    judgeServed(
      listener,
      chain.map(({ der }) => der),
      { certificates: beside, known },
    );

  test('is what lies on the disk', () => {
    expect(codes(judged([own], [...stored, onDisk(own)]))).toEqual([]);
  });

  test('is held against the disk, whatever pki/ has by now, and against pki/ where the disk was not read', () => {
    const former = leaf();
    expect(codes(judged([former], [...stored, onDisk(former)]))).toEqual([]);
    const { findings } = judged([former], [...stored, onDisk(own)]);
    expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      expect.stringMatching(/^served-differs: etcd shows another certificate .* than lies on its disk \(/),
    ]);
    expect(judged([former]).findings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/than pki\/ has/),
    ]);
  });

  test('leads to a CA of the cluster by what is sent alone', () => {
    const issuing = make({ name: 'issuing', by: root, authority: {} });
    const below = leaf({ by: issuing });
    const beside = [onDisk(below)];
    expect(codes(judged([below, issuing], beside))).toEqual([]);
    expect(codes(judged([below], beside))).toEqual(['issuer-unknown']);
  });

  test('is good for the address, and of a CA of this place', () => {
    const elsewhere = leaf({ sans: ['elsewhere'] });
    expect(codes(judged([elsewhere], [onDisk(elsewhere)]))).toEqual(['wrong-address']);
    const foreign = leaf({ by: make({ name: 'foreign', authority: {} }) });
    expect(codes(judged([foreign], [onDisk(foreign)]))).toEqual(['issuer-unknown']);
    expect(codes(judged([]))).toEqual(['unreadable']);
  });
});

describe('what lies on a disk', () => {
  const pem = (...made: readonly Made[]) => made.map(({ der }) => pemText('CERTIFICATE', der)).join('');
  const file = (parts: Partial<Extract<CertificateFile, { state: 'read' }>>): CertificateFile => ({
    state: 'read',
    mode: 0o600,
    owner: 'etcd',
    ...parts,
  });
  const bundle: ExpectedFile = { kind: 'certificates', path: '/pki/ca.crt', ders: [root.der, young.der] };
  const server: ExpectedFile = { kind: 'certificates', path: '/pki/server.crt', ders: [own.der] };
  const key: ExpectedFile = {
    kind: 'key',
    path: '/pki/server.key',
    ref: 'etcd-ca/etcd-server@m1.key',
    sha256: 'aa',
  };

  function judged(files: Readonly<Record<string, CertificateFile>>) {
    const found = new Map(
      [bundle, server, key].map(({ path }) => [path, files[path] ?? ({ state: 'absent' } as const)]),
    );
    const { certificates, others, nothing } = judgeDisk('m1', [bundle, server, key], found, {
      known,
      deploy: 'kbin etcd deploy',
    });
    return {
      nothing,
      findings: [
        ...certificates.flatMap((one) => codes(one).map((code) => `${code} ${one.name}`)),
        ...others.map(({ code, name }) => `${code} ${name}`),
      ],
      names: certificates.map(({ name }) => name),
    };
  }

  const good = {
    '/pki/ca.crt': file({ pem: pem(root, young) }),
    '/pki/server.crt': file({ pem: pem(own) }),
    '/pki/server.key': file({ sha256: 'aa' }),
  };

  test('as pki/ has it, with both CAs of a rotation', () => {
    expect(judged(good)).toEqual({
      nothing: false,
      findings: [],
      names: ['etcd-ca', 'next/etcd-ca', 'etcd-server@m1'],
    });
  });

  test('nothing at all was never brought there; a part that lacks is a fault', () => {
    expect(judged({})).toEqual({ nothing: true, findings: [], names: [] });
    expect(judged({ ...good, '/pki/ca.crt': { state: 'odd' } }).findings).toEqual(['disk-missing etcd-ca']);
  });

  test('a bundle of before the rotation, a certificate of before the renewal, a key of another', () => {
    expect(judged({ ...good, '/pki/ca.crt': file({ pem: pem(root) }) }).findings).toEqual([
      'disk-differs etcd-ca',
    ]);
    expect(judged({ ...good, '/pki/server.crt': file({ pem: pem(leaf()) }) }).findings).toEqual([
      'disk-differs etcd-server@m1',
    ]);
    expect(judged({ ...good, '/pki/server.crt': file({ pem: pem(own, root) }) }).findings).toEqual([
      'disk-differs etcd-server@m1',
    ]);
    expect(judged({ ...good, '/pki/server.crt': file({ pem: 'nothing' }) }).findings).toEqual([
      'unreadable etcd-server@m1',
    ]);
    expect(judged({ ...good, '/pki/server.key': file({ sha256: 'bb', mode: 0o640 }) }).findings).toEqual([
      'key-open etcd-server@m1',
      'key-differs etcd-server@m1',
    ]);
  });
});

test('every certificate, kubeconfig and key that a host gets is looked at', async () => {
  const store = (await filledStore()).view();
  const [host] = smallCluster.hosts;
  if (host === undefined) throw new Error('no host');
  const { components } = desire(smallCluster, host, { store });
  const expected = components.flatMap(expectedFiles);
  const files = components.flatMap(({ files: own, bundles }) => [
    ...own,
    ...bundles.flatMap((one) => one.files.map((file) => ({ ...file, path: `${one.path}/${file.path}` }))),
  ]);
  const wanted = files
    .map(({ path }) => path)
    .filter((path) => /\.(crt|key)$|kubeconfig$|admin\.conf$/.test(path));
  expect(wanted.length).toBeGreaterThan(20);
  expect(expected.map(({ path }) => path).sort()).toEqual(wanted.sort());
});

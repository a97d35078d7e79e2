import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { planAdoption } from '../../src/ca/adopt.ts';
import { certificateParts } from '../../src/ca/certificate-parts.ts';
import { isIssuedBy } from '../../src/ca/chain.ts';
import { type Item, readContents } from '../../src/ca/contents.ts';
import { encodeCrl } from '../../src/ca/crl.ts';
import { crlPem, inspectCrl } from '../../src/ca/crl-read.ts';
import { readFound } from '../../src/ca/found.ts';
import { inspectPem } from '../../src/ca/inspect.ts';
import { issuedBy } from '../../src/ca/issued.ts';
import { encryptKey } from '../../src/ca/key-encryption.ts';
import { readPrivateKey } from '../../src/ca/keys.ts';
import { lint } from '../../src/ca/lint.ts';
import { observeStore, readRaw } from '../../src/ca/observed-store.ts';
import { pemBlocks, pemText } from '../../src/ca/pem.ts';
import { encodePkcs12 } from '../../src/ca/pkcs12.ts';
import { encodeRequest } from '../../src/ca/request.ts';
import { revokedBy } from '../../src/ca/revocation.ts';
import { isSignedWith } from '../../src/ca/revocation-signature.ts';
import { readAsked, refusals } from '../../src/ca/sign-request.ts';
import { applyChanges } from '../../src/ca/store-apply.ts';
import { diffStore } from '../../src/ca/store-diff.ts';
import type { FileReading, StoreFiles } from '../../src/ca/store-files.ts';
import type { StoreFile } from '../../src/ca/transaction.ts';
import { readAdoptable } from '../../src/cli/pki/adopt-yaml.ts';
import { readDocuments } from '../../src/cli/pki/show-documents.ts';
import { openPkcs12 } from '../../src/cli/pki/show-pkcs12.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../cluster/fixture.ts';
import { type Below, mutateBytes, mutateJson, mutatePem, type Target } from './mutate.ts';

const now = new Date('2026-06-01T12:00:00Z');
const password = 'pässword';

/** A store in memory, of which one file may be another. */
class Files implements StoreFiles {
  readonly contents: Map<string, string>;

  constructor(contents: ReadonlyMap<string, string> = new Map()) {
    this.contents = new Map(contents);
  }

  read(path: string): FileReading {
    const text = this.contents.get(path);
    return text === undefined
      ? { state: 'absent' }
      : { state: 'read', content: Buffer.from(text), mode: path.endsWith('.key') ? 0o600 : 0o644 };
  }

  list(): readonly string[] {
    return [...this.contents.keys()];
  }

  place(path: string): string {
    return `pki/${path}`;
  }

  text(path: string): string {
    return this.contents.get(path) ?? '';
  }
}

const plan = certificatePlan(exampleCluster({ hosts: [exampleHost('m1', '10.0.0.1')] }));

/** What `kbin pki init` makes. */
async function filled(): Promise<Files> {
  const files = new Files();
  const store = await observeStore(plan, readRaw(plan, files), undefined);
  const { changes } = diffStore(plan, store, now, files.place);
  const stage = ({ path, content }: StoreFile): void =>
    void files.contents.set(path, Buffer.from(content).toString('utf8'));
  await applyChanges(plan, changes, { now, store, stage });
  return files;
}

interface Seeds {
  readonly files: Files;
  readonly ca: string;
  readonly caKey: string;
  readonly leaf: string;
  readonly csr: string;
  readonly crl: string;
  readonly encryptedKey: string;
  readonly slowKey: string;
  readonly pkcs12: Buffer;
  readonly kubeconfig: string;
  readonly secret: string;
  readonly encryption: string;
}

const derOf = (pem: string): Buffer => pemBlocks(pem, 'the seed')[0]?.der ?? Buffer.alloc(0);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function seeds(): Promise<Seeds> {
  const files = await filled();
  const ca = files.text('kubernetes-ca/ca.crt');
  const caKey = files.text('kubernetes-ca/ca.key');
  const leaf = files.text('kubernetes-ca/apiserver@m1.crt');
  const leafKey = files.text('kubernetes-ca/apiserver@m1.key');
  const { subject, spki } = certificateParts(derOf(leaf));
  const key = createPrivateKey(caKey);
  const asked = encodeRequest({ subject, spki, extensions: [] }, createPrivateKey(leafKey));
  const list = encodeCrl(
    {
      issuer: certificateParts(derOf(ca)).subject,
      thisUpdate: now,
      nextUpdate: new Date(now.getTime() + 86_400_000),
      number: Buffer.from([7]),
      revoked: [
        { serial: randomBytes(20), at: now, reason: 1 },
        { serial: Buffer.from([5]), at: now },
      ],
    },
    key,
  );
  const users = { 'client-certificate-data': base64(leaf), 'client-key-data': base64(leafKey) };
  return {
    ...{ files, ca, caKey, leaf },
    csr: pemText('CERTIFICATE REQUEST', asked),
    crl: crlPem(list),
    encryptedKey: key.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: password,
    }) as string,
    slowKey: encryptKey(caKey, password),
    pkcs12: encodePkcs12(
      {
        name: 'a',
        certificates: [derOf(leaf), derOf(ca)],
        key: createPrivateKey(leafKey).export({ type: 'pkcs8', format: 'der' }),
      },
      password,
      'modern',
    ),
    kubeconfig: JSON.stringify({
      kind: 'Config',
      apiVersion: 'v1',
      clusters: [{ name: 'c', cluster: { 'certificate-authority-data': base64(ca), server: 'https://x' } }],
      users: [{ name: 'u', user: users }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
    secret: JSON.stringify({
      kind: 'List',
      items: [
        {
          kind: 'Secret',
          metadata: { name: 's', namespace: 'n' },
          data: { 'tls.crt': base64(leaf), 'tls.key': base64(leafKey), 'ca.crt': base64(ca) },
        },
        { kind: 'ConfigMap', metadata: { name: 'm' }, data: { 'ca.crt': ca } },
        {
          kind: 'CertificateSigningRequest',
          spec: { request: base64(pemText('CERTIFICATE REQUEST', asked)) },
        },
      ],
    }),
    encryption: JSON.stringify({
      kind: 'EncryptionConfiguration',
      apiVersion: 'apiserver.config.k8s.io/v1',
      resources: [
        {
          resources: ['secrets'],
          providers: [
            { secretbox: { keys: [{ name: 'key1', secret: randomBytes(32).toString('base64') }] } },
            { aescbc: { keys: [{ name: 'key2', secret: randomBytes(32).toString('base64') }] } },
            { identity: {} },
          ],
        },
      ],
    }),
  };
}

/** What a signature covers: of a certificate, a request and a list alike the first part. */
function signedPart(der: Buffer): string {
  const length = (der[1] ?? 0) < 0x80 ? 2 : 2 + ((der[1] ?? 0) & 0x7f);
  const inner = der.subarray(length);
  const size = (inner[1] ?? 0) < 0x80 ? 2 + (inner[1] ?? 0) : undefined;
  if (size !== undefined) return inner.subarray(0, size).toString('hex');
  const octets = (inner[1] ?? 0) & 0x7f;
  return inner.subarray(0, 2 + octets + inner.readUIntBE(2, Math.min(octets, 6))).toString('hex');
}

function wrong(what: string, input: string): Error {
  return new Error(`${what}: ${input}`);
}

/** As YAML that people write, or as JSON. */
function mutateDocument(text: string, below: Below): string {
  return below(4) === 0 ? mutateBytes(Buffer.from(text), below).toString('utf8') : mutateJson(text, below);
}

/** What reads the files of the life of a certificate: one reader each, and what it must not have let pass. */
export async function lifeCycleTargets(): Promise<readonly Target[]> {
  const made = await seeds();
  const authority = new X509Certificate(made.ca);
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  const show = (bytes: Buffer): readonly Item[] =>
    readContents(bytes, 'input') ?? readDocuments(bytes.toString('utf8'), 'input');
  return [
    (below) => {
      const seed = [made.leaf, made.ca, made.csr, made.crl, made.caKey, made.leaf + made.ca][below(6)] ?? '';
      show(Buffer.from(mutatePem(seed, below), 'latin1'));
    },
    (below) => {
      const seed = [derOf(made.leaf), derOf(made.csr), derOf(made.crl), made.pkcs12][below(4)];
      show(mutateBytes(seed ?? Buffer.alloc(0), below));
    },
    (below) => {
      const pem = mutatePem(made.leaf, below);
      const [info] = inspectPem(pem, 'input');
      if (info === undefined) return;
      const der = derOf(info.pem);
      lint(der, { roles: ['server'] });
      const signed = isIssuedBy(new X509Certificate(der), authority);
      if (signed && signedPart(der) !== signedPart(derOf(made.leaf)))
        throw wrong('a certificate that was changed was taken for signed', pem);
    },
    (below) => {
      lint(mutateBytes(derOf(below(2) === 0 ? made.leaf : made.ca), below));
    },
    (below) => {
      const pem = mutatePem(made.csr, below);
      const asked = readAsked(pem, 'input');
      for (const one of plan.authorities) {
        refusals(
          asked,
          { usages: ['client auth', 'server auth'], validityHours: 1, allowSystem: false },
          one,
        );
      }
      if (signedPart(derOf(pem)) !== signedPart(derOf(made.csr)))
        throw wrong('a request that was changed was taken', pem);
    },
    (below) => {
      const pem = mutatePem(made.crl, below);
      const list = inspectCrl(pem, 'input');
      if (isSignedWith(list, stranger)) throw wrong('a list was taken for a stranger’s', pem);
      if (isSignedWith(list, authority.publicKey) && signedPart(list.der) !== signedPart(derOf(made.crl)))
        throw wrong('a list that was changed was taken for signed', pem);
    },
    (below) => {
      // Opening one takes its time, so most are only looked at.
      const der = mutateBytes(made.pkcs12, below);
      const items = readContents(der, 'input') ?? [];
      const [item] = items;
      if (item?.kind !== 'pkcs12' || below(5) > 0) return;
      const opened = openPkcs12(item, below(4) === 0 ? 'another one' : password);
      const known = [made.leaf, made.ca].map((pem) => derOf(pem).toString('hex'));
      for (const each of opened) {
        if (each.kind !== 'certificate' || !known.includes(derOf(each.info.pem).toString('hex')))
          throw wrong('a PKCS #12 file that was changed was opened', der.toString('base64'));
      }
    },
    (below) => {
      // With scrypt a fifth of a second each.
      const seed = below(200) === 0 ? made.slowKey : made.encryptedKey;
      const pem = mutatePem(seed, below);
      const reading = readPrivateKey(pem, below(4) === 0 ? undefined : password);
      if (reading.state !== 'read') return;
      const plain = reading.key.export({ type: 'pkcs8', format: 'pem' });
      // CBC is no seal: what still is a key after a change of its bytes must at least be a whole one.
      createPrivateKey(plain);
    },
    (below) => {
      show(Buffer.from(mutateDocument(made.kubeconfig, below)));
    },
    (below) => {
      show(Buffer.from(mutateDocument(made.secret, below)));
    },
    (below) => {
      adopt([], mutateDocument(made.encryption, below));
    },
    (below) => {
      const { files } = made;
      const paths = files.list().filter((path) => /\.(crt|key|pub)$/.test(path));
      const chosen = Array.from({ length: 4 }, () => paths[below(paths.length)] ?? '');
      const texts = chosen.map((path) => ({ place: path, pem: files.text(path), mode: 0o600 }));
      const changed = { place: 'changed', pem: mutatePem(files.text(chosen[0] ?? ''), below), mode: 0o644 };
      const genuine = new Set(files.list().map((path) => signedPartOf(files.text(path))));
      for (const { id, certificate } of adopt(
        [...texts.slice(1), changed],
        mutateDocument(made.kubeconfig, below),
      )) {
        // Only a CA may be anybody's own word.
        if (certificate === undefined || certificate.isCa) continue;
        if (!genuine.has(signedPart(derOf(certificate.pem))))
          throw wrong(`${id}: a certificate that was changed was adopted`, certificate.pem);
      }
    },
    async (below) => {
      const { files } = made;
      const paths = files.list();
      const path = paths[below(paths.length)] ?? '';
      const before = files.text(path);
      const text = path.endsWith('.crt')
        ? mutatePem(before, below)
        : mutateBytes(Buffer.from(before), below).toString('utf8');
      const changed = new Files(files.contents);
      changed.contents.set(path, text);
      const store = await observeStore(plan, readRaw(plan, changed), below(2) === 0 ? undefined : 'x');
      const { changes, problems } = diffStore(plan, store, now, changed.place);
      if (changes.length + problems.length > 0 || !path.endsWith('.crt')) return;
      if (signedPartOf(text) !== signedPartOf(before))
        throw wrong(`${path} was changed, and nothing was said of it`, text);
    },
    (below) => {
      const line = JSON.stringify({
        serial: '4D8BF7C5DEB2',
        subject: 'CN=jane',
        sans: ['dns:a'],
        notAfter: now.toISOString(),
        purpose: 'kubeconfig',
        issuedAt: now.toISOString(),
        name: 'jane',
        at: now.toISOString(),
        reason: 'unspecified',
      });
      const text = `${mutateJson(line, below)}\n${line}\n`;
      const files = new Files(
        new Map([
          ['etcd-ca/issued', text],
          ['etcd-ca/revoked', text],
        ]),
      );
      issuedBy(files, 'etcd-ca');
      revokedBy(files, 'etcd-ca');
    },
  ];
}

function signedPartOf(pem: string): string {
  const der = derOf(pem);
  return der.length > 8 ? signedPart(der) : '';
}

function adopt(texts: Parameters<typeof readFound>[0], document: string) {
  const read = readAdoptable('input', document);
  const found = readFound([...texts, ...read.texts.map((each) => ({ ...each, mode: 0o600 }))], undefined);
  const { items } = planAdoption({
    found,
    encryption: read.encryption,
    plan,
    addresses: new Map([['m1', '10.0.0.1']]),
    settings: { provider: 'secretbox', resources: ['secrets'] },
    files: new Files(),
    wishes: { as: new Map(), skip: new Set(), replace: new Set() },
    now,
    passphrase: undefined,
  });
  return items;
}

import { type KeyObject, X509Certificate } from 'node:crypto';
import { type CertificateParts, extensionValue, readKeyIdentifier } from '../ca/certificate-parts.ts';
import { extensionOids } from '../ca/extensions.ts';
import { readName } from '../ca/name-read.ts';
import { pemBlocks, pemText } from '../ca/pem.ts';
import { readSans } from '../ca/san-read.ts';
import { exitCode, KbinError } from '../errors.ts';
import { type Input, readCertificate } from './authority.ts';
import { instant } from './certinfo.ts';
import { keyPem, spkiOf } from './key.ts';
import { readable } from './readable.ts';
import { signatureAlgorithms } from './signature-names.ts';

export interface BundleOrder {
  /** The certificate, and what may follow it in its file. */
  readonly certificate: Input;
  readonly key?: { readonly key: KeyObject; readonly name: string };
  readonly roots: readonly Input[];
  readonly intermediates: readonly Input[];
  /** Take the chain as the file has it, without a root. */
  readonly force: boolean;
  readonly now: Date;
}

interface Certificate {
  readonly parts: CertificateParts;
  readonly x509: X509Certificate;
}

const thirtyDays = 30 * 86_400_000;

/** What `cfssl bundle` prints: a certificate with what leads to a root of `roots`, the shortest way there is. */
export function bundle(order: BundleOrder): object {
  return readable(order.certificate.name, () => bundled(order));
}

function bundled(order: BundleOrder): object {
  const given = certificates(order.certificate);
  const [leaf, ...after] = given;
  if (leaf === undefined) throw new KbinError(`${order.certificate.name} holds no certificate`);
  checkKey(leaf, order);
  const { chain, root } = order.force
    ? { chain: forced(given, order.certificate.name), root: undefined }
    : search(leaf, [...after, ...order.intermediates.flatMap(certificates)], order);
  const path = root === undefined ? chain : [...chain, root];
  const expired = path.find(({ parts }) => parts.notAfter <= order.now || parts.notBefore > order.now);
  if (expired !== undefined) {
    throw new KbinError(`${subjectText(expired)} is not valid now`, {
      why: `it is valid from ${instant(expired.parts.notBefore)} to ${instant(expired.parts.notAfter)}`,
      next: 'renew it first',
    });
  }
  return described(leaf, chain, root, order, given.length !== chain.length);
}

function certificates({ text, name }: Input): Certificate[] {
  return pemBlocks(text, name)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }) => ({ parts: readCertificate(der, name), x509: new X509Certificate(der) }));
}

function checkKey({ parts }: Certificate, { key, certificate }: BundleOrder): void {
  if (key === undefined || spkiOf(key.key).equals(parts.spki)) return;
  throw new KbinError(`${key.name} is not the key of ${certificate.name}`, {
    next: 'give the key that belongs to the certificate',
    exit: exitCode.usage,
  });
}

function isIssuer(issuer: Certificate, of: Certificate): boolean {
  if (!issuer.x509.ca || !issuer.parts.subject.equals(of.parts.issuer)) return false;
  return of.x509.checkIssued(issuer.x509) && of.x509.verify(issuer.x509.publicKey);
}

/** Breadth first, each certificate once, so that neither a ring of CAs nor a crowd of them takes long. */
function search(
  leaf: Certificate,
  intermediates: readonly Certificate[],
  { roots, certificate }: BundleOrder,
): { chain: readonly Certificate[]; root: Certificate } {
  const anchors = roots.flatMap(certificates);
  if (leaf.parts.subject.equals(leaf.parts.issuer)) {
    throw new KbinError(`${certificate.name} signs itself: there is no chain to be made`, {
      next: 'give the certificate that is to be bundled, not that of its CA',
      exit: exitCode.usage,
    });
  }
  let fresh = intermediates;
  let ways: (readonly Certificate[])[] = [[leaf]];
  while (ways.length > 0) {
    for (const chain of ways) {
      const last = chain.at(-1) ?? leaf;
      const root = anchors.find((anchor) => isIssuer(anchor, last));
      if (root !== undefined) return { chain, root };
    }
    const longer = ways.flatMap((chain) =>
      fresh.filter((one) => isIssuer(one, chain.at(-1) ?? leaf)).map((one) => [...chain, one]),
    );
    const used = new Set(longer.map((chain) => chain.at(-1)));
    fresh = fresh.filter((one) => !used.has(one));
    ways = longer.filter(
      (chain, index) => longer.findIndex((other) => other.at(-1) === chain.at(-1)) === index,
    );
  }
  throw new KbinError(`no chain leads from ${certificate.name} to a root`, {
    why:
      anchors.length === 0
        ? 'there are no roots: kbin asks no list of the machine'
        : 'none of the certificates given signed it, or what lies between is missing',
    next: 'give the root with -ca-bundle and what lies between with -int-bundle',
    exit: exitCode.usage,
  });
}

function forced(given: readonly Certificate[], name: string): readonly Certificate[] {
  for (const [index, one] of given.slice(1).entries()) {
    const before = given[index];
    if (before !== undefined && !isIssuer(one, before)) {
      throw new KbinError(`${name}: certificate ${index + 2} did not sign certificate ${index + 1}`, {
        next: 'put the certificates into their order, the leaf first',
        exit: exitCode.usage,
      });
    }
  }
  return given;
}

function described(
  leaf: Certificate,
  chain: readonly Certificate[],
  root: Certificate | undefined,
  { key, now }: BundleOrder,
  isRebundled: boolean,
): object {
  const { parts, x509 } = leaf;
  const expires = [...chain, ...(root === undefined ? [] : [root])]
    .map((one) => one.parts.notAfter)
    .reduce((first, date) => (date < first ? date : first));
  const [kind, size] = keyKind(x509.publicKey);
  const access = x509.infoAccess ?? '';
  const ocsp = [...access.matchAll(/^OCSP - URI:(.*)$/gm)].map(([, url]) => url);
  const pem = (one: Certificate): string => pemText('CERTIFICATE', one.parts.der).trimEnd();
  return {
    bundle: chain.map(pem).join('\n'),
    crl_support: extensionValue(parts, '2.5.29.31') !== undefined,
    crt: pem(leaf),
    expires: instant(expires),
    hostnames: hostnames(parts),
    issuer: slashed(parts.issuer),
    key: key === undefined ? '' : keyPem(key.key).trimEnd(),
    key_size: size,
    key_type: kind,
    leaf_expires: instant(parts.notAfter),
    ocsp: ocsp.length === 0 ? null : ocsp,
    ocsp_support: ocsp.length > 0,
    root: root === undefined ? '' : pem(root),
    signature: signatureAlgorithms[parts.signatureAlgorithm]?.name ?? 'Unknown Signature',
    status: status(chain, root !== undefined, isRebundled, now),
    subject: slashed(parts.subject),
  };
}

function status(chain: readonly Certificate[], isRooted: boolean, rebundled: boolean, now: Date): object {
  const expiring = chain.filter(({ parts }) => parts.notAfter.getTime() - now.getTime() < thirtyDays);
  const numbers = expiring.map((one) => `#${chain.indexOf(one) + 1}`);
  return {
    rebundled,
    expiring_SKIs: expiring.length === 0 ? null : expiring.map(({ parts }) => keyId(parts)),
    untrusted_root_stores: isRooted ? [] : null,
    messages:
      expiring.length === 0
        ? []
        : [`The bundle is expiring within 30 days: ${numbers.join(', ')} in the chain.`],
    code: expiring.length === 0 ? 0 : 1,
  };
}

function keyId(parts: CertificateParts): string {
  const id = readKeyIdentifier(extensionValue(parts, extensionOids.subjectKeyId));
  return id?.toString('hex').toUpperCase() ?? '';
}

function keyKind(key: KeyObject): [string, number] {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') return [`${modulusLength}-bit RSA`, modulusLength ?? 0];
  if (key.asymmetricKeyType === 'ed25519') return ['Ed25519', 0];
  const size = { prime256v1: 256, secp384r1: 384, secp521r1: 521 }[namedCurve ?? ''];
  return size === undefined ? ['Unknown', 0] : [`${size}-bit ECDSA`, size];
}

function hostnames(parts: CertificateParts): string[] {
  const common = readName(parts.subject)
    .flat()
    .filter(({ oid, value }) => oid === '2.5.4.3' && value !== '')
    .slice(-1);
  const sans = readSans(extensionValue(parts, extensionOids.subjectAltName));
  const names = [...common, ...sans.filter(({ type }) => type === 'dns')].map(({ value }) => value);
  return [...new Set(names)];
}

const longNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CommonName',
  '2.5.4.5': 'SerialNumber',
  '2.5.4.6': 'Country',
  '2.5.4.7': 'Locality',
  '2.5.4.8': 'Province',
  '2.5.4.9': 'StreetAddress',
  '2.5.4.10': 'Organization',
  '2.5.4.11': 'OrganizationalUnit',
  '2.5.4.17': 'PostalCode',
};

function slashed(name: Buffer): string {
  return readName(name)
    .flat()
    .map(({ oid, value }) => `/${longNames[oid] ?? ''}=${value}`)
    .join('');
}

function subjectText({ parts }: Certificate): string {
  return slashed(parts.subject) || 'a certificate without a name';
}

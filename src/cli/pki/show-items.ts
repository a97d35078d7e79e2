import { X509Certificate } from 'node:crypto';
import { dirname, join } from 'node:path';
import { authorities } from '../../../pki/index.ts';
import { type KnownAuthority, pathOf } from '../../ca/certificate-path.ts';
import { certificatesOf, isRoot } from '../../ca/chain.ts';
import type { Item } from '../../ca/contents.ts';
import type { CrlInfo } from '../../ca/crl-read.ts';
import { type CertificateInfo, daysLeft } from '../../ca/inspect.ts';
import { pathsBeside, pathsOf } from '../../ca/layout.ts';
import { readName } from '../../ca/name-read.ts';
import { nameText } from '../../ca/names.ts';
import { isSignedWith } from '../../ca/revocation-signature.ts';
import { shortName } from '../../ca/sign-request.ts';
import { readConsistently, type StoreFiles } from '../../ca/store-files.ts';
import { findClusterFile } from '../../cluster/find.ts';
import type { CliContext } from '../context.ts';
import type { Shown } from './show-rows.ts';

/** What things are compared with: the time, and the CAs of the cluster whose cluster.yaml is at hand. */
export interface Surroundings {
  readonly now: Date;
  /** Absolute path of its pki/; undefined where there is no cluster.yaml. */
  readonly folder: string | undefined;
  readonly authorities: readonly KnownAuthority[];
}

/** Whatever keeps a cluster's CAs from being read is no reason not to show a file. */
export function surroundingsOf({ io, config }: CliContext, now: Date): Surroundings {
  try {
    const folder = join(dirname(findClusterFile(config, io)), 'pki');
    return { now, folder, authorities: readConsistently(folder, knownIn) };
  } catch {
    return { now, folder: undefined, authorities: [] };
  }
}

function knownIn(files: StoreFiles): KnownAuthority[] {
  return authorities.flatMap(({ id }) =>
    [
      [id, pathsOf(id)] as const,
      [`next ${id}`, pathsBeside('next', id)] as const,
      [`previous ${id}`, pathsBeside('previous', id)] as const,
    ].flatMap(([name, { certificate = '' }]) => {
      const reading = files.read(certificate);
      if (reading.state !== 'read') return [];
      const [own] = certificatesOf(reading.content.toString('utf8'));
      return own === undefined ? [] : [{ name: `${name} of this cluster`, certificate: own }];
    }),
  );
}

/** What is at hand to have signed something: certificates that came along, and CAs. */
interface AtHand extends Surroundings {
  readonly sent: readonly X509Certificate[];
  /** Those of the cluster, and those that came along. */
  readonly all: readonly KnownAuthority[];
}

/** Certificates are told with what signed them: another one of the same input, or a CA of the cluster. */
export function shownItems(items: readonly Item[], around: Surroundings): Shown[] {
  const certificates = items.flatMap((item) =>
    item.kind === 'certificate'
      ? [{ name: item.where, certificate: new X509Certificate(item.info.pem) }]
      : [],
  );
  const all = [...around.authorities, ...certificates.filter(({ certificate }) => certificate.ca)];
  const atHand = { ...around, sent: certificates.map(({ certificate }) => certificate), all };
  return items.map((item) => shownItem(item, atHand));
}

function shownItem(item: Item, atHand: AtHand): Shown {
  const file = item.where;
  if (item.kind === 'certificate') return shownCertificate(file, item.info, atHand);
  if (item.kind === 'list') return shownList(file, item.list, atHand);
  if (item.kind === 'key') return { kind: 'hidden', file, what: item.what };
  if (item.kind === 'pkcs12') throw new Error('a PKCS #12 file that was not opened');
  const { subject, sans, usages, key, isCa } = item.asked;
  return { kind: 'request', file, subject: nameText(subject), sans, usages, key, isCa };
}

function shownCertificate(file: string, info: CertificateInfo, atHand: AtHand): Shown {
  const signedBy = signerOf(new X509Certificate(info.pem), atHand);
  return {
    kind: 'certificate',
    file,
    daysLeft: daysLeft(info, atHand.now),
    ...info,
    ...(signedBy === undefined ? {} : { signedBy }),
  };
}

/** In a phrase; undefined: nobody who is at hand. */
function signerOf(
  certificate: X509Certificate,
  { sent, authorities: ofCluster, all }: AtHand,
): string | undefined {
  if (isRoot(certificate)) {
    const itself = ofCluster.find((known) => known.certificate.raw.equals(certificate.raw));
    return itself === undefined ? 'itself' : `itself: it is ${itself.name}`;
  }
  const others = all.filter((known) => !known.certificate.raw.equals(certificate.raw));
  const { anchor, between, fault } = pathOf(certificate, sent, ofCluster);
  if (anchor !== undefined && !anchor.certificate.raw.equals(certificate.raw)) {
    const through =
      between.length === 0 ? '' : `, through ${between.length} CA${between.length > 1 ? 's' : ''} between`;
    return `${anchor.name}${through}${fault === undefined ? '' : ` (but ${fault})`}`;
  }
  return pathOf(certificate, [], others).anchor?.name;
}

function shownList(file: string, list: CrlInfo, { all, now }: AtHand): Shown {
  const signer = all.find(({ certificate }) => isSignedWith(list, certificate.publicKey));
  return {
    kind: 'list',
    file,
    issuer: nameText(
      readName(list.issuer)
        .flat()
        .map(({ oid, value }) => ({ type: shortName(oid), value })),
    ),
    thisUpdate: list.thisUpdate,
    ...(list.nextUpdate === undefined
      ? {}
      : { nextUpdate: list.nextUpdate, daysLeft: daysLeft({ notAfter: list.nextUpdate }, now) }),
    ...(list.number === undefined ? {} : { number: list.number }),
    ...(list.authorityKeyId === undefined ? {} : { authorityKeyId: list.authorityKeyId }),
    revoked: list.revoked,
    ...(signer === undefined ? {} : { signedBy: signer.name }),
  };
}

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { type CertificateInfo, inspectPem } from './inspect.ts';
import { algorithmOf, publicPartOf, readPrivateKey } from './keys.ts';
import { type PemBlock, pemBlocks } from './pem.ts';

/** A text that may hold certificates and keys: a file, or what a kubeconfig has in it. */
export interface SourceText {
  /** For people: `/etc/kubernetes/pki/ca.crt`, `/etc/kubernetes/admin.conf (client-key-data)`. */
  readonly place: string;
  /** What was DER in its file is PEM of the same bytes. */
  readonly pem: string;
  /** Permission bits of the file. */
  readonly mode: number;
}

/** Everything that was found, each thing once, whatever files it is in. */
export interface Found {
  readonly certificates: readonly FoundCertificate[];
  readonly keys: readonly FoundKey[];
  readonly publicKeys: readonly FoundPublicKey[];
  /** What is there and could not be read. */
  readonly unreadable: readonly { readonly place: string; readonly reason: string }[];
}

export interface FoundCertificate {
  readonly info: CertificateInfo;
  readonly x509: X509Certificate;
  /** SubjectPublicKeyInfo, DER in hex. */
  readonly spki: string;
  /** Where it is; the first one is named in messages. */
  readonly places: readonly string[];
}

export interface FoundKey {
  readonly key: KeyObject;
  readonly spki: string;
  /** As it stands in its file: all of the file where it holds nothing else. */
  readonly text: string;
  readonly algorithm: string;
  readonly places: readonly string[];
  /** Places that users other than the owner may read. */
  readonly open: readonly string[];
}

export interface FoundPublicKey {
  readonly spki: string;
  readonly places: readonly string[];
}

/** `passphrase` opens encrypted keys. */
export function readFound(sources: readonly SourceText[], passphrase: string | undefined): Found {
  const certificates = new Map<string, FoundCertificate>();
  const keys = new Map<string, FoundKey>();
  const publicKeys = new Map<string, FoundPublicKey>();
  const unreadable: { place: string; reason: string }[] = [];
  for (const { place, pem, mode } of sources) {
    for (const block of blocksOf(pem, place, unreadable)) {
      try {
        if (isCertificate(block)) merge(certificates, certificateOf(block, place));
        else if (block.label.endsWith('PRIVATE KEY'))
          merge(keys, keyOf(block, pem, { place, mode, passphrase }));
        else if (block.label.endsWith('PUBLIC KEY')) merge(publicKeys, publicKeyOf(block, place));
      } catch (error) {
        unreadable.push({ place, reason: error instanceof Error ? error.message : String(error) });
      }
    }
  }
  return {
    certificates: [...certificates.values()],
    keys: [...keys.values()],
    publicKeys: [...publicKeys.values()],
    unreadable,
  };
}

function blocksOf(pem: string, place: string, unreadable: { place: string; reason: string }[]): PemBlock[] {
  try {
    return pemBlocks(pem, place);
  } catch (error) {
    unreadable.push({ place, reason: error instanceof Error ? error.message : String(error) });
    return [];
  }
}

const isCertificate = ({ label }: PemBlock): boolean => /^(X509 |TRUSTED )?CERTIFICATE$/.test(label);

interface Thing {
  readonly places: readonly string[];
  readonly open?: readonly string[];
}

function merge<T extends Thing & { readonly id: string }>(
  known: Map<string, Omit<T, 'id'>>,
  { id, ...thing }: T,
): void {
  const before = known.get(id);
  if (before === undefined) {
    known.set(id, thing);
    return;
  }
  const both = (of: readonly string[] = [], more: readonly string[] = []): string[] => [
    ...new Set([...of, ...more]),
  ];
  known.set(id, {
    ...before,
    places: both(before.places, thing.places),
    ...(before.open === undefined ? {} : { open: both(before.open, thing.open) }),
  });
}

function certificateOf(block: PemBlock, place: string): FoundCertificate & { id: string } {
  const [info] = inspectPem(block.text, place);
  if (info === undefined) throw new Error('no certificate');
  const x509 = new X509Certificate(block.der);
  const spki = x509.publicKey.export({ type: 'spki', format: 'der' }).toString('hex');
  return { id: info.fingerprints.sha256, info, x509, spki, places: [place] };
}

function keyOf(
  block: PemBlock,
  file: string,
  { place, mode, passphrase }: { place: string; mode: number; passphrase: string | undefined },
): FoundKey & { id: string } {
  const reading = readPrivateKey(block.text, passphrase);
  if (reading.state !== 'read') throw new Error(reading.reason);
  const spki = publicPartOf(reading.key).toString('hex');
  const alone = file.match(/^-----BEGIN (?!EC PARAMETERS)/gm)?.length === 1;
  return {
    id: spki,
    spki,
    key: reading.key,
    text: alone ? file : block.text,
    algorithm: algorithmOf(reading.key),
    places: [place],
    open: (mode & 0o077) === 0 ? [] : [place],
  };
}

function publicKeyOf(block: PemBlock, place: string): FoundPublicKey & { id: string } {
  const spki = createPublicKey(block.text).export({ type: 'spki', format: 'der' }).toString('hex');
  return { id: spki, spki, places: [place] };
}

import { createHash } from 'node:crypto';

/** The public key that a server showed, or that a known_hosts line holds: its type and the bytes of the wire format. */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** @param blob wire format (RFC 4253, section 6.6): a length-prefixed type, then what the type asks for. */
export function hostKey(blob: Buffer): HostKey {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return { type: blob.toString('latin1', 4, 4 + length), blob };
}

/** As `ssh-keygen -l` prints it: `SHA256:` and the unpadded base64 of the blob's digest. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Signature algorithms that prove a key of a type. SHA-1 (`ssh-rsa` as an algorithm) is none of them. */
const algorithmsOfType: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/**
 * What to offer a server, the types by which it is known first: it then shows a key that can be checked instead of one
 * that nobody has seen yet.
 */
export function hostKeyAlgorithms(knownTypes: readonly string[]): string[] {
  const types = [...knownTypes, ...Object.keys(algorithmsOfType)];
  return [...new Set(types.flatMap((type) => algorithmsOfType[type] ?? []))];
}

import { createHash } from 'node:crypto';
import type { Content } from './desired.ts';

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** `base64` of the file's bytes. */
export function bytesContent(base64: string): Content {
  return { kind: 'bytes', base64, sha256: sha256(Buffer.from(base64, 'base64')) };
}

export function textContent(text: string): Content {
  return { kind: 'text', text, sha256: sha256(text) };
}

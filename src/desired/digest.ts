import { createHash } from 'node:crypto';
import type { Content } from './desired.ts';

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

export function textContent(text: string): Content {
  return { kind: 'text', text, sha256: sha256(text) };
}

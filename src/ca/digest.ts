import { createHash } from 'node:crypto';

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A line for `sha256sum -c`, run in the file's folder. */
export function digestLine(content: Uint8Array | string, name: string): string {
  return `${sha256(content)}  ${name}\n`;
}

/** The digest of a line that sha256sum wrote. */
export function digestIn(line: string | undefined): string | undefined {
  return line?.match(/^[0-9a-f]{64}(?= )/)?.[0];
}

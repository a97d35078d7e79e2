import { KbinError } from '../errors.ts';

export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, … */
  readonly label: string;
  readonly der: Buffer;
  /** As it stood in the file, with a final newline. */
  readonly text: string;
}

/** RFC 7468, one final newline. */
export function pemText(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

const block = /^-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([\s\S]*?)\r?\n?-----END \1-----[ \t]*$/gm;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Every block of a PEM text, in its order; text between blocks is passed over, as all PEM readers do.
 * Throws KbinError when a block has no end, or holds what is not base64.
 */
export function pemBlocks(pem: string, source: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [text, label = '', body = ''] of pem.matchAll(block)) {
    // Headers such as `Proc-Type: 4,ENCRYPTED` end with an empty line (RFC 1421).
    const encoded = body.replace(/^(?:[A-Za-z0-9-]+:.*\r?\n)+\r?\n/, '').replaceAll(/\s/g, '');
    if (encoded === '' || encoded.length % 4 !== 0 || !base64.test(encoded)) {
      throw malformed(source, `the ${label} block is cut short or not base64`);
    }
    blocks.push({ label, der: Buffer.from(encoded, 'base64'), text: `${text.trimEnd()}\n` });
  }
  const begun = pem.match(/-----BEGIN /g)?.length ?? 0;
  if (begun !== blocks.length) throw malformed(source, 'a BEGIN line has no END line that fits');
  return blocks;
}

/** Whether a file's content is PEM with nothing but such blocks in it, and at least one. */
export function holdsOnly(content: Buffer, label: RegExp): boolean {
  try {
    const blocks = pemBlocks(content.toString('latin1'), '');
    return blocks.length > 0 && blocks.every((each) => label.test(each.label));
  } catch {
    return false;
  }
}

/** A SEQUENCE with a length, which no text begins with: a digit and a line end or another digit would follow. */
export function isDer(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && bytes.length > 2 && (bytes[1] ?? 0) >= 0x40 && !isText(bytes);
}

const isText = (bytes: Buffer): boolean =>
  bytes.subarray(0, 64).every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));

/** A file's text, PEM or DER, as PEM: what comes in DER is a block with this label. */
export function asPem(content: Buffer, label: string): string {
  return isDer(content) ? pemText(label, content) : content.toString('utf8');
}

/** The first certificate of a PEM text as it stands there, with a final newline; the text itself when there is none. */
export function firstCertificate(pem: string): string {
  const [text] = /^-----BEGIN CERTIFICATE-----[ \t]*\r?$[\s\S]*?^-----END CERTIFICATE-----/m.exec(pem) ?? [];
  return text === undefined ? pem : `${text}\n`;
}

function malformed(source: string, why: string): KbinError {
  return new KbinError(`${source} is not well-formed PEM`, {
    why,
    next: 'restore the file from a backup, or look at it: it should begin with "-----BEGIN …-----"',
  });
}

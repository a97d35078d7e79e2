import { extensionValue } from '../ca/certificate-parts.ts';
import { encodeCrl } from '../ca/crl.ts';
import { firstElement } from '../ca/der-read.ts';
import { extensionOids } from '../ca/extensions.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { Authority, Input } from './authority.ts';
import { readable } from './readable.ts';

const week = 604_800;

/** A CRL, DER, of the serial numbers in `list`, one per line and decimal. `seconds` as it was typed. */
export function revocationList(list: Input, authority: Authority, seconds: string, now: Date): Buffer {
  const second = new Date(Math.floor(now.getTime() / 1000) * 1000);
  const validFor = lifetime(seconds);
  mayRevoke(authority);
  return encodeCrl(
    {
      issuer: authority.parts.subject,
      ...(authority.subjectKeyId === undefined ? {} : { authorityKeyId: authority.subjectKeyId }),
      thisUpdate: second,
      nextUpdate: new Date(second.getTime() + validFor * 1000),
      revoked: serials(list).map((serial) => ({ serial, at: second })),
    },
    authority.key,
  );
}

function lifetime(seconds: string): number {
  const wanted = Number(seconds);
  if (/^\d+$/.test(seconds) && wanted < 2 ** 31) return wanted === 0 ? week : wanted;
  throw new KbinError(`"${seconds}" is not a time in seconds`, {
    next: 'give the seconds until the next list as a whole number: 604800 for a week',
    exit: exitCode.usage,
  });
}

/** cfssl takes a line that it cannot read for serial number 0, and the certificate that was meant stays valid. */
function serials({ text, name }: Input): Buffer[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.flatMap((line, index) => {
    if (line === '') return [];
    if (/^\d{1,60}$/.test(line)) return [bytes(BigInt(line))];
    throw new KbinError(`${name}, line ${index + 1}: "${line}" is not a serial number`, {
      next: 'write one decimal number per line, as "kbin cfssl certinfo" prints it in serial_number',
      exit: exitCode.usage,
    });
  });
}

function bytes(serial: bigint): Buffer {
  const hex = serial.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function mayRevoke({ parts }: Authority): void {
  const usage = extensionValue(parts, extensionOids.keyUsage);
  if (usage === undefined) return;
  const bits = readable('the certificate of the CA', () => firstElement(usage).content[1] ?? 0);
  // Bit 6 from the left, RFC 5280 section 4.2.1.3.
  if ((bits & 0x02) !== 0) return;
  throw new KbinError('that certificate may not sign revocation lists', {
    why: 'its key usage has no "crl sign"',
    next: 'give the certificate and key of the CA',
    exit: exitCode.usage,
  });
}

import { children, type Element, firstElement, readOid } from './der-read.ts';
import { pemBlocks } from './pem.ts';

const scrypt = '1.3.6.1.4.1.11591.4.11';

/** Rounds of PBKDF2 and its elders that take seconds; what anybody writes is far below. */
const mostRounds = 10_000_000;
/** N·r·p of scrypt, likewise: 64 times what kbin writes itself. */
const mostScrypt = 16_384 * 8 * 5 * 64;

/**
 * Whether opening a key (PEM) would go on for minutes or days: its file says how often the passphrase is hashed, and
 * OpenSSL does what it says. False also for what is no encrypted key.
 */
export function isEndless(pem: string): boolean {
  try {
    return pemBlocks(pem, 'the key')
      .filter(({ label }) => label === 'ENCRYPTED PRIVATE KEY')
      .some(({ der }) => {
        const [algorithm] = children(firstElement(der).content);
        return algorithm !== undefined && costs(algorithm);
      });
  } catch {
    return false;
  }
}

function costs(algorithm: Element): boolean {
  const [type, parameters] = children(algorithm.content);
  if (type?.tag !== 0x06 || parameters === undefined || parameters.tag !== 0x30) return false;
  const parts = children(parameters.content);
  const numbers = parts.filter(({ tag }) => tag === 0x02).map(({ content }) => numberIn(content));
  if (readOid(type.content) === scrypt) {
    return numbers.reduce((product, number) => product * number, 1) > mostScrypt;
  }
  if (numbers.some((number) => number > mostRounds)) return true;
  return parts.some((part) => part.tag === 0x30 && costs(part));
}

/** As a positive number; of what has many octets more than any limit. */
function numberIn(content: Buffer): number {
  return content.length > 6 ? Number.POSITIVE_INFINITY : Number(`0x${content.toString('hex') || '0'}`);
}

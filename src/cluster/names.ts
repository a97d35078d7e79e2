import { readAddress } from './address.ts';
import { Mistake, type Read } from './mistake.ts';
import { didYouMean } from './suggest.ts';

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const oneLabel = new RegExp(`^${label}$`);
const manyLabels = new RegExp(`^${label}(\\.${label})*$`);

/** A host's name: RFC 1123, lower case, also with dots, as long as Linux and a certificate's CN allow. It becomes the etcd member's name and a SAN. */
export const readHostName: Read<string> = (text) => {
  const fault = text.length > 64 ? 'longer than 64 characters' : nameFault(text, manyLabels);
  return fault === undefined ? text : new Mistake(`"${text}" is not a host name (RFC 1123): ${fault}`);
};

/** A cluster's name: one RFC 1123 label. It goes into etcd's cluster token and kubeconfigs. */
export const readClusterName: Read<string> = (text) => {
  const fault = nameFault(text, oneLabel);
  return fault === undefined ? text : new Mistake(`"${text}" is not a name for a cluster: ${fault}`);
};

export const readDnsName: Read<string> = (text) => {
  const fault = nameFault(text, manyLabels);
  return fault === undefined ? text : new Mistake(`"${text}" is not a DNS name: ${fault}`);
};

function nameFault(text: string, pattern: RegExp): string | undefined {
  if (pattern === manyLabels && /^[\d.]+$/.test(text)) return 'it reads as an IP address';
  if (text.length <= 253 && pattern.test(text)) return undefined;
  const lower = text.toLowerCase();
  if (lower !== text && pattern.test(lower)) return `capital letters; write ${lower}`;
  if (text.includes('_')) return 'an underscore; use "-"';
  const dots = pattern === manyLabels ? ', with dots between such parts' : '';
  return `use 1 to 63 of a-z, 0-9 and "-", not "-" at either end${dots}`;
}

/** An address, or a DNS name: what an endpoint, a SAN or an SSH host may be. */
export const readAddressOrName: Read<string> = (text) =>
  /^[\d.]+$/.test(text) || text.includes(':') ? readAddress(text) : readDnsName(text);

/** A SAN as a user adds it: also a wildcard name. */
export const readSan: Read<string> = (text) => {
  const name = readAddressOrName(text.replace(/^\*\./, ''));
  if (name instanceof Mistake) return name;
  return text.startsWith('*.') ? `*.${name}` : name;
};

/** A user or group to create on a host, as useradd takes it. */
export const readAccount: Read<string> = (text) =>
  /^[a-z_][a-z0-9_-]{0,30}\$?$/.test(text)
    ? text
    : new Mistake(
        `"${text}" is not an account name: use a-z, 0-9, "_" and "-", a letter or "_" first, at most 31`,
      );

/** A login name, as directories of companies have them too (`DOMAIN\\jane`, `jane@example.org`). */
export const readLogin: Read<string> = (text) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.@\\+-]{0,99}$/.test(text) ? text : new Mistake(`"${text}" is not a login name`);

/** OpenSSH's ProxyJump: `[user@]host[:port]`, several with commas between; an IPv6 address in brackets. */
export const readJumpHost: Read<string> = (text) => {
  const hop =
    /^([A-Za-z0-9_][A-Za-z0-9_.\\+-]*@)?(\[[0-9a-f:]+\]|[A-Za-z0-9][A-Za-z0-9._-]*)(:[1-9]\d{0,4})?$/i;
  const wrong = text.split(',').find((part) => !hop.test(part));
  if (wrong === undefined) return text;
  return new Mistake(`"${wrong}" is not a jump host; write [user@]host[:port], several with commas between`);
};

/** `also`: words that others use for one of them, for the suggestion. */
export function readOneOf<const T extends string>(
  allowed: readonly T[],
  also: Readonly<Record<string, T>> = {},
): Read<T> {
  return (text) => {
    const found = allowed.find((word) => word === text);
    if (found !== undefined) return found;
    const meant = didYouMean(Object.hasOwn(also, text) ? (also[text] as T) : text, allowed);
    return new Mistake(`"${text}" is not one of ${allowed.join(', ')}${meant}`);
  };
}

export const readBoolean: Read<boolean> = (text) => {
  if (text === 'true' || text === 'false') return text === 'true';
  return new Mistake(`"${text}" is neither true nor false`);
};

/** Any text of one line without control characters. */
export function readLine(most: number): Read<string> {
  return (text) => {
    if (/\p{Cc}/u.test(text))
      return new Mistake(`${JSON.stringify(text)} has a line break or a control character`);
    return text.length <= most
      ? text
      : new Mistake(`"${text.slice(0, 20)}…" is longer than ${most} characters`);
  };
}

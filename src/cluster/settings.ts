import { bracketed } from './address.ts';
import { Mistake, type Read } from './mistake.ts';
import { readAddressOrName } from './names.ts';
import { readPort } from './quantity.ts';

/** A digest in hex, as sha256sum prints it. */
export function readDigest(bits: 256 | 512): Read<string> {
  return (text) => {
    const hex = text.toLowerCase();
    if (/^[0-9a-f]+$/.test(hex) && hex.length === bits / 4) return hex;
    return new Mistake(`"${text}" is not a SHA-${bits} digest: ${bits / 4} hex digits`);
  };
}

/** The base address of a mirror. */
export const readWebUrl: Read<string> = (text) => {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    return new Mistake(`"${text}" is not an http or https address`);
  }
  if (url.username !== '' || url.password !== '')
    return new Mistake('an address with a password in it; use a file or a mirror without');
  return text.replace(/\/+$/, '');
};

/** etcd's plaintext listener for metrics and /health: loopback alone may have it. `off` is none. */
export const readMetricsUrl: Read<string> = (text) => {
  if (text === 'off') return text;
  const [, host = '', port = ''] = /^http:\/\/(.+):(\d+)$/.exec(text) ?? [];
  const loopback = ['127.0.0.1', '[::1]', 'localhost'].includes(host);
  if (loopback && !(readPort(port) instanceof Mistake)) return text;
  return new Mistake(`"${text}" is not a plain loopback address; write http://127.0.0.1:2381, or off`);
};

/** What etcd takes for auto-compaction-retention: a Go duration or a number of revisions; `off` is none. */
export const readCompaction: Read<string> = (text) => {
  const duration = /^(\d+h)?(\d+m)?(\d+s)?$/;
  if (
    text === 'off' ||
    /^[1-9]\d{0,11}$/.test(text) ||
    (text !== '' && duration.test(text) && /[1-9]/.test(text))
  )
    return text;
  return new Mistake(`"${text}" is neither a duration (1h, 30m) nor a number of revisions nor off`);
};

/** What an EncryptionConfiguration names: `secrets`, `deployments.apps`. */
export const readResource: Read<string> = (text) =>
  /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(text)
    ? text
    : new Mistake(
        `"${text}" is not a resource: write it in the plural, with its group: secrets, widgets.example.org`,
      );

export const readCountry: Read<string> = (text) =>
  /^[A-Z]{2}$/.test(text) ? text : new Mistake(`"${text}" is not a country: two capital letters`);

/** Linux: at most 15 bytes without "/" or white space. */
export const readInterface: Read<string> = (text) =>
  /^[A-Za-z0-9_.:@-]{1,15}$/.test(text)
    ? text
    : new Mistake(`"${text}" is not the name of a network interface`);

/** An etcd endpoint: `https://HOST:PORT`, `http://HOST:PORT` or `HOST:PORT`; canonical, with the scheme (https unless given). */
export const readEndpointUrl: Read<string> = (text) => {
  const [, scheme = 'https', host = '', port = '2379'] =
    /^(?:(https?):\/\/)?(\[[^\]]*\]|[^:/[\]]+)(?::(\d+))?\/?$/.exec(text) ?? [];
  if (host === '') return new Mistake(`"${text}" is not an etcd endpoint; write https://HOST:PORT`);
  const name = host === 'localhost' ? host : readAddressOrName(host.replace(/^\[|\]$/g, ''));
  if (name instanceof Mistake) return name;
  const portNumber = readPort(port);
  return portNumber instanceof Mistake ? portNumber : `${scheme}://${bracketed(name)}:${portNumber}`;
};

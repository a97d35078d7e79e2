import { createHmac } from 'node:crypto';
import type { HostKey } from './host-key.ts';
import { matchesPatternList } from './pattern.ts';

/** One line of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownHost {
  readonly marker?: '@revoked' | '@cert-authority';
  /** Patterns, or one hashed name: `|1|salt|hash`. */
  readonly names: readonly string[];
  readonly key: HostKey;
  /** `file:line`, for messages. */
  readonly place: string;
}

/** A host as known_hosts knows it: the name or address that was connected to. */
export interface KnownName {
  readonly name: string;
  readonly port: number;
}

export type Verdict =
  | { readonly kind: 'known'; readonly by: KnownHost }
  | { readonly kind: 'revoked'; readonly by: KnownHost }
  /** The host is known by other keys only. */
  | { readonly kind: 'changed'; readonly by: readonly KnownHost[] }
  /** `authorities` would vouch for the host with a certificate, which kbin does not ask for. */
  | { readonly kind: 'unknown'; readonly authorities: readonly KnownHost[] };

/** Lines that are no entry (comments, empty or broken ones) are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split('\n').flatMap((line, index) => parseLine(line, `${file}:${index + 1}`) ?? []);
}

function parseLine(line: string, place: string): KnownHost | undefined {
  const fields = line.trim().split(/\s+/);
  const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined;
  if (marker !== undefined && marker !== '@revoked' && marker !== '@cert-authority') return undefined;
  const [names, type, encoded] = fields;
  if (!names || names.startsWith('#') || !type || !encoded) return undefined;
  const blob = Buffer.from(encoded, 'base64');
  if (blob.length < 16) return undefined;
  return { ...(marker && { marker }), names: names.split(','), key: { type, blob }, place };
}

/** How known_hosts writes a host: bare on port 22, `[name]:port` on any other; in lower case. */
export function knownHostsName({ name, port }: KnownName): string {
  const lower = name.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

function names(entry: KnownHost, name: string): boolean {
  const [first = ''] = entry.names;
  if (!first.startsWith('|')) {
    return matchesPatternList(
      name,
      entry.names.map((pattern) => pattern.toLowerCase()),
    );
  }
  const [, version, salt, hash] = first.split('|');
  if (version !== '1' || !salt || !hash) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** Entries under which the host is known; on another port than 22, those of its bare name count too, as in OpenSSH. */
function entriesOf(entries: readonly KnownHost[], host: KnownName): { own: KnownHost[]; bare: KnownHost[] } {
  const own = entries.filter((entry) => names(entry, knownHostsName(host)));
  if (host.port === 22) return { own, bare: [] };
  const bareName = knownHostsName({ ...host, port: 22 });
  return { own, bare: entries.filter((entry) => names(entry, bareName)) };
}

/** Whether the key that a host showed is the one it is known by. */
export function judge(entries: readonly KnownHost[], host: KnownName, key: HostKey): Verdict {
  const { own, bare } = entriesOf(entries, host);
  const all = [...own, ...bare];
  const same = all.filter((entry) => entry.key.blob.equals(key.blob));
  const revoked = same.find((entry) => entry.marker === '@revoked');
  if (revoked) return { kind: 'revoked', by: revoked };
  const known = same.find((entry) => entry.marker === undefined);
  if (known) return { kind: 'known', by: known };
  const others = own.filter((entry) => entry.marker === undefined);
  if (others.length > 0) return { kind: 'changed', by: others };
  return { kind: 'unknown', authorities: all.filter((entry) => entry.marker === '@cert-authority') };
}

/** Types of the keys by which a host is known, in the order of the files. */
export function knownTypes(entries: readonly KnownHost[], host: KnownName): string[] {
  const { own, bare } = entriesOf(entries, host);
  const plain = [...own, ...bare].filter((entry) => entry.marker === undefined);
  return [...new Set(plain.map((entry) => entry.key.type))];
}

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';

/** What ssh_config's %-tokens stand for on one connection (ssh_config(5), TOKENS). */
export interface TokenValues {
  readonly home: string;
  readonly localUser: string;
  /** As the user wrote it. */
  readonly originalHost: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias?: string;
  readonly jump?: string;
}

/** Expands `~/`, `%x` and `${VARIABLE}` in a path or command of ssh_config; unknown ones stay as they are. */
export function expandTokens(
  text: string,
  values: TokenValues,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const local = hostname();
  const tokens: Readonly<Record<string, string | undefined>> = {
    '%%': '%',
    '%d': values.home,
    '%h': values.host,
    '%i': String(process.getuid?.() ?? ''),
    '%j': values.jump ?? '',
    '%k': values.hostKeyAlias ?? values.originalHost,
    '%L': local.split('.')[0],
    '%l': local,
    '%n': values.originalHost,
    '%p': String(values.port),
    '%r': values.user,
    '%u': values.localUser,
    get '%C'() {
      const parts = [local, values.host, String(values.port), values.user, values.jump ?? ''];
      return createHash('sha1').update(parts.join('')).digest('hex');
    },
  };
  return text
    .replace(/^~(?=\/|$)/, values.home)
    .replaceAll(/%.|\$\{(\w+)\}/g, (token, variable: string | undefined) =>
      variable === undefined ? (tokens[token] ?? token) : (env[variable] ?? ''),
    );
}

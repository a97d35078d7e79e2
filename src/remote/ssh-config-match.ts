import { spawnSync } from 'node:child_process';
import { matchesPatternList } from './pattern.ts';

/** What was asked for, as on ssh's command line; what is given here wins over the files. */
export interface SshQuery {
  /** The name as the user wrote it: a `Host` alias, a name or an address. */
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

export interface SshConfigFiles {
  /** Read first: ~/.ssh/config. */
  readonly user: string;
  /** /etc/ssh/ssh_config. */
  readonly system?: string;
  readonly home: string;
  readonly localUser: string;
}

export interface Evaluation {
  readonly query: SshQuery;
  readonly files: SshConfigFiles;
  readonly options: Map<string, string[]>;
  /** In the second pass, which `Match final` asks for, Host patterns see the HostName. */
  final: boolean;
  wantsFinal: boolean;
}

type Criterion = (state: Evaluation, argument: string) => boolean;

const EXEC_TIMEOUT_MS = 10_000;

/** Criteria of a `Match` line that take an argument; each may be negated with a leading `!`. */
const criteria: Readonly<Record<string, Criterion>> = {
  host: (state, patterns) => {
    const hostName = state.options.get('hostname')?.[0]?.replaceAll('%h', state.query.host);
    return matchesPatternList(hostName ?? matchedName(state), patterns.split(','));
  },
  originalhost: (state, patterns) => matchesPatternList(state.query.host, patterns.split(',')),
  user: (state, patterns) =>
    matchesPatternList(state.options.get('user')?.[0] ?? state.files.localUser, patterns.split(',')),
  localuser: (state, patterns) => matchesPatternList(state.files.localUser, patterns.split(',')),
  exec: (state, command) => {
    const tokens: Record<string, string> = {
      '%%': '%',
      '%h': state.options.get('hostname')?.[0] ?? state.query.host,
      '%n': state.query.host,
      '%p': state.options.get('port')?.[0] ?? '22',
      '%r': state.options.get('user')?.[0] ?? state.files.localUser,
      '%u': state.files.localUser,
      '%d': state.files.home,
    };
    const expanded = command.replaceAll(/%./g, (token) => tokens[token] ?? token);
    return spawnSync('sh', ['-c', expanded], { stdio: 'ignore', timeout: EXEC_TIMEOUT_MS }).status === 0;
  },
};

/** Criteria without an argument. */
const flags: Readonly<Record<string, (state: Evaluation) => boolean>> = {
  all: () => true,
  // Only ever true after CanonicalizeHostname, which kbin leaves alone.
  canonical: (state) => state.final,
  final: (state) => {
    state.wantsFinal = true;
    return state.final;
  },
};

/** The name that `Host` lines are compared with. */
export function matchedName({ query, options, final }: Evaluation): string {
  return (final && options.get('hostname')?.[0]?.replaceAll('%h', query.host)) || query.host;
}

/** Whether a `Match` line applies. One with a criterion that kbin does not know does not. */
export function meetsCriteria(state: Evaluation, words: readonly string[]): boolean {
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const negated = word.startsWith('!');
    const name = (negated ? word.slice(1) : word).toLowerCase();
    const flag = flags[name];
    const criterion = criteria[name];
    if (!flag && !criterion) return false;
    const met = flag ? flag(state) : criterion?.(state, rest.shift() ?? '');
    if (met === negated) return false;
  }
  return true;
}

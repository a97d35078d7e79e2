import { globSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import SSHConfig, { type Directive, LineType, type Section } from 'ssh-config';
import { KbinError } from '../errors.ts';
import { matchesPatternList } from './pattern.ts';
import {
  type Evaluation,
  matchedName,
  meetsCriteria,
  type SshConfigFiles,
  type SshQuery,
} from './ssh-config-match.ts';

export type { SshConfigFiles, SshQuery } from './ssh-config-match.ts';

/** Keywords in lower case with their values; as in ssh, the first value that is found for a keyword counts. */
export type SshOptions = ReadonlyMap<string, readonly string[]>;

/** Keywords that are collected instead of taken once. */
const accumulating = new Set(['identityfile', 'certificatefile']);
const MAX_INCLUDE_DEPTH = 16;

/**
 * What ~/.ssh/config and /etc/ssh/ssh_config say about a host. The ssh-config library reads the text; which sections
 * apply is decided here, as its own compute() knows no Include, takes `?` for an optional character and runs nslookup.
 * @throws KbinError for a file that cannot be read or parsed.
 */
export function readSshConfig(files: SshConfigFiles, query: SshQuery): SshOptions {
  const options = new Map<string, string[]>();
  if (query.user !== undefined) options.set('user', [query.user]);
  if (query.port !== undefined) options.set('port', [String(query.port)]);
  const evaluation: Evaluation = { query, files, options, final: false, wantsFinal: false };
  const pass = () => {
    evaluateFile(evaluation, files.user, join(files.home, '.ssh'), true, 0);
    if (files.system) evaluateFile(evaluation, files.system, dirname(files.system), true, 0);
  };
  pass();
  if (evaluation.wantsFinal) {
    evaluation.final = true;
    pass();
  }
  return options;
}

function evaluateFile(state: Evaluation, file: string, folder: string, active: boolean, depth: number): void {
  const lines = parseFile(file);
  if (lines) evaluateLines(state, lines, { file, folder, depth }, active);
}

function parseFile(file: string): SSHConfig | undefined {
  try {
    return SSHConfig.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new KbinError(`cannot read the SSH configuration ${file}`, {
      why: (cause as Error).message,
      next: `\`ssh -G HOST -F ${file}\` shows how ssh itself reads it`,
      cause,
    });
  }
}

interface Place {
  readonly file: string;
  /** What relative Includes are relative to. */
  readonly folder: string;
  readonly depth: number;
}

function evaluateLines(state: Evaluation, lines: SSHConfig, place: Place, active: boolean): void {
  for (const line of lines) {
    if (line.type !== LineType.DIRECTIVE) continue;
    const keyword = line.param.toLowerCase();
    const values = valuesOf(line);
    if ('config' in line) {
      const applies = active && sectionApplies(state, keyword, values);
      evaluateLines(state, (line as Section).config, place, applies);
    } else if (keyword === 'include') {
      include(state, values, place, active);
    } else if (active) {
      record(state.options, keyword, values);
    }
  }
}

function sectionApplies(state: Evaluation, keyword: string, values: readonly string[]): boolean {
  if (keyword === 'host') return matchesPatternList(matchedName(state), values);
  return meetsCriteria(state, values);
}

function record(options: Map<string, string[]>, keyword: string, values: readonly string[]): void {
  const before = options.get(keyword);
  // These two are one setting: the first of either counts.
  if (keyword === 'proxyjump' && options.has('proxycommand')) return;
  if (keyword === 'proxycommand' && options.has('proxyjump')) return;
  if (before === undefined) options.set(keyword, [...values]);
  else if (accumulating.has(keyword)) before.push(...values.filter((value) => !before.includes(value)));
}

function include(state: Evaluation, patterns: readonly string[], place: Place, active: boolean): void {
  if (place.depth >= MAX_INCLUDE_DEPTH) {
    throw new KbinError(`the SSH configuration ${place.file} includes itself`, {
      why: `Include went ${MAX_INCLUDE_DEPTH} files deep`,
      next: 'remove the Include that leads back',
    });
  }
  for (const pattern of patterns) {
    const path = pattern.replace(/^~(?=\/)/, state.files.home);
    const absolute = isAbsolute(path) ? path : join(place.folder, path);
    for (const file of globSync(absolute).sort()) {
      evaluateFile(state, file, place.folder, active, place.depth + 1);
    }
  }
}

function valuesOf(line: Directive): string[] {
  if (!Array.isArray(line.value)) return [line.value];
  if (line.param.toLowerCase() !== 'proxycommand') return line.value.map(({ val }) => val);
  // A command for a shell: one value, with the quotes that the library took off.
  const words = line.value.map(({ val, quoted }) => (quoted ? `"${val}"` : val));
  return [words.join(' ')];
}

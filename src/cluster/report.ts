import { relative } from 'node:path';
import { exitCode, KbinError } from '../errors.ts';
import { type Path, type Problem, pathText } from './mistake.ts';
import { nearest } from './suggest.ts';
import type { Place, YamlSource } from './yaml.ts';

/** All that is to be said of one file, in the order of its lines: `cluster.yaml:4:14: hosts[0].address: …`. */
export interface Verdict {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

interface Line extends Place {
  readonly severity: 'error' | 'warning';
  readonly text: string;
}

export function verdict(file: string, source: YamlSource, problems: readonly Problem[]): Verdict {
  const news = problems.filter((problem) => !problem.missing || !isExplained(problem, problems));
  const lines: Line[] = [
    ...source.mistakes.map((mistake) => ({ ...mistake, severity: 'error' as const })),
    ...news.map((problem) => line(problem, source)),
  ];
  const sorted = lines.toSorted((one, other) => one.line - other.line || one.column - other.column);
  const texts = (severity: Line['severity']): string[] => [
    ...new Set(
      sorted
        .filter((entry) => entry.severity === severity)
        .map((entry) => `${file}:${entry.line}:${entry.column}: ${printable(entry.text)}`),
    ),
  ];
  return { errors: texts('error'), warnings: texts('warning') };
}

/** Values of the file stand in the text: their control characters stay off the terminal, and a whole book does too. */
function printable(text: string): string {
  const plain = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, escaped);
  return plain.length <= 500 ? plain : `${plain.slice(0, 250)} … ${plain.slice(-200)}`;
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return code < 32 ? JSON.stringify(character).slice(1, -1) : `\\u${code.toString(16).padStart(4, '0')}`;
}

function line({ path, at, message, severity, other }: Problem, source: YamlSource): Line {
  const where = at === 'key' ? path.slice(0, -1) : path;
  const prefix = where.length === 0 ? '' : `${pathText(where)}: `;
  const elsewhere = other === undefined ? '' : `; see ${otherPlace(other, source)}`;
  return { ...source.locate(path, at), severity, text: `${prefix}${message}${elsewhere}` };
}

function otherPlace(path: Path, source: YamlSource): string {
  return source.has(path) ? `line ${source.locate(path, 'value').line}` : `${pathText(path)}, by default`;
}

/** What is missing was given, but wrong, or under a misspelt key: that has been said already. */
function isExplained(absent: Problem, problems: readonly Problem[]): boolean {
  const key = absent.path.at(-1);
  const parent = pathText(absent.path.slice(0, -1));
  return problems.some(({ path, at, missing, severity }) => {
    if (missing || severity === 'warning') return false;
    if (at === 'value') return pathText(absent.path.slice(0, path.length)) === pathText(path);
    const sibling = path.at(-1);
    return pathText(path.slice(0, -1)) === parent && nearest(String(sibling), [String(key)]) !== undefined;
  });
}

/** The error that stops a command: every mistake at once. */
export function refuse(file: string, { errors }: Verdict): KbinError {
  const count = errors.length === 1 ? 'a mistake' : `${errors.length} mistakes`;
  return new KbinError(`${file} has ${count}\n${errors.join('\n')}`, {
    next: `correct the ${errors.length === 1 ? 'line' : 'lines'} above; "kbin init" writes a file with every setting explained`,
    exit: exitCode.usage,
  });
}

/** As short as it can be and still be found from here. */
export function shownPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') || short === '' ? path : short;
}

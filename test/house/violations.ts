import { posix } from 'node:path';
import { emptyNames, homes, mayImport, nouns, reserved, typesOnly } from './rules.ts';

interface Import {
  readonly from: string;
  readonly onlyTypes: boolean;
}

/** Every breach of the rules in one source file, as `src/a/b.ts: …`. Pure. `path` is from the root of the tree. */
export function violations(path: string, text: string): readonly string[] {
  const found = [
    ...importsOf(text).flatMap((entry) => importViolation(path, entry) ?? []),
    ...reserved.flatMap(({ what, where, why }) =>
      what.test(withoutComments(text)) && !where.test(path) ? [`${what.exec(text)?.[0]}: ${why}`] : [],
    ),
    ...(emptyNames.test(path) ? ['a name that says nothing'] : []),
  ];
  return found.map((what) => `${path}: ${what}`);
}

function importViolation(path: string, { from, onlyTypes }: Import): string | undefined {
  if (from.startsWith('node:')) return undefined;
  const room = roomOf(path);
  if (!from.startsWith('.')) return libraryViolation(room, from);
  const target = posix.join(posix.dirname(path), from.replace(/\?raw$/, ''));
  const targetRoom = roomOf(target);
  if (targetRoom === room || nouns.includes(target) || target === 'package.json') return undefined;
  if (mayImport[room]?.includes(targetRoom)) return undefined;
  if (onlyTypes && typesOnly.includes(target)) return undefined;
  return `imports ${target}: ${room} must not know ${targetRoom}`;
}

function libraryViolation(room: string, from: string): string | undefined {
  const library = /^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from;
  const rooms = homes[library];
  if (rooms === undefined) return `imports ${library}, which has no home in test/house/rules.ts`;
  return rooms.includes(room) ? undefined : `imports ${library}, whose home is ${rooms.join(', ')}`;
}

/** `src/cluster/load.ts` is of cluster, `src/main.ts` of main, `pki/index.ts` of pki. */
export function roomOf(path: string): string {
  const [top = '', next = ''] = path.split('/');
  return top === 'src' ? next.replace(/\.ts$/, '') : top;
}

function importsOf(text: string): readonly Import[] {
  const statement =
    /^(?:import\s+(type\s)?(?:[\w$*{},\s]+?\sfrom\s+)?|export\s+(type\s)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+)'([^']+)'/gm;
  const statements = [...text.matchAll(statement)].map(([, one, other, from = '']) => ({
    from,
    onlyTypes: (one ?? other) !== undefined,
  }));
  const dynamic = [...text.matchAll(/\bimport\('([^']+)'\)(\.[A-Z])?/g)].map(([, from = '', type]) => ({
    from,
    onlyTypes: type !== undefined,
  }));
  return [...statements, ...dynamic];
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`])\/\/.*$/gm, '');
}

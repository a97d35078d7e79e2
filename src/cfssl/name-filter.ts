import { exitCode, KbinError } from '../errors.ts';

/** What Go's regular expressions and JavaScript's read differently: a filter must not let more pass than was meant. */
const different = /\\[AzZQEpPCkaK\d]|\[\[:|\(\?(?!:)|\{,|\\x\{/;

/** A name_whitelist. Go's leading flags (`(?i)`) are understood; throws KbinError for what the two languages read differently. */
export function nameFilter(pattern: string, where: string): (name: string) => boolean {
  const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)([\s\S]*)$/.exec(pattern) ?? [];
  const wrong = (why: string): KbinError =>
    new KbinError(`${where}: "${pattern}" cannot be used`, {
      why,
      next: 'write it with letters, classes, groups, ^ and $ alone',
      exit: exitCode.usage,
    });
  if (different.test(rest)) throw wrong('kbin may read a part of it differently than cfssl does');
  try {
    const expression = new RegExp(rest, `u${flags}`);
    return (name) => expression.test(name);
  } catch {
    throw wrong('it is no regular expression');
  }
}

import Mustache from 'mustache';
import { exitCode, KbinError } from '../errors.ts';

/** `false` leaves a section out. */
export type TemplateValue = string | false | TemplateView | readonly TemplateView[];
export interface TemplateView {
  readonly [tag: string]: TemplateValue;
}

/** Turns a value into what the file format reads back as that value, or throws a KbinError that names `tag`. */
export type Escape = (value: string, tag: string) => string;

/**
 * Renders a template of units/. Strict both ways: a tag without a value, a value without a tag, and the mustache
 * features that kbin does not use (unescaped tags, partials, lambdas, inverted sections) are defects and throw.
 */
export function renderTemplate(template: string, view: TemplateView, write: Escape): string {
  const used = new Set<string>();
  const escaped = escapeView(view, write);
  checkTags(Mustache.parse(template), [escaped], used);
  for (const tag of Object.keys(view)) {
    if (!used.has(tag)) throw new Error(`template: no line for ${tag}`);
  }
  return Mustache.render(template, escaped, undefined, { escape: String });
}

function escapeView(view: TemplateView, write: Escape): TemplateView {
  return Object.fromEntries(
    Object.entries(view).map(([tag, value]) => {
      if (typeof value === 'string') return [tag, write(value, tag)];
      if (value === false) return [tag, false];
      return [tag, isList(value) ? value.map((item) => escapeView(item, write)) : escapeView(value, write)];
    }),
  );
}

function isList(value: TemplateView | readonly TemplateView[]): value is readonly TemplateView[] {
  return Array.isArray(value);
}

/** What Mustache.parse returns: [kind, name, start, end, tokens of a section, …]. */
type Token = readonly [string, string, number, number, (readonly Token[])?, ...unknown[]];

function checkTags(tokens: readonly unknown[], stack: readonly TemplateView[], used: Set<string>): void {
  for (const [kind, name, , , inner] of tokens as readonly Token[]) {
    if (kind === 'text' || kind === '!') continue;
    const value = lookUp(name, stack);
    if (value === undefined) throw new Error(`template: no value for {{${name}}}`);
    used.add(name);
    if (kind === 'name') {
      if (typeof value !== 'string') throw new Error(`template: {{${name}}} is not text`);
    } else if (kind === '#') {
      for (const item of sectionViews(value)) checkTags(inner ?? [], [item, ...stack], used);
      noteTags(inner ?? [], used);
    } else {
      throw new Error(`template: {{${kind}${name}}} is not used in kbin's templates`);
    }
  }
}

function lookUp(name: string, stack: readonly TemplateView[]): TemplateValue | undefined {
  return stack.find((view) => Object.hasOwn(view, name))?.[name];
}

function sectionViews(value: TemplateValue): readonly TemplateView[] {
  if (value === false || value === '') return [];
  if (typeof value === 'string') return [{}];
  return isList(value) ? value : [value];
}

/** Tags of a section that is left out count as used all the same. */
function noteTags(tokens: readonly unknown[], used: Set<string>): void {
  for (const [kind, name, , , inner] of tokens as readonly Token[]) {
    if (kind === 'name' || kind === '#') used.add(name);
    if (inner !== undefined) noteTags(inner, used);
  }
}

/**
 * A value between the double quotes of an environment file. The four characters that sh and systemd treat as special
 * there get a backslash (systemd.exec(5), EnvironmentFile=); a line break cannot be written at all.
 */
export function environmentValue(value: string, tag: string): string {
  if (controlCharacter.test(value)) {
    throw refused(tag, value, 'it holds a line break or another control character');
  }
  return value.replaceAll(/["\\$`]/g, '\\$&');
}

/** What systemd makes of an environment file whose values were all written between double quotes by `environmentValue`. */
export function environmentValues(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z_][A-Z0-9_]*)="(.*)"$/gmu)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\(.)/gu, '$1'),
    ]),
  );
}

/**
 * A word of a unit file, also inside the single quotes of a `sh -c`: letters, digits and the punctuation of paths, user
 * names and URLs; `%`, which starts a specifier there, is doubled (systemd.unit(5)). Anything else would need quoting
 * that differs from directive to directive, and is refused.
 */
export function unitValue(value: string, tag: string): string {
  if (!/^[\p{L}\p{N}_./@%+,:=~^-]*$/u.test(value)) {
    throw refused(tag, value, 'a unit file takes letters, digits and _ . / @ % + , : = ~ ^ - here');
  }
  return value.replaceAll('%', '%%');
}

/**
 * One word of an ExecStart= line that the program gets exactly as it is given (systemd.service(5), "Command lines";
 * systemd.syntax(7), "Quoting"): in double quotes where a character asks for it, `%` and `$` doubled, since systemd looks
 * for specifiers and variables inside quotes too. A word that begins with `;`, `$` or a prefix of a program's name would
 * need more, and is refused.
 */
export function unitWord(value: string, tag: string): string {
  if (controlCharacter.test(value)) {
    throw refused(tag, value, 'it holds a line break or another control character');
  }
  if (!/^[\p{L}\p{N}_./-]/u.test(value))
    throw refused(tag, value, 'it begins with a character that systemd takes for its own');
  const doubled = value.replaceAll(/[%$]/g, '$&$&');
  return /[\s"'\\]/u.test(doubled) ? `"${doubled.replaceAll(/["\\]/g, '\\$&')}"` : doubled;
}

/** A value between the double quotes of a YAML string, or a plain word without any of its special characters. */
export function yamlString(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controlCharacter = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/;

function refused(tag: string, value: string, why: string): KbinError {
  return new KbinError(`${tag} cannot be ${JSON.stringify(value)}`, {
    step: 'render',
    why,
    next: 'choose another value in cluster.yaml',
    exit: exitCode.usage,
  });
}

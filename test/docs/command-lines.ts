import type { Argument, Command, Option } from 'commander';
import { codeBlocks, inlineCode, type Page } from './pages.ts';

/** A command line of kbin as a page shows it; one in running text may leave out what belongs to it. */
export interface Shown {
  readonly text: string;
  readonly whole: boolean;
}

/** In `sh` blocks every line is a command, in `console` blocks those after a `$`. */
export function shownCommands(page: Page): readonly Shown[] {
  const blocks = codeBlocks(page).flatMap(({ language, lines }) => {
    if (language === 'sh') return joined(lines);
    return language === 'console' ? lines.flatMap((line) => /^\$ (.*)$/.exec(line)?.[1] ?? []) : [];
  });
  return [
    ...blocks.flatMap(kbinCalls).map((text) => ({ text, whole: true })),
    ...inlineCode(page)
      .flatMap(kbinCalls)
      .map((text) => ({ text, whole: false })),
  ];
}

function joined(lines: readonly string[]): readonly string[] {
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
}

/** The calls of kbin in a line of shell: without a comment, other programs of the pipe, and variables before it. */
function kbinCalls(line: string): readonly string[] {
  return line
    .replace(/(^|\s)#.*$/, '')
    .split(/\s*(?:\||&&|;)\s*/)
    .map((part) => part.trim().replace(/^(?:[A-Z_]+=\S* )+/, ''))
    .filter((part) => /^(?:\S*\/)?kbin(?: |$)/.test(part));
}

/** What is wrong with a command line, by the program's own tree; nothing when it could be run. */
export function faults({ text, whole }: Shown, program: Command): readonly string[] {
  const words = (text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [])
    .slice(1)
    .filter((word) => !/^\d?>/.test(word));
  const found: string[] = [];
  const operands: string[] = [];
  const given = new Set<Option>();
  let command = program;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (word === '--help' || word === '-h' || word === '-V' || word === '--version') return found;
    if (word.startsWith('-') && word !== '-') {
      const option = optionOf(word, command, program);
      if (option === undefined) found.push(`no option ${word} of ${command.name()}`);
      else {
        given.add(option);
        if (option.required && !word.includes('=') && words.shift() === undefined && whole)
          found.push(`${word} without its value`);
      }
    } else if (child !== undefined) command = child;
    else if (isGroup(command)) found.push(`no command ${word} of ${command.name()}`);
    else operands.push(word);
  }
  return [...found, ...operandFaults(command, operands, whole), ...(whole ? lacking(command, given) : [])];
}

/** With commands below it, and of no use by itself. */
function isGroup({ commands, registeredArguments }: Command): boolean {
  return commands.length > 0 && registeredArguments.length === 0;
}

function optionOf(word: string, command: Command, program: Command): Option | undefined {
  const flag = word.split('=')[0];
  return [...command.options, ...program.options].find(({ long, short }) => flag === long || flag === short);
}

function operandFaults(command: Command, operands: readonly string[], whole: boolean): readonly string[] {
  const wanted: readonly Argument[] = command.registeredArguments;
  const least = wanted.filter(({ required }) => required).length;
  if (operands.length > wanted.length && !wanted.some(({ variadic }) => variadic))
    return [`${command.name()} takes no "${operands[wanted.length]}"`];
  if (whole && operands.length < least)
    return [`${command.name()} lacks <${wanted[operands.length]?.name()}>`];
  return operands.flatMap((operand, index) => {
    const choices = wanted[index]?.argChoices;
    return choices === undefined || choices.includes(operand)
      ? []
      : [`${operand} is none of ${choices.join(', ')}`];
  });
}

function lacking(command: Command, given: ReadonlySet<Option>): readonly string[] {
  const options = command.options.filter((option) => option.mandatory && !given.has(option));
  return [
    ...options.map(({ long }) => `${command.name()} lacks ${long}`),
    ...(isGroup(command) ? [`${command.name()} alone does nothing`] : []),
  ];
}

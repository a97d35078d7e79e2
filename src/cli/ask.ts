import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { KbinError } from '../errors.ts';

/** Lines that came before they were asked for: several were pasted at once. */
const early: string[] = [];

/**
 * Asks one question on the terminal. The prompt goes to stderr, so that stdout stays the result's.
 * An empty answer is `fallback` where there is one. Ctrl-C and Ctrl-D end the command with a KbinError.
 */
export function ask(
  question: string,
  options: { secret?: boolean; fallback?: string } = {},
): Promise<string> {
  const hint = options.fallback === undefined || options.secret ? '' : ` [${options.fallback}]`;
  const prompt = `${question}${hint}: `;
  const given = (answer: string) => (options.secret ? answer : answer.trim() || (options.fallback ?? ''));
  const pasted = early.shift();
  if (pasted !== undefined) {
    process.stderr.write(`${prompt}${options.secret ? '' : pasted}\n`);
    return Promise.resolve(given(pasted));
  }
  return new Promise((resolve, reject) => {
    const lines = createInterface({
      input: process.stdin,
      output: options.secret ? silent(prompt) : process.stderr,
      terminal: true,
      historySize: 0,
    });
    let answered = false;
    lines.on('SIGINT', () => lines.close());
    lines.on('close', () => {
      if (answered) return;
      process.stderr.write('\n');
      reject(new KbinError('no answer given', { step: question, next: 'run the command again' }));
    });
    lines.question(prompt, (answer) => {
      answered = true;
      lines.on('line', (line) => early.push(line));
      if (options.secret) process.stderr.write('\n');
      // What came with this line in one piece is told before the next turn; closing at once would lose it.
      setImmediate(() => {
        lines.close();
        resolve(given(answer));
      });
    });
  });
}

/** Lets the prompt through once and swallows what readline echoes after it. */
function silent(prompt: string): Writable {
  process.stderr.write(prompt);
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}

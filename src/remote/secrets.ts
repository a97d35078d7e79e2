import { readFileSync } from 'node:fs';
import { KbinError } from '../errors.ts';

/** Asks the person at the terminal without echo; absent where there is none. */
export type AskSecret = (question: string) => Promise<string>;

export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly askSecret?: AskSecret;
}

/** A secret with a word on where it came from, for the message when it turns out wrong. */
export interface Secret {
  readonly value: string;
  readonly from: string;
  /** A person typed it, and may be asked again. */
  readonly typed: boolean;
}

/** What is read from a file is the first line, without its end. @throws KbinError when the file cannot be read. */
export function secretFromFile(file: string): Secret {
  try {
    return { value: readFileSync(file, 'utf8').split(/\r?\n/)[0] ?? '', from: file, typed: false };
  } catch (cause) {
    throw new KbinError(`cannot read ${file}`, {
      why: (cause as Error).message,
      next: 'correct the path in cluster.yaml, or make the file readable',
      cause,
    });
  }
}

/** From the file, else the variable, else the terminal; undefined when there is none of them. */
export async function findSecret(
  sources: SecretSources,
  wanted: { readonly file?: string | undefined; readonly variable: string; readonly question: string },
): Promise<Secret | undefined> {
  if (wanted.file !== undefined) return secretFromFile(wanted.file);
  const value = sources.env[wanted.variable];
  if (value !== undefined && value !== '') return { value, from: `$${wanted.variable}`, typed: false };
  if (!sources.askSecret) return undefined;
  return { value: await sources.askSecret(wanted.question), from: 'the terminal', typed: true };
}

/** One question at a time, however many hosts want to ask. */
export function oneAtATime(ask: AskSecret): AskSecret {
  let last: Promise<unknown> = Promise.resolve();
  return (question) => {
    const answer = last.then(() => ask(question));
    last = answer.catch(() => {});
    return answer;
  };
}

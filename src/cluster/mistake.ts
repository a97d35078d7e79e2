/** What a reader of one value returns instead of the value: a sentence part that names what was found and what would do. */
export class Mistake {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** Reads the text of one value of cluster.yaml. Pure. */
export type Read<T> = (text: string) => T | Mistake;

/** A place in cluster.yaml, from the root: `['hosts', 0, 'address']`. */
export type Path = readonly (string | number)[];

export interface Problem {
  readonly path: Path;
  /** Whether the key itself is what is wrong (it is unknown), or its value. */
  readonly at: 'key' | 'value';
  readonly message: string;
  /** A warning is said, and kbin goes on. */
  readonly severity: 'error' | 'warning';
  /** Nothing is given at the path: no news where something wrong was given. */
  readonly missing?: true;
  /** The other place of two that do not go together; said with its line. */
  readonly other?: Path;
}

export function error(path: Path, message: string, other?: Path): Problem {
  return { path, at: 'value', message, severity: 'error', ...(other === undefined ? {} : { other }) };
}

export function missing(path: Path, message: string): Problem {
  return { path, at: 'value', message, severity: 'error', missing: true };
}

export function warning(path: Path, message: string): Problem {
  return { path, at: 'value', message, severity: 'warning' };
}

/** `hosts[0].address` */
export function pathText(path: Path): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
    .join('');
}

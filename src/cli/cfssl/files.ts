import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileFailure } from '../../ca/file-failure.ts';
import { holdsOnly } from '../../ca/pem.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { Io } from '../io.ts';
import { type Output, refuseTaken } from '../output-file.ts';

/** What a command made, under cfssl's own keys. */
export interface Made {
  readonly cert?: string;
  readonly csr?: string;
  readonly key?: string;
}

/** What a file name or `-` stands for; for CAs also `env:NAME` and `file:NAME`. */
export function readInput(io: Io, name: string, step: string, mayBeVariable = false): string {
  const [, scheme, rest = ''] = (mayBeVariable && /^(env|file):(.*)$/s.exec(name)) || [];
  if (scheme === 'env') {
    const text = io.env[rest];
    if (text) return text;
    throw new KbinError(`the variable ${rest} is not set`, {
      step,
      next: 'set it, or give a file',
      exit: exitCode.usage,
    });
  }
  const file = scheme === undefined ? name : rest;
  try {
    return readFileSync(file === '-' ? 0 : resolve(io.cwd, file), 'utf8');
  } catch (error) {
    throw fileFailure(file === '-' ? 'cannot read stdin' : `cannot read ${file}`, step, error);
  }
}

const endings = { key: '-key.pem', cert: '.pem', csr: '.csr' } as const;

/** A key that another file holds already: writing over it loses it. */
export function lostKey(io: Io, name: string, { key }: Made): string | undefined {
  const file = `${name}${endings.key}`;
  const path = resolve(io.cwd, file);
  if (key === undefined || !existsSync(path)) return undefined;
  return readInput(io, file, 'writing the files') === key
    ? undefined
    : `${file} holds another key, which is lost when this one is written over it`;
}

const kinds = {
  key: { what: 'a private key', label: /PRIVATE KEY$|^EC PARAMETERS$/ },
  cert: { what: 'a certificate', label: /^CERTIFICATE$/ },
  csr: { what: 'a certificate request', label: /^(NEW )?CERTIFICATE REQUEST$/ },
} as const;

function outputOf(kind: keyof Made): Output {
  const { what, label } = kinds[kind];
  return {
    step: 'writing the files',
    option: '--bare',
    what,
    isOne: (content) => holdsOnly(content, label),
  };
}

/**
 * As `cfssljson -bare NAME` does, but over files of the same kind alone; the key is never readable by others, not for a
 * moment. Returns the names.
 */
export function writeBare(io: Io, name: string, made: Made): string[] {
  const wanted = (['key', 'cert', 'csr'] as const).filter((kind) => made[kind] !== undefined);
  for (const kind of wanted) refuseTaken(resolve(io.cwd, `${name}${endings[kind]}`), outputOf(kind));
  return wanted.flatMap((kind) => {
    const text = made[kind];
    if (text === undefined) return [];
    const file = `${name}${endings[kind]}`;
    const path = resolve(io.cwd, file);
    const fresh = `${path}.kbin-${process.pid}`;
    try {
      writeFileSync(fresh, text, { mode: kind === 'key' ? 0o600 : 0o644, flag: 'wx' });
      renameSync(fresh, path);
    } catch (error) {
      rmSync(fresh, { force: true });
      throw fileFailure(`cannot write ${file}`, 'writing the files', error);
    }
    return [file];
  });
}

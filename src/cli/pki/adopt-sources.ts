import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { errorCode, fileFailure } from '../../ca/file-failure.ts';
import type { SourceText } from '../../ca/found.ts';
import type { FoundEncryption } from '../../ca/found-encryption.ts';
import { keyLabelOf } from '../../ca/key-der.ts';
import { isDer, pemText } from '../../ca/pem.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { isKubeconfig, mayBeEncryption, readAdoptable } from './adopt-yaml.ts';

/** All that was read of the paths that were given. */
export interface Sources {
  readonly texts: readonly SourceText[];
  readonly encryption: readonly FoundEncryption[];
  /** Files that could not be read, with the reason. */
  readonly closed: readonly { readonly place: string; readonly reason: string }[];
  /** How many files were looked at. */
  readonly files: number;
}

/** Bytes; a file of certificates is never as large. */
const largest = 1 << 20;
/** A folder with more is no folder of certificates: somebody gave `/`. */
const mostFiles = 10_000;

const step = 'reading certificates and keys';

/** Folders are read with all below them, each file once however many links lead to it. */
export function readSources(paths: readonly string[], cwd: string): Sources {
  const seen = new Set<string>();
  const sources = {
    texts: [] as SourceText[],
    encryption: [] as FoundEncryption[],
    closed: [] as { place: string; reason: string }[],
  };
  const visit = (place: string, given: boolean): void => {
    let real: string;
    try {
      real = realpathSync(place);
    } catch (error) {
      // A link that leads nowhere.
      if (!given && errorCode(error) === 'ENOENT') return;
      throw fileFailure(`cannot read ${place}`, step, error);
    }
    if (seen.has(real)) return;
    seen.add(real);
    if (seen.size > mostFiles) throw tooMany(place);
    try {
      const { mode, size } = statSync(real);
      if (statSync(real).isDirectory()) {
        for (const name of readdirSync(real).sort()) visit(join(place, name), false);
      } else if (statSync(real).isFile() && (size <= largest || given)) {
        take(place, readFileSync(real), mode, sources, (path) => visit(path, false));
      }
    } catch (error) {
      if (error instanceof KbinError) throw error;
      if (given || (errorCode(error) !== 'EACCES' && errorCode(error) !== 'EPERM')) {
        throw fileFailure(`cannot read ${place}`, step, error);
      }
      sources.closed.push({ place, reason: 'you may not read it: run the command as the user that may' });
    }
  };
  for (const path of paths) visit(resolve(cwd, path), true);
  // What lies in a file of its own is named by that file, not by a kubeconfig that has it too.
  const texts = sources.texts.toSorted(
    (a, b) => Number(a.place.endsWith(')')) - Number(b.place.endsWith(')')),
  );
  return { ...sources, texts, files: seen.size };
}

type Growing = Pick<Sources, 'closed'> & {
  readonly texts: SourceText[];
  readonly encryption: FoundEncryption[];
};

function take(
  place: string,
  content: Buffer,
  mode: number,
  { texts, encryption }: Growing,
  visit: (path: string) => void,
): void {
  const keyLabel = keyLabelOf(content);
  if (keyLabel !== undefined) {
    texts.push({ place, pem: pemText(keyLabel, content), mode });
    return;
  }
  if (isDer(content)) {
    texts.push({ place, pem: pemText('CERTIFICATE', content), mode });
    return;
  }
  const text = content.toString('utf8');
  if (/^-----BEGIN /m.test(text)) texts.push({ place, pem: text, mode });
  else if (isKubeconfig(text) || mayBeEncryption(text)) {
    const read = readAdoptable(place, text);
    texts.push(...read.texts.map((each) => ({ ...each, mode })));
    encryption.push(...read.encryption);
    for (const path of read.files) visit(isAbsolute(path) ? path : join(dirname(place), path));
  }
}

function tooMany(place: string): KbinError {
  return new KbinError(`there are more than ${mostFiles} files here`, {
    step,
    why: `the last one looked at was ${place}`,
    next: 'name the folder of the certificates',
    exit: exitCode.usage,
  });
}

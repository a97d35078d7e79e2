import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { DesiredFile } from '../desired/desired.ts';
import { KbinError } from '../errors.ts';
import { bundlesToStage } from './commit.ts';
import type { Work, Workplace } from './work.ts';

/**
 * Whether each key that goes to a host belongs to the certificate beside it: a component that is given another one
 * refuses every connection, or does not start. The plan cannot tell, since it is made without the keys.
 */
export async function refuseForeignKeys(
  { readSecret }: Pick<Work, 'readSecret'>,
  places: readonly Workplace[],
): Promise<void> {
  const looked = new Set<string>();
  for (const bundle of places.flatMap(({ task }) => bundlesToStage(task))) {
    for (const { path, content } of bundle.files) {
      if (content.kind !== 'secret' || !path.endsWith('.key')) continue;
      const certificate = certificateBeside(bundle.files, path);
      if (certificate === undefined || looked.has(content.ref + certificate)) continue;
      looked.add(content.ref + certificate);
      if (!belongs(certificate, await readSecret(content.ref))) throw foreign(content.ref);
    }
  }
}

function certificateBeside(files: readonly DesiredFile[], key: string): string | undefined {
  const content = files.find(({ path }) => path === key.replace(/\.key$/, '.crt'))?.content;
  return content?.kind === 'text' ? content.text : undefined;
}

function belongs(certificate: string, key: Uint8Array): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(Buffer.from(key)));
  } catch {
    return false;
  }
}

function foreign(ref: string): KbinError {
  const certificate = ref.replace(/\.key$/, '.crt');
  return new KbinError(`pki/${ref} is not the key of pki/${certificate}`, {
    step: 'look at the certificate store, nothing was changed',
    why: 'the two are of different pairs, or the key cannot be read',
    next: `Restore both from one backup, or remove pki/${certificate} and run \`kbin pki init\`, which issues it anew with its key.`,
  });
}

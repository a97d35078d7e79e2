import { KbinError } from '../errors.ts';
import { plainPem, readPrivateKey } from './keys.ts';

/** What opens the encrypted CA keys of a store, with a word on where it came from, for the message when it is wrong. */
export interface Passphrase {
  readonly value: string;
  /** `$KBIN_CA_PASSPHRASE`, a file, `the terminal`. */
  readonly from: string;
}

/**
 * Gets the passphrase when an encrypted key has to be opened, and not before: it may ask a person. Every call gives the
 * same one. Rejects with KbinError when there is none to be had.
 */
export type PassphraseSource = () => Promise<Passphrase>;

const step = 'certificate store';

export const howToGive =
  'give it with --passphrase-file or $KBIN_CA_PASSPHRASE, or run the command on a terminal';

export const noPassphrase: PassphraseSource = () => Promise.reject(missingPassphrase());

export function missingPassphrase(): KbinError {
  return new KbinError('a CA key is encrypted, and there is nobody to ask for its passphrase', {
    step,
    why: 'it has to be opened to go on; nothing was changed',
    next: howToGive,
  });
}

/** An encrypted key (PEM) in the clear, PKCS #8. `file` names it. Throws KbinError when the passphrase is another one. */
export function openKey(pem: string, { value, from }: Passphrase, file: string): string {
  const reading = readPrivateKey(pem, value);
  if (reading.state === 'read') return plainPem(reading.key);
  throw new KbinError(`the passphrase from ${from} does not open ${file}`, {
    step,
    why: 'it is not the passphrase of this key, or the file is damaged; nothing was changed',
    next: howToGive,
  });
}

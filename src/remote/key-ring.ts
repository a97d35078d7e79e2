import { readFileSync, statSync } from 'node:fs';
import ssh2 from 'ssh2';
import { KbinError } from '../errors.ts';
import { findSecret, type SecretSources } from './secrets.ts';
import { NeedsPassphrase, parsePrivateKey, publicBlobOf, type Signer, WrongPassphrase } from './signer.ts';

const ATTEMPTS = 3;

/** The key files of one run: each read once, and its passphrase asked for once, however many hosts want it. */
export class KeyRing {
  readonly #sources: SecretSources;
  readonly #warn: (text: string) => void;
  readonly #texts = new Map<string, string | Error>();
  readonly #signers = new Map<string, Promise<Signer>>();

  constructor(sources: SecretSources, warn: (text: string) => void) {
    this.#sources = sources;
    this.#warn = warn;
  }

  /** @throws KbinError when a file that cluster.yaml names cannot be read. */
  check(file: string): void {
    const text = this.#read(file);
    if (!(text instanceof Error) || this.publicBlob(file)) return;
    const missing = (text as NodeJS.ErrnoException).code === 'ENOENT';
    throw new KbinError(missing ? `there is no key file ${file}` : `cannot read the key file ${file}`, {
      ...(missing ? {} : { why: text.message }),
      next: 'correct ssh.identityFile in cluster.yaml, or leave it out to use ~/.ssh/config and the agent',
      cause: text,
    });
  }

  /**
   * The public half, in wire format, without asking for a passphrase: from the file itself (which may be the public key
   * of one that an agent holds) or from FILE.pub. undefined when neither tells.
   */
  publicBlob(file: string): Buffer | undefined {
    const text = this.#read(file);
    if (typeof text === 'string') {
      const blob = publicBlobOf(text) ?? parsePublic(text) ?? this.#unencrypted(text)?.blob;
      if (blob) return blob;
    }
    const besides = this.#read(`${file}.pub`);
    return typeof besides === 'string' ? parsePublic(besides) : undefined;
  }

  /** Whether the file holds a private key, rather than the public half of one that an agent holds. */
  isPrivate(file: string): boolean {
    const text = this.#read(file);
    return typeof text === 'string' && /-----BEGIN .*PRIVATE KEY-----|^PuTTY-User-Key-File/m.test(text);
  }

  /** The key, unlocked. @throws KbinError: no passphrase to be had, a wrong one, or a file that is no key. */
  unlock(file: string, passphraseFile?: string): Promise<Signer> {
    let signer = this.#signers.get(file);
    if (!signer) {
      signer = this.#unlock(file, passphraseFile);
      this.#signers.set(file, signer);
    }
    return signer;
  }

  async #unlock(file: string, passphraseFile: string | undefined): Promise<Signer> {
    const text = this.#read(file);
    if (text instanceof Error) throw new KbinError(`cannot read the key file ${file}`, { why: text.message });
    this.#warnWhenOpen(file);
    try {
      return parsePrivateKey(text);
    } catch (error) {
      if (!(error instanceof NeedsPassphrase)) throw notAKey(file, error as Error);
    }
    for (let attempt = 1; ; attempt++) {
      const question = `${attempt > 1 ? 'That is not it. ' : ''}Passphrase of ${file}`;
      const wanted = { file: passphraseFile, variable: 'KBIN_SSH_PASSPHRASE', question };
      const secret = await findSecret(this.#sources, wanted);
      if (!secret) throw noPassphrase(file);
      try {
        return parsePrivateKey(text, secret.value);
      } catch (error) {
        if (!(error instanceof WrongPassphrase)) throw notAKey(file, error as Error);
        if (!secret.typed || attempt === ATTEMPTS) throw wrongPassphrase(file, secret.from);
      }
    }
  }

  #read(file: string): string | Error {
    let text = this.#texts.get(file);
    if (text === undefined) {
      try {
        text = readFileSync(file, 'utf8');
      } catch (error) {
        text = error as Error;
      }
      this.#texts.set(file, text);
    }
    return text;
  }

  #unencrypted(text: string): Signer | undefined {
    try {
      return parsePrivateKey(text);
    } catch {
      return undefined;
    }
  }

  #warnWhenOpen(file: string): void {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) === 0) return;
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    this.#warn(`others than you may read the private key ${file} (mode ${octal}): chmod 600 ${file}`);
  }
}

function parsePublic(text: string): Buffer | undefined {
  const key = ssh2.utils.parseKey(text.trim().split('\n')[0] ?? '');
  return key instanceof Error || key.isPrivateKey() ? undefined : key.getPublicSSH();
}

function notAKey(file: string, error: Error): KbinError {
  return new KbinError(`${file} is no private key that kbin can use`, {
    why: error.message,
    next: 'kbin reads OpenSSH, PEM and PKCS#8 keys of the types ed25519, ecdsa and rsa',
    cause: error,
  });
}

function noPassphrase(file: string): KbinError {
  return new KbinError(`the key ${file} needs a passphrase, and there is nobody to ask for it`, {
    next: 'add the key to an agent (ssh-add), or give the passphrase in $KBIN_SSH_PASSPHRASE or ssh.passphraseFile',
  });
}

function wrongPassphrase(file: string, from: string): KbinError {
  return new KbinError(`the passphrase from ${from} does not open the key ${file}`, {
    next: 'correct it, or add the key to an agent (ssh-add)',
  });
}

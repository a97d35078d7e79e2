import { findSecret, type Secret, type SecretSources } from './secrets.ts';
import type { Login } from './sudo.ts';

interface Known {
  readonly secret: Promise<Secret | undefined>;
  value?: Secret | undefined;
  /** It opened at least one host. */
  good: boolean;
}

/** sudo passwords of one run: asked for once for all hosts of a user, and again where a host does not take it. */
export class SudoPasswords {
  readonly #sources: SecretSources;
  readonly #files: ReadonlyMap<string, string | undefined>;
  readonly #known = new Map<string, Known>();

  /** @param files password file by host name, where cluster.yaml names one */
  constructor(sources: SecretSources, files: ReadonlyMap<string, string | undefined>) {
    this.#sources = sources;
    this.#files = files;
  }

  /** The password for a login; undefined when there is nowhere to get it from. */
  get(login: Login): Promise<Secret | undefined> {
    const own = this.#known.get(ownKey(login));
    if (own) return own.secret;
    return this.#ask(sharedKey(login, this.#files.get(login.host)), login, `sudo password of ${login.user}`);
  }

  accepted(login: Login, secret: Secret): void {
    for (const known of this.#of(login)) if (known.value === secret) known.good = true;
  }

  /**
   * Where other hosts took it, this host has a password of its own; otherwise it was mistyped, and the next to ask gets
   * a new answer. Several hosts may refuse the same one.
   */
  refused(login: Login, secret: Secret): void {
    const question = `That is not it. sudo password of ${login.user}`;
    const shared = sharedKey(login, this.#files.get(login.host));
    const known = this.#known.get(shared);
    if (known?.good) {
      this.#known.delete(ownKey(login));
      this.#ask(ownKey(login), login, `${question} on ${login.host}`);
    } else if (known?.value === secret) {
      this.#known.delete(shared);
      this.#ask(shared, login, question);
    }
  }

  #of(login: Login): Known[] {
    const keys = [ownKey(login), sharedKey(login, this.#files.get(login.host))];
    return keys.flatMap((key) => this.#known.get(key) ?? []);
  }

  #ask(key: string, login: Login, question: string): Promise<Secret | undefined> {
    const before = this.#known.get(key);
    if (before) return before.secret;
    const file = this.#files.get(login.host);
    const secret = findSecret(this.#sources, { file, variable: 'KBIN_SUDO_PASSWORD', question });
    const known: Known = { secret, good: false };
    this.#known.set(key, known);
    secret.then(
      (value) => {
        known.value = value;
      },
      () => {},
    );
    return secret;
  }
}

function ownKey({ host, user }: Login): string {
  return `host ${host} ${user}`;
}

function sharedKey({ user }: Login, file: string | undefined): string {
  return file === undefined ? `user ${user}` : `file ${file}`;
}

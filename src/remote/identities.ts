import ssh2 from 'ssh2';
import { fingerprint } from './host-key.ts';
import type { KeyRing } from './key-ring.ts';
import type { IdentitySettings } from './target.ts';

/** A key that is offered to a server; it is unlocked only when the server says that it would take it. */
interface Identity {
  readonly blob: Buffer;
  readonly label: string;
  sign(data: Buffer, hash: string | undefined): Promise<Buffer>;
}

type ListCallback = (error?: Error | null, keys?: Buffer[]) => void;
type SignCallback = (error?: Error | null, signature?: Buffer) => void;

/**
 * The keys for one login, as the agent that ssh2 asks: key files and the keys of the real agent in one list, those that
 * were named first. So no passphrase is asked for a key that the server does not want, and the number of refused keys
 * before the right one stays small (sshd's MaxAuthTries).
 */
export class Identities extends ssh2.BaseAgent {
  readonly #settings: IdentitySettings;
  readonly #ring: KeyRing;
  readonly #whileAsking: <T>(work: () => Promise<T>) => Promise<T>;
  #list: Identity[] = [];
  /** Why a key that the server would have taken could not be used, or why there is no agent. */
  readonly failures: Error[] = [];

  constructor(
    settings: IdentitySettings,
    ring: KeyRing,
    whileAsking: <T>(work: () => Promise<T>) => Promise<T>,
  ) {
    super();
    this.#settings = settings;
    this.#ring = ring;
    this.#whileAsking = whileAsking;
  }

  /** What was offered, for messages. */
  get offered(): readonly string[] {
    return this.#list.map((identity) => identity.label);
  }

  override getIdentities(done: ListCallback): void {
    this.#gather().then(
      (list) => {
        this.#list = list;
        done(
          null,
          list.map((identity) => identity.blob),
        );
      },
      (error: Error) => {
        this.failures.push(error);
        done(null, []);
      },
    );
  }

  override sign(
    key: Parameters<ssh2.BaseAgent['sign']>[0],
    data: Buffer,
    options: ssh2.SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    const answer = typeof options === 'function' ? options : done;
    const hash = typeof options === 'function' ? undefined : options.hash;
    const parsed = ssh2.utils.parseKey(key as Buffer);
    const blob = parsed instanceof Error ? undefined : parsed.getPublicSSH();
    const identity = this.#list.find((candidate) => blob && candidate.blob.equals(blob));
    if (!identity) {
      answer?.(new Error('not one of the keys that were offered'));
      return;
    }
    identity.sign(data, hash).then(
      (signature) => answer?.(null, signature),
      (error: Error) => {
        this.failures.push(error);
        answer?.(error);
      },
    );
  }

  async #gather(): Promise<Identity[]> {
    const { file, otherFiles, only } = this.#settings;
    if (file !== undefined) this.#ring.check(file);
    const held = await this.#heldByAgent();
    const named = file === undefined ? [] : [await this.#fromFile(file, held, true)];
    const others = await Promise.all(otherFiles.map((path) => this.#fromFile(path, held, false)));
    const fromAgent = (identity: Identity | undefined) => identity !== undefined && held.includes(identity);
    const order = [
      ...named,
      ...others.filter(fromAgent),
      ...(only ? [] : held),
      ...others.filter((identity) => !fromAgent(identity)),
    ];
    const list: Identity[] = [];
    for (const identity of order) {
      if (identity && !list.some((earlier) => earlier.blob.equals(identity.blob))) list.push(identity);
    }
    return list;
  }

  /** A file's key; the agent's, where it holds the same one, since that needs no passphrase. */
  async #fromFile(file: string, held: readonly Identity[], named: boolean): Promise<Identity | undefined> {
    const passphraseFile = named ? this.#settings.passphraseFile : undefined;
    const unlock = () => this.#whileAsking(() => this.#ring.unlock(file, passphraseFile));
    // An encrypted PEM file without its .pub tells nothing before it is opened.
    const blob = this.#ring.publicBlob(file) ?? (named ? (await unlock()).blob : undefined);
    if (!blob) return undefined;
    const inAgent = held.find((identity) => identity.blob.equals(blob));
    if (inAgent) return inAgent;
    if (!this.#ring.isPrivate(file)) return undefined;
    return { blob, label: file, sign: async (data, hash) => (await unlock()).sign(data, hash) };
  }

  async #heldByAgent(): Promise<Identity[]> {
    const { agentSocket } = this.#settings;
    if (agentSocket === undefined) return [];
    const agent = ssh2.createAgent(agentSocket);
    try {
      return (await listKeys(agent)).map((key) => {
        const blob = key.getPublicSSH();
        const label = `${key.comment || fingerprint(blob)} (agent)`;
        return { blob, label, sign: (data, hash) => signWith(agent, key, data, hash) };
      });
    } catch (cause) {
      this.failures.push(new Error(`the SSH agent at ${agentSocket} does not answer`, { cause }));
      return [];
    }
  }
}

function listKeys(agent: ssh2.BaseAgent): Promise<ssh2.ParsedKey[]> {
  return new Promise((resolve, reject) => {
    agent.getIdentities((error, keys) => {
      if (error) return reject(error);
      // Keys that ssh2 cannot use (certificates, security keys) are left out.
      const parsed: (ssh2.ParsedKey | Error)[] = (keys ?? []).map((key) =>
        ssh2.utils.parseKey(key as Buffer),
      );
      resolve(parsed.filter((key): key is ssh2.ParsedKey => !(key instanceof Error)));
    });
  });
}

function signWith(agent: ssh2.BaseAgent, key: ssh2.ParsedKey, data: Buffer, hash?: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = (hash ? { hash } : {}) as ssh2.SigningRequestOptions;
    agent.sign(key, data, options, (error, signature) => {
      if (signature) resolve(signature);
      else reject(new Error(`the agent did not sign with ${key.comment || key.type}`, { cause: error }));
    });
  });
}

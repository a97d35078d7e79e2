import { KbinError } from '../errors.ts';
import { fingerprint, type HostKey, hostKey, hostKeyAlgorithms } from './host-key.ts';
import { judge, type KnownHost, knownHostsName, knownTypes } from './known-hosts.ts';
import { appendKnownHost, readKnownHosts } from './known-hosts-file.ts';
import type { Target } from './target.ts';

/**
 * Decides about the key that a server shows. `verify` is what ssh2 calls: synchronous and a strict boolean, since ssh2
 * takes every other answer for a yes.
 */
export class HostCheck {
  readonly #target: Target;
  readonly #entries: readonly KnownHost[];
  #accepted: HostKey | undefined;
  /** Why the key was refused. */
  refusal: KbinError | undefined;

  /** @throws KbinError for a known_hosts file that cannot be read. */
  constructor(target: Target) {
    this.#target = target;
    this.#entries = readKnownHosts(target.hostKeys.files);
  }

  /** Signature algorithms to offer, those of the known keys first. */
  get algorithms(): string[] {
    return hostKeyAlgorithms(knownTypes(this.#entries, this.#target.hostKeys.known));
  }

  readonly verify = (blob: Buffer): boolean => {
    const key = hostKey(blob);
    const { hostKeys } = this.#target;
    const verdict = judge(this.#entries, hostKeys.known, key);
    if (verdict.kind === 'known') return true;
    // A key exchange later in the connection shows the same key again.
    if (this.#accepted) return this.#accepted.blob.equals(blob);
    if (verdict.kind === 'unknown' && hostKeys.acceptNew) {
      this.#accepted = key;
      return true;
    }
    if (verdict.kind === 'unknown') this.refusal = unknownKey(this.#target, key, verdict.authorities);
    else if (verdict.kind === 'revoked') this.refusal = revokedKey(this.#target, key, verdict.by);
    else this.refusal = changedKey(this.#target, key, verdict.by);
    return false;
  };

  /** Remembers a key that was accepted for the first time; called when the server has proved that it has the key. */
  remember(warn: (text: string) => void): void {
    const { name, hostKeys } = this.#target;
    if (!this.#accepted) return;
    const printed = `${this.#accepted.type} ${fingerprint(this.#accepted.blob)}`;
    if (hostKeys.newKeysTo === undefined) {
      warn(`${name}: accepted the new host key ${printed}; no known_hosts file is configured to keep it`);
      return;
    }
    appendKnownHost(hostKeys.newKeysTo, hostKeys.known, this.#accepted, hostKeys.hashNames);
    warn(`${name}: accepted the new host key ${printed} and wrote it to ${hostKeys.newKeysTo}`);
  }
}

function unknownKey(target: Target, key: HostKey, authorities: readonly KnownHost[]): KbinError {
  const { known, newKeysTo } = target.hostKeys;
  const port = known.port === 22 ? '' : `-p ${known.port} `;
  const authority = authorities[0];
  const why = authority
    ? `${authority.place} trusts a certificate authority for it, but kbin does not check host certificates`
    : `no key is known for ${knownHostsName(known)}`;
  return new KbinError(`the host key of ${target.name} is unknown: ${key.type} ${fingerprint(key.blob)}`, {
    host: target.name,
    step: 'check the host key',
    why,
    next:
      `compare the fingerprint with \`ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub\` on the host; then run kbin with ` +
      `--accept-new-host-keys, or \`ssh-keyscan ${port}${known.name} >>${newKeysTo ?? '~/.ssh/known_hosts'}\``,
  });
}

function changedKey(target: Target, key: HostKey, by: readonly KnownHost[]): KbinError {
  const { known } = target.hostKeys;
  const expected = by.map((entry) => `${entry.key.type} ${fingerprint(entry.key.blob)} (${entry.place})`);
  const file = by[0]?.place.replace(/:\d+$/, '') ?? '';
  return new KbinError(`THE HOST KEY OF ${target.name} HAS CHANGED: ${key.type} ${fingerprint(key.blob)}`, {
    host: target.name,
    step: 'check the host key',
    why:
      `known is ${expected.join(', ')}. Either the host was reinstalled, or somebody is listening in between; ` +
      'kbin sent nothing to it',
    next:
      `find out which; if the host has a new key for a good reason, ` +
      `\`ssh-keygen -R '${knownHostsName(known)}' -f ${file}\` forgets the old one`,
  });
}

function revokedKey(target: Target, key: HostKey, by: KnownHost): KbinError {
  return new KbinError(`the host key of ${target.name} is revoked: ${key.type} ${fingerprint(key.blob)}`, {
    host: target.name,
    step: 'check the host key',
    why: `${by.place} marks this key @revoked: it is known to be in wrong hands`,
    next: 'give the host a new key (ssh-keygen -A after removing /etc/ssh/ssh_host_*), or find out who answers there',
  });
}

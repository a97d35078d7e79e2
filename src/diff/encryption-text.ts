/** encryption-keys.txt: how an apiserver encrypts, as far as it may be shown (src/desired/components/kube-encryption.ts). */
export interface EncryptionText {
  /** In their order: `secretbox:key1:SHA256`, `identity`. */
  readonly providers: readonly string[];
  /** undefined: the text does not say. */
  readonly resources?: readonly string[];
  /** `key1:SHA256` of keys that a rotation has retired. */
  readonly retired: readonly string[];
}

export function encryptionText(text: string): EncryptionText {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const listed = (name: string): readonly string[] | undefined =>
    lines
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 1)
      .split(',')
      .map((word) => word.trim());
  const resources = listed('resources');
  return {
    providers: lines.filter((line) => !/^(resources|retired): /.test(line)),
    retired: listed('retired') ?? [],
    ...(resources === undefined ? {} : { resources }),
  };
}

export interface EncryptionKey {
  readonly name: string;
  /** Hex, of the key's file. */
  readonly sha256: string;
}

/** undefined: plain text. */
export function keyOf(provider: string): EncryptionKey | undefined {
  const [, name, sha256] = provider.split(':');
  return name === undefined || sha256 === undefined ? undefined : { name, sha256 };
}

/** For a reader: `key1 (sha256 12ab34cd…)`. */
export function nameOfKey(provider: string): string {
  const key = keyOf(provider);
  return key === undefined ? 'plain text' : `${key.name} (sha256 ${key.sha256.slice(0, 12)}…)`;
}

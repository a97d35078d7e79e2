import { basename } from 'node:path/posix';
import { encryptionKey } from '../../pki/encryption-key.ts';
import { type AdoptionFinding, type AdoptionItem, type AdoptionWishes, placesText } from './adoption.ts';
import { digestLine, sha256 } from './digest.ts';
import {
  isMade,
  isRingKeyName,
  keyMistake,
  keyRecord,
  keyRingPaths,
  orderText,
  readKeyRing,
  ringKeyDigest,
} from './key-ring.ts';
import type { StoreFiles } from './store-files.ts';

/** What an EncryptionConfiguration of kube-apiserver says of Secrets. */
export interface FoundEncryption {
  readonly place: string;
  /** In their order; `identity` and other kinds without keys among them. */
  readonly providers: readonly {
    readonly kind: string;
    readonly keys: readonly { readonly name: string; readonly secret: string }[];
  }[];
}

/** Undefined: there is nothing to adopt. */
export function chooseEncryption(
  found: readonly FoundEncryption[],
  files: StoreFiles,
  /** `kubernetes.encryption.provider` of cluster.yaml. */
  provider: string,
  wishes: AdoptionWishes,
): { readonly item?: AdoptionItem; readonly findings: readonly AdoptionFinding[] } {
  const { id } = encryptionKey;
  const [first, ...others] = distinct(found);
  if (first === undefined || wishes.skip.has(id)) return { findings: [] };
  const places = found.map(({ place }) => place);
  const stop = (message: string, next: string): { findings: AdoptionFinding[] } => ({
    findings: [
      {
        severity: 'stop',
        code: 'encryption',
        id,
        places,
        message,
        next: `${next}; to leave it out: --skip ${id}`,
      },
    ],
  });
  if (others.length > 0)
    return stop(
      `${placesText(places)} encrypt with different keys`,
      'adopt them without all but the one that is in force',
    );
  const withKeys = first.providers.filter(({ keys }) => keys.length > 0);
  const [kind] = withKeys;
  if (kind === undefined) {
    const message = `${first.place} encrypts nothing`;
    return {
      findings: [
        {
          severity: 'note',
          code: 'encryption',
          id,
          places,
          message,
          next: 'set kubernetes: { encryption: { provider: off } } in cluster.yaml to leave it so',
        },
      ],
    };
  }
  if (withKeys.length > 1) {
    const kinds = withKeys.map((each) => each.kind).join(' and ');
    return stop(
      `${first.place} has keys of ${kinds}: kbin keeps those of one kind`,
      `rewrite all Secrets so that only ${kind.kind} is needed, and drop the others there`,
    );
  }
  if (kind.kind !== provider) {
    return stop(
      `${first.place} encrypts with ${kind.kind}, cluster.yaml says ${provider}: what lies in etcd could not be read`,
      `say so in cluster.yaml: kubernetes: { encryption: { provider: ${kind.kind} } }`,
    );
  }
  const odd = kind.keys.find(
    ({ name, secret }) => !isRingKeyName(name) || keyMistake(Buffer.from(secret)) !== undefined,
  );
  if (odd !== undefined) {
    const why = isRingKeyName(odd.name) ? 'is not 32 bytes as base64' : 'has a name that is no file name';
    return stop(
      `the key "${odd.name}" in ${first.place} ${why}`,
      'rotate it there to one that kbin can keep: letters, digits, . _ - in its name, 32 bytes',
    );
  }
  return kept(first.place, kind.keys, files, places);
}

function kept(
  place: string,
  keys: readonly { readonly name: string; readonly secret: string }[],
  files: StoreFiles,
  places: readonly string[],
): { readonly item?: AdoptionItem; readonly findings: readonly AdoptionFinding[] } {
  const { id } = encryptionKey;
  const ring = readKeyRing(id, files);
  const names = keys.map(({ name }) => name);
  const from = { id, from: places, keyFrom: place, key: names.join(', '), remove: [] };
  if (isMade(ring)) {
    const same = ring.keys.map((key) => `${key.name} ${ringKeyDigest(key)}`).join();
    if (same === keys.map(({ name, secret }) => `${name} ${sha256(`${secret}\n`)}`).join()) {
      return { item: { ...from, action: 'same', files: [] }, findings: [] };
    }
    const message = `the store has other encryption keys (${ring.keys.map(({ name }) => name).join(', ')}) than ${place} (${names.join(', ')})`;
    const next = `if no cluster uses the store's, move ${files.place(id)} and ${files.place(keyRecord(id))} away; to leave it out: --skip ${id}`;
    return { findings: [{ severity: 'stop', code: 'conflict', id, places, message, next }] };
  }
  const order = orderText(names);
  const staged = keys.flatMap(({ name, secret }) => {
    const path = keyRingPaths.key(id, name);
    const text = `${secret}\n`;
    return [
      { path, content: text, mode: 0o600 } as const,
      {
        path: keyRingPaths.keyDigest(id, name),
        content: digestLine(text, basename(path)),
        mode: 0o644,
      } as const,
    ];
  });
  const lists = [keyRingPaths.order(id), keyRecord(id)].map(
    (path) => ({ path, content: order, mode: 0o644 }) as const,
  );
  return { item: { ...from, action: 'adopt', files: [...staged, ...lists] }, findings: [] };
}

/** Each control-plane host has a copy. */
function distinct(found: readonly FoundEncryption[]): FoundEncryption[] {
  const seen = new Map(found.toReversed().map((each) => [JSON.stringify(each.providers), each]));
  return [...seen.values()].toReversed();
}

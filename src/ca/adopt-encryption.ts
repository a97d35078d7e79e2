import { basename } from 'node:path/posix';
import { encryptionKey } from '../../pki/encryption-key.ts';
import type { EncryptionSettings } from '../cluster/cluster.ts';
import { type AdoptionFinding, type AdoptionItem, type AdoptionWishes, placesText } from './adoption.ts';
import { digestLine, sha256 } from './digest.ts';
import { type EncryptionKey, type FoundEncryption, isPlain, keysOf, unkeepable } from './found-encryption.ts';
import { isMade, keyRecord, keyRingPaths, orderText, readKeyRing, ringKeyDigest } from './key-ring.ts';
import type { StoreFiles } from './store-files.ts';

export interface EncryptionAdoption {
  readonly item?: AdoptionItem;
  readonly findings: readonly AdoptionFinding[];
}

export function chooseEncryption(
  all: readonly FoundEncryption[],
  files: StoreFiles,
  /** `kubernetes.encryption` of cluster.yaml; undefined where it is off. */
  settings: EncryptionSettings | undefined,
  wishes: AdoptionWishes,
): EncryptionAdoption {
  const { id } = encryptionKey;
  if (wishes.skip.has(id)) return { findings: [] };
  const found = all.filter(({ unread }) => unread === undefined);
  const unread = unreadFindings(all, found.length > 0);
  const [first, ...others] = distinct(found);
  if (first === undefined) return { findings: unread };
  const places = found.map(({ place }) => place);
  const stop = (message: string, next: string): AdoptionFinding => about('stop', places, message, next);
  if (others.length > 0) {
    const next = 'adopt them without all but the one that is in force';
    return { findings: [...unread, stop(`${placesText(places)} encrypt with different keys`, next)] };
  }
  const keys = keysOf(first);
  const mistake = unkeepable(first, keys, settings);
  if (mistake !== undefined) return { findings: [...unread, stop(mistake.message, mistake.next)] };
  if (keys.length === 0) {
    const next = 'set kubernetes: { encryption: { provider: off } } in cluster.yaml to leave it so';
    return { findings: [...unread, about('note', places, `${first.place} encrypts nothing`, next)] };
  }
  const { item, findings } = kept(first.place, keys, files, places);
  return {
    ...(item === undefined ? {} : { item }),
    findings: [...unread, ...plainFindings(first, places, settings), ...findings],
  };
}

function about(
  severity: AdoptionFinding['severity'],
  places: readonly string[],
  message: string,
  next: string,
): AdoptionFinding {
  const { id } = encryptionKey;
  const leaving = severity === 'stop' ? `; to leave it out: --skip ${id}` : '';
  return { severity, code: 'encryption', id, places, message, next: `${next}${leaving}` };
}

/** Each control-plane host has a copy, so one that cannot be read is no loss where another can. */
function unreadFindings(all: readonly FoundEncryption[], isOtherRead: boolean): AdoptionFinding[] {
  return all.flatMap(({ place, unread }) =>
    unread === undefined
      ? []
      : [
          about(
            isOtherRead ? 'warning' : 'stop',
            [place],
            `${place} looks like an EncryptionConfiguration and cannot be read: ${unread}`,
            'give the one that kube-apiserver runs with',
          ),
        ],
  );
}

/** What was written in plain text until now, and is not from now on. */
function plainFindings(
  { place, entries }: FoundEncryption,
  places: readonly string[],
  settings: EncryptionSettings | undefined,
): AdoptionFinding[] {
  const plain = entries.filter((entry) => isPlain(entry)).flatMap(({ resources }) => resources);
  if (settings === undefined || plain.length === 0) return [];
  return [
    about(
      'warning',
      places,
      `${place} has identity first: ${plain.join(', ')} were written in plain text until now, and kbin's configuration will encrypt them`,
      'set kubernetes: { encryption: off } in cluster.yaml to leave it so; else write again what is there: kubectl get secrets -A -o json | kubectl replace -f -',
    ),
  ];
}

function kept(
  place: string,
  keys: readonly EncryptionKey[],
  files: StoreFiles,
  places: readonly string[],
): EncryptionAdoption {
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
  const seen = new Map(found.toReversed().map((each) => [JSON.stringify(each.entries), each]));
  return [...seen.values()].toReversed();
}

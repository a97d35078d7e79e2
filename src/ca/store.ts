import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { encryptionKey } from '../../pki/encryption-key.ts';
import { authorities, keyRings } from '../../pki/index.ts';
import { serviceAccount } from '../../pki/service-account.ts';
import { written } from '../desired/desired.ts';
import type { StoreView } from '../desired/store-view.ts';
import { KbinError } from '../errors.ts';
import { digestIn, sha256 } from './digest.ts';
import { errorCode, fileFailure } from './file-failure.ts';
import { archivedKeyPaths, keyRingPaths, readKeyRing, retiredNames, ringKeyDigest } from './key-ring.ts';
import { isEncrypted } from './keys.ts';
import { clusterIdFile, ignoreFile, pathsBeside, pathsOf, storePaths } from './layout.ts';
import { type LockOptions, lock } from './lock.ts';
import { noPassphrase, openKey, type PassphraseSource } from './passphrase.ts';
import { firstCertificate } from './pem.ts';
import { observeRevocations } from './revocation.ts';
import { diskFiles, readConsistently, type StoreFiles } from './store-files.ts';
import { begin, recover, syncFolders, type Transaction } from './transaction.ts';

/** The certificate store: the folder pki/ beside cluster.yaml. */
export interface Store {
  /** Absolute path of pki/. It need not exist. */
  readonly folder: string;
  /** As of now. Needs no lock, no right to write, and no private keys. */
  view(): StoreView;
  /**
   * The bytes of a file that a StoreView referred to, as hosts get them: an encrypted key is opened. Throws KbinError when
   * it is not there, closed to this user, or when the passphrase does not open it.
   */
  readSecret(ref: string): Promise<Uint8Array>;
  /** Opens encrypted keys. */
  readonly passphrase: PassphraseSource;
  /** Keeps the id (hex) of the etcd cluster that was bootstrapped from this store; it never changes afterwards. */
  recordEtcdClusterId(id: string): Promise<void>;
  /**
   * Runs `work` with the store to itself: makes the folder, waits for another process to finish, mends what one that
   * was killed left behind. What `work` stages is put in place together when it succeeds, and not at all when it throws.
   */
  withLock<T>(work: (transaction: Transaction) => Promise<T>, options?: Partial<LockOptions>): Promise<T>;
}

const defaultLock: LockOptions = { command: 'kbin', patience: 60_000 };

export async function openStore(folder: string, passphrase: PassphraseSource = noPassphrase): Promise<Store> {
  const store: Store = {
    folder,
    view: () => readConsistently(folder, viewOf),
    readSecret: (ref) => readSecret(folder, ref, passphrase),
    passphrase,
    recordEtcdClusterId: (id) =>
      store.withLock((transaction) => recordClusterId(store, transaction, id), {
        command: 'kbin etcd deploy',
      }),
    async withLock(work, options = {}) {
      const made = makeFolder(folder);
      const release = await lock(folder, { ...defaultLock, ...options });
      try {
        await recover(folder);
        return await inTransaction(folder, work, made);
      } finally {
        release();
      }
    },
  };
  return store;
}

/** `ready` is awaited before anything is decided; it has the time that the work takes. */
async function inTransaction<T>(
  folder: string,
  work: (transaction: Transaction) => Promise<T>,
  ready: Promise<void>,
): Promise<T> {
  const transaction = begin(folder);
  try {
    const result = await work(transaction);
    await ready;
    await transaction.commit();
    return result;
  } catch (error) {
    transaction.abort();
    throw error;
  }
}

/** Made when this returns; on the disk when the promise is fulfilled. */
function makeFolder(folder: string): Promise<void> {
  let made: string | undefined;
  try {
    made = mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileFailure(`cannot make ${folder}`, 'certificate store', error);
  }
  const onDisk = made === undefined ? Promise.resolve() : syncFolders([dirname(made)]);
  onDisk.catch(() => undefined);
  return onDisk;
}

/** Reads everything at once, so that the view is of one moment however late its parts are asked for. */
function viewOf(files: StoreFiles): StoreView {
  const texts = new Map<string, string>();
  const keys = new Map<string, Buffer>();
  for (const path of [...files.list(), clusterIdFile]) {
    const reading = files.read(path);
    if (reading.state !== 'read') continue;
    if (path.endsWith('.key')) keys.set(path, reading.content);
    else texts.set(path, reading.content.toString('utf8'));
  }
  const rings = new Map(keyRings.map(({ id }) => [id, keysInUse(id, files)]));
  const revocations = new Map(authorities.map(({ id }) => [id, revocationsIn(files, id)]));
  const clusterId = texts.get(clusterIdFile)?.trim();
  /** Of the file where it is and not encrypted, else what its digest file says. */
  const digestOfKey = (ref: string) => {
    const bytes = keys.get(ref);
    return bytes === undefined || isEncrypted(bytes.toString('latin1'))
      ? digestIn(texts.get(`${ref}.sha256`))
      : sha256(bytes);
  };
  const retired = retiredNames(encryptionKey.id, files).flatMap((name) => {
    const digest = digestOfKey(archivedKeyPaths(encryptionKey.id, name).key);
    return digest === undefined ? [] : [{ name, sha256: digest }];
  });
  const isAuthority = (id: string): boolean => authorities.some((authority) => authority.id === id);
  return {
    certificate(id) {
      const ref = storePaths(id)?.certificate;
      const pem = ref === undefined ? undefined : texts.get(ref);
      if (ref === undefined || pem === undefined) return undefined;
      return { ref, pem: isAuthority(id) ? firstCertificate(pem) : pem };
    },
    trusted(authority) {
      const own = storePaths(authority)?.certificate;
      if (own === undefined || !texts.has(own)) return undefined;
      const refs = [
        own,
        ...(['next', 'previous'] as const).map((beside) => pathsBeside(beside, authority).certificate),
      ];
      const pems = refs.flatMap((ref) => texts.get(ref ?? '') ?? []).map(firstCertificate);
      return [...new Set(pems)].join('');
    },
    key(id) {
      const [first] = rings.get(id) ?? [];
      if (first !== undefined) return { ref: first.ref, sha256: first.sha256 };
      const paths = storePaths(id);
      const digest = paths && digestOfKey(paths.key);
      return paths === undefined || digest === undefined ? undefined : { ref: paths.key, sha256: digest };
    },
    serviceAccountKeys: () => {
      const { id } = serviceAccount;
      const refs = [
        pathsOf(id).publicKey,
        ...(['next', 'previous'] as const).map((beside) => pathsBeside(beside, id).publicKey),
      ];
      return refs.flatMap((ref) => {
        const pem = ref === undefined ? undefined : texts.get(ref);
        return ref === undefined || pem === undefined ? [] : [{ ref, pem }];
      });
    },
    encryptionKeys: () => rings.get(encryptionKey.id) ?? [],
    revocations: (authority) => revocations.get(authority),
    retiredEncryptionKeys: () => retired,
    digestOf(parts) {
      const pieces = parts.map((part) => {
        if (typeof part === 'string') return part;
        const bytes = keys.get(part.ref);
        return bytes && written(part, bytes);
      });
      if (pieces.includes(undefined)) return undefined;
      return sha256(Buffer.concat(pieces.map((piece) => Buffer.from(piece ?? ''))));
    },
    ...(clusterId ? { etcdClusterId: clusterId } : {}),
  };
}

function revocationsIn(files: StoreFiles, authority: string): ReturnType<StoreView['revocations']> {
  const { revoked, list } = observeRevocations(files, authority);
  const last = revoked.at(-1);
  if (last === undefined) return undefined;
  return {
    serials: revoked.map(({ serial }) => serial),
    last: { serial: last.serial, at: last.at },
    ...(list.state === 'read' ? { list: list.info.der.toString('base64') } : {}),
  };
}

/** Nothing unless all of them can be told: with one left out, what it encrypted would be unreadable. */
function keysInUse(id: string, files: StoreFiles): ReturnType<StoreView['encryptionKeys']> {
  const { order, keys } = readKeyRing(id, files);
  if (order !== 'read' && order !== 'guessed') return [];
  const known = keys.flatMap((key) => {
    const digest = ringKeyDigest(key);
    return digest === undefined
      ? []
      : [{ name: key.name, ref: keyRingPaths.key(id, key.name), sha256: digest }];
  });
  return known.length === keys.length ? known : [];
}

async function readSecret(folder: string, ref: string, passphrase: PassphraseSource): Promise<Uint8Array> {
  const file = join(folder, ref);
  if (normalize(ref) !== ref || ref.startsWith('..'))
    throw new Error(`not a reference into the store: ${ref}`);
  const bytes = await readFile(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') throw keptElsewhere(file, ref, error);
    throw fileFailure(`cannot read ${file}`, 'certificate store', error);
  });
  const pem = bytes.toString('latin1');
  return isEncrypted(pem) ? Buffer.from(openKey(pem, await passphrase(), file)) : bytes;
}

/** A store may go without its keys, to a CI job or a second operator: enough to plan with, and for nothing more. */
function keptElsewhere(file: string, ref: string, cause: unknown): KbinError {
  return new KbinError(`${file} is not here`, {
    step: 'certificate store',
    why: 'what is to be done needs this file, and this pki folder was made or copied without it',
    next:
      ref === pathsOf('kubernetes-ca').key
        ? `put it here for the while; or, where kube-controller-manager is to sign nothing, keep it from the hosts: pki: { offline: [kubernetes-ca] } in cluster.yaml`
        : `work where the keys are, or copy ${ref} here; "kbin pki list" shows which keys there are`,
    cause,
  });
}

async function recordClusterId(store: Store, transaction: Transaction, id: string): Promise<void> {
  const known = store.view().etcdClusterId;
  if (known === id) return;
  if (known !== undefined) {
    throw new KbinError(`this store belongs to the etcd cluster ${known}, not to ${id}`, {
      step: 'certificate store',
      next: `if the former cluster is gone for good, remove ${join(store.folder, clusterIdFile)} by hand`,
    });
  }
  stageIgnoreFile(store.folder, transaction);
  transaction.stage({ path: clusterIdFile, content: `${id}\n`, mode: 0o644 });
}

/** Keys must never get into git, whoever runs `git add`. Under the lock. */
export function stageIgnoreFile(folder: string, transaction: Transaction): void {
  if (diskFiles(folder).read(ignoreFile).state === 'absent') {
    transaction.stage({ path: ignoreFile, content: '*\n', mode: 0o644 });
  }
}

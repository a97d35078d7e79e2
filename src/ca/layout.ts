import { authorities, findEntry, keyPairs, keyRings } from '../../pki/index.ts';

/** Where the store keeps what: paths below pki/, with `/`. */
export interface StorePaths {
  readonly key: string;
  /** The key file's digest as sha256sum writes it, so that a plan can be made where the key is not. */
  readonly keyDigest: string;
  readonly certificate?: string;
  /** Of a key pair that has no certificate. */
  readonly publicKey?: string;
}

export const ignoreFile = '.gitignore';
export const clusterIdFile = 'etcd-cluster-id';

/** A folder for each CA with what it signed, and one for each key pair and key ring. */
const mainFolders: readonly string[] = [...authorities, ...keyPairs, ...keyRings].map(({ id }) => id);

/**
 * Beside what is in use, with the same folders and names below them:
 *
 *     next/      made and not in use yet: the next CA of a rotation, a key that waits for its certificate (`.csr`)
 *     previous/  of a CA that signs nothing more and is still trusted, of a key that only verifies: no private keys
 *     archive/   retired, never read: `archive/etcd-ca/ca-20270131.crt`. Nothing is ever removed from it
 */
export type Beside = 'next' | 'previous' | 'archive';

const besides: readonly Beside[] = ['next', 'previous', 'archive'];

/** Every folder that holds files of the store, but for its own. */
export const storeFolders: readonly string[] = [
  ...mainFolders,
  ...besides.flatMap((beside) => mainFolders.map((folder) => `${beside}/${folder}`)),
];

/** Whether a path below pki/ is of what is in use. */
export function isInUse(path: string): boolean {
  return !besides.some((beside) => path.startsWith(`${beside}/`));
}

/** Undefined when pki/ knows nothing of that id. */
export function storePaths(id: string): StorePaths | undefined {
  const found = findEntry(id);
  if (found !== undefined) {
    const name = found.leaf === undefined ? 'ca' : id;
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9._-]+)?$/.test(id)) return undefined;
    const stem = `${found.authority.id}/${name}`;
    return { certificate: `${stem}.crt`, key: `${stem}.key`, keyDigest: `${stem}.key.sha256` };
  }
  if (!keyPairs.some((pair) => pair.id === id)) return undefined;
  return { key: `${id}/sa.key`, keyDigest: `${id}/sa.key.sha256`, publicKey: `${id}/sa.pub` };
}

/** Of what lies beside what is in use, with the certificate request that it waits to be answered. */
export function pathsBeside(
  beside: 'next' | 'previous',
  id: string,
): StorePaths & { readonly request: string } {
  const { key, keyDigest, certificate, publicKey } = pathsOf(id);
  const at = (path: string): string => `${beside}/${path}`;
  return {
    key: at(key),
    keyDigest: at(keyDigest),
    ...(certificate === undefined ? {} : { certificate: at(certificate) }),
    ...(publicKey === undefined ? {} : { publicKey: at(publicKey) }),
    request: at(key.replace(/\.key$/, '.csr')),
  };
}

/** For an id out of the plan, which pki/ always knows. */
export function pathsOf(id: string): StorePaths {
  const paths = storePaths(id);
  if (paths === undefined) throw new Error(`pki/ has no entry for ${id}`);
  return paths;
}

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
export const storeFolders: readonly string[] = [...authorities, ...keyPairs, ...keyRings].map(({ id }) => id);

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

/** For an id out of the plan, which pki/ always knows. */
export function pathsOf(id: string): StorePaths {
  const paths = storePaths(id);
  if (paths === undefined) throw new Error(`pki/ has no entry for ${id}`);
  return paths;
}

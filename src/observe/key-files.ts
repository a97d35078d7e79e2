import type { Host } from '../remote/host.ts';
import script from './key-files.sh?raw';
import type { KeyFile } from './observed.ts';
import { type FileScript, readFiles } from './read-files.ts';

/** Absolute paths on a host. */
export interface KeyFilesRequest {
  /** PEM: certificates, public keys, private keys. */
  readonly keys: readonly string[];
  /** EncryptionConfigurations of kube-apiserver. */
  readonly encryption: readonly string[];
}

const keyFiles: FileScript = {
  script,
  step: 'read keys',
  failed: 'The keys on the host could not be told',
  needs: 'sha256sum, od and sed',
};

/** By path, in one round trip. No secret leaves the host. Throws KbinError when the host cannot be asked. */
export async function readKeyFiles(
  host: Host,
  { keys, encryption }: KeyFilesRequest,
): Promise<ReadonlyMap<string, KeyFile>> {
  const asked = [
    ...keys.map((path) => ['k', path] as const),
    ...encryption.map((path) => ['e', path] as const),
  ];
  const lines = await readFiles(host, keyFiles, asked);
  const read = {
    absent: lines.indexed('absent'),
    sha256: lines.indexed('sha256'),
    public: lines.indexed('public'),
    half: lines.indexed('half'),
    encryption: lines.indexed('encryption'),
  };
  const text = (hex: string) => lines.hex(hex).toString('utf8');
  return new Map(
    asked.map(([tag, path], index): [string, KeyFile] => {
      if (read.absent.has(index)) return [path, { kind: 'absent' }];
      if (tag === 'e') return [path, encryptionIn(text(read.encryption.get(index) ?? ''))];
      const half = read.half.get(index);
      return [
        path,
        {
          kind: 'keys',
          sha256: read.sha256.get(index) ?? '',
          pem: `${text(read.public.get(index) ?? '')}${text(half ?? '')}`,
          isClosed: half === '',
        },
      ];
    }),
  );
}

function encryptionIn(words: string): KeyFile {
  const all = words.split('\n').filter(Boolean);
  const named = 'resource ';
  return {
    kind: 'encryption',
    lists: all.filter((word) => word === 'providers').length,
    resources: all.filter((word) => word.startsWith(named)).map((word) => word.slice(named.length)),
    providers: all.filter((word) => word !== 'providers' && !word.startsWith(named)),
  };
}

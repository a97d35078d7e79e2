import type { Host } from '../remote/host.ts';
import script from './certificate-files.sh?raw';
import { type FileScript, readFiles } from './read-files.ts';

/** Absolute paths on a host, and what is in them. */
export interface CertificateFilesRequest {
  /** PEM, with a private key besides or not. */
  readonly certificates: readonly string[];
  readonly kubeconfigs: readonly string[];
  /** Private keys: only their digest is told. */
  readonly secrets: readonly string[];
}

/** `odd`: no regular file, or closed even to root. */
export type CertificateFile =
  | { readonly state: 'absent' | 'odd' }
  | {
      readonly state: 'read';
      readonly mode: number;
      readonly owner: string;
      /** Of certificates: those blocks alone. */
      readonly pem?: string;
      /** Of a kubeconfig: the PEM of its clusters' CAs, and of its users' certificates. */
      readonly authority?: string;
      readonly client?: string;
      /** Of a secret, hex. */
      readonly sha256?: string;
    };

const certificateFiles: FileScript = {
  script,
  step: 'read certificates',
  failed: 'The certificates on the host could not be read',
  needs: 'stat, sha256sum, od and sed',
};

/** By path, in one round trip. Certificates leave the host, keys do not. Throws KbinError when the host cannot be asked. */
export async function readCertificateFiles(
  host: Host,
  { certificates, kubeconfigs, secrets }: CertificateFilesRequest,
): Promise<ReadonlyMap<string, CertificateFile>> {
  const asked = [
    ...certificates.map((path) => ['c', path] as const),
    ...kubeconfigs.map((path) => ['k', path] as const),
    ...secrets.map((path) => ['s', path] as const),
  ];
  const lines = await readFiles(host, certificateFiles, asked);
  const read = {
    absent: lines.indexed('absent'),
    file: lines.indexed('file'),
    pem: lines.indexed('pem'),
    authority: lines.indexed('authority'),
    client: lines.indexed('client'),
    sha256: lines.indexed('sha256'),
  };
  const text = (part: 'pem' | 'authority' | 'client', index: number, of: (text: string) => string) => {
    const hex = read[part].get(index);
    return hex === undefined ? {} : { [part]: of(lines.hex(hex).toString('utf8')) };
  };
  return new Map(
    asked.map(([, path], index): [string, CertificateFile] => {
      if (read.absent.has(index)) return [path, { state: 'absent' }];
      const [mode, owner = ''] = read.file.get(index)?.split(' ') ?? [];
      if (mode === undefined) return [path, { state: 'odd' }];
      const sha256 = read.sha256.get(index);
      return [
        path,
        {
          state: 'read',
          mode: lines.number(mode, 8),
          owner,
          ...text('pem', index, (pem) => pem),
          ...text('authority', index, decoded),
          ...text('client', index, decoded),
          ...(sha256 === undefined ? {} : { sha256 }),
        },
      ];
    }),
  );
}

/** Of one base64 text a line, each in quotes or not. */
function decoded(lines: string): string {
  return lines
    .split('\n')
    .map((line) => Buffer.from(line.trim().replace(/^(["'])(.*)\1$/, '$2'), 'base64').toString('utf8'))
    .join('');
}

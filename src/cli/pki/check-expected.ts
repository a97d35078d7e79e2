import { certificatesOf } from '../../ca/chain.ts';
import type { Content, DesiredComponent, SecretPart } from '../../desired/desired.ts';

/** What should lie on a host, as far as certificates and their keys go. */
export type ExpectedFile =
  | { readonly kind: 'certificates'; readonly path: string; readonly ders: readonly Buffer[] }
  | {
      readonly kind: 'kubeconfig';
      readonly path: string;
      readonly authority: readonly Buffer[];
      readonly client: readonly Buffer[];
    }
  /** `ref`: path below pki/; `sha256` of its bytes. */
  | { readonly kind: 'key'; readonly path: string; readonly ref: string; readonly sha256: string };

/** Out of the desired state, whatever the component. */
export function expectedFiles({ files, bundles }: DesiredComponent): readonly ExpectedFile[] {
  return [
    ...files.map(({ path, content }) => ({ path, content })),
    ...bundles.flatMap((bundle) =>
      bundle.files.map(({ path, content }) => ({ path: `${bundle.path}/${path}`, content })),
    ),
  ].flatMap(({ path, content }) => expectedFile(path, content));
}

function expectedFile(path: string, content: Content): ExpectedFile[] {
  switch (content.kind) {
    case 'text':
      return content.text.includes('-----BEGIN CERTIFICATE-----')
        ? [{ kind: 'certificates', path, ders: ders(content.text) }]
        : [];
    case 'secret':
      return [{ kind: 'key', path, ref: content.ref, sha256: content.sha256 }];
    case 'composed':
      return kubeconfig(path, content.parts);
    case 'bytes':
    case 'binary':
      return [];
  }
}

/** Another composed text than a kubeconfig has neither of the two lines. */
function kubeconfig(path: string, parts: readonly (string | SecretPart)[]): ExpectedFile[] {
  const text = parts.filter((part) => typeof part === 'string').join('');
  const [authority, client] = ['certificate-authority-data', 'client-certificate-data'].map((key) => {
    const data = new RegExp(`^[ -]*${key}: ([A-Za-z0-9+/=]+)$`, 'm').exec(text)?.[1];
    return data === undefined ? undefined : ders(Buffer.from(data, 'base64').toString('utf8'));
  });
  return authority === undefined || client === undefined
    ? []
    : [{ kind: 'kubeconfig', path, authority, client }];
}

function ders(pem: string): readonly Buffer[] {
  return certificatesOf(pem).map(({ raw }) => raw);
}

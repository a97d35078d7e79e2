import { assess } from '../../ca/assess.ts';
import { type CertificateFinding, day } from '../../ca/assess-findings.ts';
import { certificatesOf } from '../../ca/chain.ts';
import type { CertificateInfo } from '../../ca/inspect.ts';
import type { SeenCertificate } from '../../ca/seen.ts';
import type { CertificateFile, CertificateFilesRequest } from '../../observe/certificate-files.ts';
import type { ExpectedFile } from './check-expected.ts';
import type { Known } from './check-known.ts';
import type { OtherFinding } from './check-report.ts';

/** What a component's certificates and keys on a host came to. */
export interface DiskCheck {
  readonly certificates: readonly SeenCertificate[];
  readonly others: readonly OtherFinding[];
  /** Nothing of it is there: it was never brought to this host. */
  readonly nothing: boolean;
}

export function requestOf(expected: readonly ExpectedFile[]): CertificateFilesRequest {
  const paths = (kind: ExpectedFile['kind']) =>
    expected.filter((file) => file.kind === kind).map(({ path }) => path);
  return {
    certificates: paths('certificates'),
    kubeconfigs: paths('kubeconfig'),
    secrets: paths('key'),
  };
}

/** Pure. `deploy`: the command that brings the component's files. */
export function judgeDisk(
  host: string,
  expected: readonly ExpectedFile[],
  found: ReadonlyMap<string, CertificateFile>,
  { known, deploy }: { readonly known: Known; readonly deploy: string },
): DiskCheck {
  const nothing = expected.every(({ path }) => found.get(path)?.state === 'absent');
  if (nothing) return { certificates: [], others: [], nothing };
  const place = { host, known, deploy };
  const judged = expected.map((file) => judgeFile(file, found.get(file.path), place));
  return {
    certificates: judged.flatMap(({ certificates }) => certificates),
    others: judged.flatMap(({ others }) => others),
    nothing,
  };
}

interface Place {
  readonly host: string;
  readonly known: Known;
  readonly deploy: string;
}

interface Judged {
  readonly certificates: readonly SeenCertificate[];
  readonly others: readonly OtherFinding[];
}

function judgeFile(expected: ExpectedFile, found: CertificateFile | undefined, place: Place): Judged {
  const { host, deploy, known } = place;
  const name = nameOf(expected, known);
  const about = { seen: 'host', where: expected.path, host, name } as const;
  if (found?.state !== 'read') {
    const message =
      found?.state === 'odd'
        ? 'it is no regular file that can be read'
        : 'it is not there, though others are';
    return {
      certificates: [],
      others: [{ ...about, code: 'disk-missing', severity: 'fail', message, next: bring(deploy) }],
    };
  }
  const open = modeFinding(expected, found.mode);
  const others = open === undefined ? [] : [{ ...about, ...open }];
  switch (expected.kind) {
    case 'key':
      return {
        certificates: [],
        others: found.sha256 === expected.sha256 ? others : [...others, { ...about, ...otherKey(deploy) }],
      };
    case 'certificates':
      return {
        certificates: compare(found.pem, { ders: expected.ders, path: expected.path, name }, place),
        others,
      };
    case 'kubeconfig': {
      const { authority, client, path } = expected;
      return {
        certificates: [
          ...compare(found.client, { ders: client, path, name }, place),
          ...compare(found.authority, { ders: authority, path, name: first(authority, known) }, place),
        ],
        others,
      };
    }
  }
}

function nameOf(expected: ExpectedFile, known: Known): string {
  if (expected.kind === 'certificates') return first(expected.ders, known);
  if (expected.kind === 'kubeconfig') return first(expected.client, known);
  const [folder = '', file = ''] = expected.ref.split('/');
  return file === 'ca.key' || file === 'sa.key' ? folder : file.replace(/\.key$/, '');
}

function first([der]: readonly Buffer[], known: Known): string {
  return (der && known.nameOf(der)) ?? '-';
}

/** Each certificate of a file; that it is not what pki/ has is said of the first. */
function compare(
  pem: string | undefined,
  { ders, path, name }: { readonly ders: readonly Buffer[]; readonly path: string; readonly name: string },
  { host, known, deploy }: Place,
): SeenCertificate[] {
  const present = read(pem);
  const base = { seen: 'host', where: path, host, name } as const;
  const [leaf, ...sent] = present;
  if (leaf === undefined) {
    const message = 'there is no certificate in it that can be read';
    return [{ ...base, findings: [{ code: 'unreadable', severity: 'fail', message, next: bring(deploy) }] }];
  }
  const same =
    present.length === ders.length && present.every((der, index) => der.equals(ders[index] ?? der));
  // A leaf is followed by CAs that others look at where they lie; those of a bundle each count.
  const isBundle = known.termsOf(name).roles?.includes('ca') === true;
  return (isBundle ? present : [leaf]).map((der, index) => {
    const own = isBundle ? (known.nameOf(der) ?? name) : name;
    const found = assess(der, {
      ...known.termsOf(own),
      sent: isBundle ? [] : sent,
      idle: own.startsWith('previous/'),
    });
    const other = !same && index === 0 ? [differs(found.info, ders[0], { leaf, deploy })] : [];
    return { ...base, name: own, ...found, findings: [...other, ...found.findings] };
  });
}

function read(pem: string | undefined): readonly Buffer[] {
  try {
    return pem === undefined ? [] : certificatesOf(pem).map(({ raw }) => raw);
  } catch {
    return [];
  }
}

function differs(
  found: CertificateInfo | undefined,
  wanted: Buffer | undefined,
  { leaf, deploy }: { readonly leaf: Buffer; readonly deploy: string },
): CertificateFinding {
  const message =
    wanted?.equals(leaf) === true
      ? 'what follows the certificate in this file is not what pki/ has'
      : `another certificate than in pki/ lies on its disk (${found === undefined ? 'which cannot be read' : oneText(found)})`;
  return { code: 'disk-differs', severity: 'fail', message, next: bring(deploy) };
}

export function oneText({ serial, notAfter }: Pick<CertificateInfo, 'serial' | 'notAfter'>): string {
  return `serial ${serial}, until ${day(notAfter)}`;
}

const bring = (deploy: string): string =>
  `\`kbin plan\` shows how it differs, \`${deploy}\` brings what pki/ has`;

const otherKey = (deploy: string): CertificateFinding => ({
  code: 'key-differs',
  severity: 'fail',
  message: 'another key than in pki/ lies on its disk',
  next: bring(deploy),
});

/** What holds a private key is its owner's alone. */
function modeFinding({ kind }: ExpectedFile, mode: number): CertificateFinding | undefined {
  if (kind === 'certificates' || (mode & 0o077) === 0) return undefined;
  return {
    code: 'key-open',
    severity: 'fail',
    message: `it holds a private key and is open to other users (mode ${mode.toString(8).padStart(4, '0')})`,
    next: 'chmod 600, and think of who may have read it',
  };
}

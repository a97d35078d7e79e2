import { X509Certificate } from 'node:crypto';
import type { PlannedAuthority, PlannedLeaf } from '../desired/certificate-plan.ts';
import { withThoseAbove } from './adopt-authorities.ts';
import { certificateFile, keyFiles } from './adopt-files.ts';
import { type AdoptionFinding, type AdoptionItem, day } from './adoption.ts';
import { forbiddenUsages } from './allowed-usages.ts';
import { certificatesOf, chainBelow, isRoot, pathTo } from './chain.ts';
import { forbiddenNames, pathLengthMistake } from './constraints.ts';
import type { Found, FoundCertificate, FoundKey } from './found.ts';
import { publicPartOf, readPrivateKey } from './keys.ts';
import { pathsBeside, pathsOf } from './layout.ts';
import { pemBlocks } from './pem.ts';
import { takeApart } from './request.ts';
import type { StoreFiles } from './store-files.ts';
import { shortcomings } from './suffices.ts';

/** A request of ours that a found certificate answers: they have one public key. */
export interface Answer {
  readonly id: string;
  readonly found: FoundCertificate;
}

/** `waiting`: path below pki/ of the request, by id. */
export function answersTo(found: Found, waiting: ReadonlyMap<string, string>, files: StoreFiles): Answer[] {
  return [...waiting].flatMap(([id, path]) => {
    const reading = files.read(path);
    if (reading.state !== 'read') return [];
    const spki = requestedKey(reading.content.toString('utf8'), files.place(path));
    const fits = found.certificates.filter(
      (certificate) => certificate.spki === spki && !isRequestersOwn(certificate, id, files),
    );
    const [latest] = fits.toSorted((a, b) => b.info.notBefore.getTime() - a.info.notBefore.getTime());
    return latest === undefined ? [] : [{ id, found: latest }];
  });
}

function requestedKey(pem: string, source: string): string | undefined {
  const [block] = pemBlocks(pem, source);
  return block === undefined ? undefined : takeApart(block.der).spki.toString('hex');
}

/** The certificate that is in use already has that key too, where the request kept it. */
function isRequestersOwn({ x509 }: FoundCertificate, id: string, files: StoreFiles): boolean {
  const reading = files.read(pathsOf(id).certificate ?? '');
  if (reading.state !== 'read') return false;
  return certificatesOf(reading.content.toString('utf8'))[0]?.raw.equals(x509.raw) === true;
}

/** What is lacking then is not the answer itself. */
const along = 'along';

interface Circumstances {
  readonly found: Found;
  readonly files: StoreFiles;
  readonly now: Date;
  readonly passphrase: string | undefined;
}

export type Judged = { readonly item?: AdoptionItem; readonly findings: readonly AdoptionFinding[] };

/** Put in place where it does the job; `ca` is the file of the CA that the plan wants it of. */
export function answeredLeaf(
  leaf: PlannedLeaf,
  { id, found: certificate }: Answer,
  ca: string | undefined,
  circumstances: Circumstances,
): Judged {
  const { info, places } = certificate;
  const { found, now } = circumstances;
  const others = found.certificates.filter((each) => each.info.isCa).map((each) => each.info.pem);
  const between =
    ca === undefined ? undefined : pathTo([info.pem, ...others].join(''), new X509Certificate(ca));
  const lacks = [
    ...(ca === undefined ? [`the store has no ${leaf.authority} that it could be held against`] : []),
    ...(ca !== undefined && between === undefined
      ? [
          `${info.issuer} signed it, which does not lead to ${leaf.authority}: give the CAs between them ${along}`,
        ]
      : []),
    ...timeLacking(info, now),
    ...shortcomings(leaf, info).map(({ message }) => message),
  ];
  const pem = info.pem + (between ?? '') + (ca === undefined ? '' : chainBelow(ca));
  return judged(id, certificate, lacks, circumstances, (key) => ({
    id,
    action: 'answer',
    from: places,
    certificate: info,
    pem,
    files: [certificateFile(pathsOf(id), pem), ...keyFiles(pathsOf(id), key)],
    remove: waitingFiles(id),
    record: { id, sha256: info.fingerprints.sha256 },
  }));
}

/** Put in place where there is no such CA, or one with the same key; else it is the next one of a rotation. */
export function answeredAuthority(
  authority: PlannedAuthority,
  { id, found: certificate }: Answer,
  circumstances: Circumstances,
): Judged {
  const { info, places } = certificate;
  const { found, files, now } = circumstances;
  const pem = withThoseAbove(
    certificate,
    found.certificates.filter((each) => each.info.isCa),
  );
  const top = certificatesOf(pem).at(-1);
  const length = pathLengthMistake(pem);
  const forbidden = [
    ...new Set(authority.leaves.flatMap(({ sans }) => forbiddenNames(pem, sans))),
    ...forbiddenUsages(
      pem,
      authority.leaves.flatMap(({ usages }) => usages),
    ),
  ];
  const lacks = [
    ...(info.isCa && info.usages.includes('cert sign')
      ? []
      : ['it may not sign certificates (CA:TRUE, keyCertSign)']),
    ...(top === undefined || isRoot(top)
      ? []
      : [
          `its chain ends at ${top.subject.replaceAll('\n', ', ')}: give the certificate of ${top.issuer.replaceAll('\n', ', ')} ${along}`,
        ]),
    ...(length === undefined || !info.isCa ? [] : [length]),
    ...(forbidden.length === 0 ? [] : [`it may not sign for ${forbidden.join(', ')}`]),
    ...timeLacking(info, now),
  ];
  const present = files.read(pathsOf(id).certificate ?? '');
  const inUse = present.state === 'read' ? certificatesOf(present.content.toString('utf8'))[0] : undefined;
  const sameKey =
    inUse?.publicKey.equals(certificate.x509.publicKey) === true &&
    inUse.subject === certificate.x509.subject;
  const isNext = inUse !== undefined && !sameKey;
  return judged(id, certificate, lacks, circumstances, (key) => {
    const paths = isNext ? pathsBeside('next', id) : pathsOf(id);
    return {
      id,
      action: isNext ? 'next' : 'answer',
      from: places,
      certificate: info,
      pem,
      files: [certificateFile(paths, pem), ...keyFiles(paths, key)],
      remove: isNext ? [pathsBeside('next', id).request] : waitingFiles(id),
    };
  });
}

function waitingFiles(id: string): string[] {
  const { key, keyDigest, request } = pathsBeside('next', id);
  return [key, keyDigest, request];
}

function timeLacking({ notBefore, notAfter }: FoundCertificate['info'], now: Date): string[] {
  if (notAfter <= now) return [`it expired on ${day(notAfter)}`];
  return notBefore > now ? [`it is not valid before ${notBefore.toISOString()}`] : [];
}

function judged(
  id: string,
  { info, places, spki }: FoundCertificate,
  lacks: readonly string[],
  { files, passphrase }: Circumstances,
  item: (key: Pick<FoundKey, 'text' | 'key'>) => AdoptionItem,
): Judged {
  const stop = (why: string, next: string): Judged => ({
    findings: [
      {
        severity: 'stop',
        code: 'lacking',
        id,
        places,
        message: `${places[0]} (${info.subject}) is no good answer for ${id}: ${why}`,
        next,
      },
    ],
  });
  if (lacks.length > 0) {
    const chainOnly = lacks.every((lack) => lack.endsWith(along));
    const again = `have it signed again; "kbin pki csr ${id}" writes the request once more`;
    return stop(lacks.join('; '), chainOnly ? 'name their files too: kbin pki adopt FILE CA-FILE…' : again);
  }
  const { key } = pathsBeside('next', id);
  const reading = files.read(key);
  if (reading.state !== 'read')
    return stop(`its key is not at ${files.place(key)}`, 'work where the request was made');
  const text = reading.content.toString('utf8');
  const opened = readPrivateKey(text, passphrase);
  if (opened.state !== 'read')
    return stop(
      `${files.place(key)} cannot be read: ${opened.reason}`,
      'give the passphrase, or restore the key',
    );
  if (publicPartOf(opened.key).toString('hex') !== spki)
    return stop(`${files.place(key)} is another key`, 'restore the key from a backup');
  return {
    item: { ...item({ text, key: opened.key }), keyFrom: files.place(key), key: info.key },
    findings: [],
  };
}

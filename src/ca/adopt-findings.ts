import type { AdoptionInput } from './adopt.ts';
import { kindOf } from './adopt-kinds.ts';
import { says } from './adopt-leaves.ts';
import { type AdoptionCode, type AdoptionFinding, type AdoptionItem, day, placesText } from './adoption.ts';
import { forbiddenUsages } from './allowed-usages.ts';
import { certificatesOf, isIssuedBy, isRoot } from './chain.ts';
import { pathLengthMistake } from './constraints.ts';
import type { Found, FoundCertificate } from './found.ts';
import { pathsOf } from './layout.ts';

/** Days: a CA is not renewed in an afternoon. */
const soon = { leaf: 30, authority: 180 } as const;

/** What is to be said besides of what is adopted, and of what is left. `isTree`: of a cluster's certificates, not only a CA or answers. */
export function generalFindings(
  input: AdoptionInput,
  items: readonly AdoptionItem[],
  known: readonly AdoptionFinding[],
  isTree: boolean,
): AdoptionFinding[] {
  const { found } = input;
  return [
    ...found.unreadable.map(({ place, reason }) =>
      finding('warning', 'unreadable', [place], `${place}: ${reason}`),
    ),
    ...items.flatMap((item) => ofItem(item, input)),
    ...leftOver(found, items, known, input),
    ...(isTree ? missing(input, items, known) : []),
    ...found.keys.flatMap(({ open }) =>
      open.length === 0
        ? []
        : [
            finding(
              'warning',
              'open',
              open,
              `${placesText(open)} may be read by other users; the copy in pki/ may not`,
            ),
          ],
    ),
  ];
}

function finding(
  severity: AdoptionFinding['severity'],
  code: AdoptionCode,
  places: readonly string[],
  message: string,
  more: Pick<AdoptionFinding, 'id' | 'next'> = {},
): AdoptionFinding {
  return { severity, code, places, message, ...more };
}

function ofItem(
  { id, certificate: info, from, pem, keyFrom }: AdoptionItem,
  { now, files: store, plan }: AdoptionInput,
): AdoptionFinding[] {
  if (info === undefined) return [];
  const left = Math.floor((info.notAfter.getTime() - now.getTime()) / 86_400_000);
  const next = info.isCa ? `kbin pki rotate ${id}` : `kbin pki renew ${id}`;
  const weak = weakness(info);
  const chain = info.isCa ? certificatesOf(pem ?? info.pem) : [];
  const top = chain.at(-1);
  const planned = plan.authorities.find((authority) => authority.id === id);
  const needed = planned?.leaves.flatMap((leaf) => leaf.usages) ?? [];
  const usages = forbiddenUsages(chain.length === 0 ? '' : (pem ?? info.pem), needed);
  const length = chain.length > 1 ? pathLengthMistake(pem ?? info.pem) : undefined;
  const keyless = info.isCa && keyFrom === undefined && store.read(pathsOf(id).key).state === 'absent';
  return [
    ...(left < 0
      ? [finding('warning', 'expired', from, `${id} expired on ${day(info.notAfter)}`, { id, next })]
      : []),
    ...(left >= 0 && left < (info.isCa ? soon.authority : soon.leaf)
      ? [
          finding('warning', 'expires', from, `${id} has ${left} days left, until ${day(info.notAfter)}`, {
            id,
            next,
          }),
        ]
      : []),
    ...(weak === undefined ? [] : [finding('warning', 'weak', from, `${id}: ${weak}`, { id, next })]),
    ...(top === undefined || isRoot(top)
      ? []
      : [
          finding(
            'warning',
            'chain-incomplete',
            from,
            `${id} is signed by ${top.issuer.replaceAll('\n', ', ')}, whose certificate was not found`,
            { id, next: 'adopt it along, so that what is served leads up to the root' },
          ),
        ]),
    ...(usages.length === 0
      ? []
      : [
          finding(
            'stop',
            'lacking',
            from,
            `${id} cannot be ${from[0]}: what it signs is refused where it is used for ${usages.join(', ')}`,
            { id, next: `have it signed without extended key usages; to leave it out: --skip ${id}` },
          ),
        ]),
    ...(length === undefined
      ? []
      : [
          finding(
            'warning',
            'path-not-allowed',
            from,
            `${id} works for those who trust it itself; whoever trusts the CA above it refuses what it signs: ${length}`,
            { id, next: `have it signed by one that allows it: kbin pki csr ${id}` },
          ),
        ]),
    ...(keyless
      ? [
          finding(
            'note',
            'key-missing',
            from,
            `the key of ${id} was not found: certificates of it have to be signed where it is`,
            { id, next: 'kbin pki csr --all' },
          ),
        ]
      : []),
    ...tooPowerful(id, info, from),
  ];
}

export function weakness({
  key,
  signature,
}: {
  readonly key: string;
  readonly signature: string;
}): string | undefined {
  const bits = /^rsa-(\d+)$/.exec(key)?.[1];
  if (bits !== undefined && Number(bits) < 2048) return `a key of ${bits} bits can be broken`;
  if (/sha1$|md5$/.test(signature)) return `it is signed with ${signature}, which can be forged`;
  return undefined;
}

function tooPowerful(
  id: string,
  { subjectFields, isCa }: NonNullable<AdoptionItem['certificate']>,
  from: readonly string[],
): AdoptionFinding[] {
  const isMaster = subjectFields.some(({ type, value }) => type === 'O' && value === 'system:masters');
  if (!isMaster || isCa || id === 'admin' || id.startsWith('etcd-')) return [];
  if (id === 'apiserver-etcd-client') return [];
  return [
    finding(
      'warning',
      'too-powerful',
      from,
      `${id} is in system:masters: it may do anything, whatever RBAC says`,
      { id, next: `kbin pki renew ${id} makes one that may do its job` },
    ),
  ];
}

function leftOver(
  { certificates, keys }: Found,
  items: readonly AdoptionItem[],
  known: readonly AdoptionFinding[],
  input: AdoptionInput,
): AdoptionFinding[] {
  const used = new Set(items.flatMap(({ certificate }) => certificate?.fingerprints.sha256 ?? []));
  const told = new Set(known.flatMap(({ places }) => places));
  const chains = new Set(
    items.flatMap(({ pem }) =>
      pem === undefined ? [] : certificatesOf(pem).map(({ fingerprint256 }) => fingerprint256),
    ),
  );
  const certified = new Set(certificates.map(({ spki }) => spki));
  const usedKeys = new Set(items.flatMap(({ keyFrom }) => keyFrom ?? []));
  return [
    ...certificates
      .filter(
        ({ info, places }) =>
          !used.has(info.fingerprints.sha256) &&
          !chains.has(info.fingerprints.sha256) &&
          !places.some((place) => told.has(place)),
      )
      .map((certificate) => unused(certificate, certificates, used, input)),
    ...keys
      .filter(
        ({ spki, places }) =>
          !certified.has(spki) && !places.some((place) => usedKeys.has(place) || told.has(place)),
      )
      .map(({ places, algorithm }) =>
        finding(
          'warning',
          'key-of-nothing',
          places,
          `${placesText(places)} (${algorithm}) is the key of none of these certificates`,
          {
            next: 'if it signs tokens of service accounts, say --as service-account=FILE; else look for its certificate',
          },
        ),
      ),
  ];
}

function unused(
  certificate: FoundCertificate,
  all: readonly FoundCertificate[],
  used: ReadonlySet<string>,
  { plan, addresses, now, files }: AdoptionInput,
): AdoptionFinding {
  const { info, places, x509 } = certificate;
  const weak = weakness(info);
  const about = `${placesText(places)} (${info.subject}${weak === undefined ? '' : `; ${weak}`})`;
  const twin = all.find(
    (other) => used.has(other.info.fingerprints.sha256) && says(other) === says(certificate),
  );
  if (twin !== undefined)
    return finding(
      'note',
      'duplicate',
      places,
      `${about} says the same as ${twin.places[0]}, which is taken`,
    );
  const signers = [
    ...all.filter((other) => other.info.isCa).map((other) => other.x509),
    ...plan.authorities.flatMap(({ id }) => {
      const reading = files.read(pathsOf(id).certificate ?? '');
      return reading.state === 'read' ? certificatesOf(reading.content.toString('utf8')) : [];
    }),
  ];
  if (!isRoot(x509) && !signers.some((signer) => isIssuedBy(x509, signer))) {
    return finding(
      'warning',
      'unknown-ca',
      places,
      `${about} is signed by ${info.issuer}, which is none of the CAs here`,
      { next: 'adopt its CA along' },
    );
  }
  if (info.notAfter <= now)
    return finding('note', 'expired', places, `${about} expired on ${day(info.notAfter)}`);
  const kind = kindOf(certificate, { plan, addresses });
  const message = info.isCa
    ? `${about} is a CA, and nothing shows for what`
    : `${about} has no place in cluster.yaml${kind === undefined ? '' : ` (it is one of ${kind})`}`;
  return finding('note', 'no-role', places, message, { next: 'if it has one, say so: --as NAME=FILE' });
}

/** Of a tree that has something of a CA, what `kbin pki init` will have to make. */
function missing(
  { plan, files }: AdoptionInput,
  items: readonly AdoptionItem[],
  known: readonly AdoptionFinding[],
): AdoptionFinding[] {
  const there = new Set([...items.map(({ id }) => id), ...known.flatMap(({ id }) => id ?? [])]);
  const absent = (id: string): boolean =>
    !there.has(id) && files.read(pathsOf(id).certificate ?? '').state === 'absent';
  return plan.authorities.flatMap(({ id, leaves }) => {
    if (absent(id)) {
      const message = `no ${id} was found`;
      return [
        finding('warning', 'missing', [], message, {
          id,
          next: 'kbin pki init makes one, which nothing that runs trusts: adopt it first if there is one',
        }),
      ];
    }
    const lacking = leaves.filter((leaf) => absent(leaf.id)).map((leaf) => leaf.id);
    if (lacking.length === 0) return [];
    return [
      finding('note', 'missing', [], `nothing was found for ${lacking.join(', ')}`, {
        id,
        next: 'kbin pki init makes them',
      }),
    ];
  });
}

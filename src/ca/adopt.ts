import type { EncryptionSettings } from '../cluster/cluster.ts';
import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { answeredAuthority, answeredLeaf, answersTo } from './adopt-answers.ts';
import { type ChosenAuthority, chooseAuthorities } from './adopt-authorities.ts';
import { chooseEncryption } from './adopt-encryption.ts';
import { certificateFile, keyFiles } from './adopt-files.ts';
import { generalFindings } from './adopt-findings.ts';
import { isLeaf } from './adopt-kinds.ts';
import { type ChosenLeaf, chooseLeaves } from './adopt-leaves.ts';
import { chooseServiceAccount } from './adopt-service-account.ts';
import type { Adoption, AdoptionFinding, AdoptionItem, AdoptionWishes } from './adoption.ts';
import { certificatesOf, chainBelow, pathTo } from './chain.ts';
import type { Found } from './found.ts';
import type { FoundEncryption } from './found-encryption.ts';
import { pathsOf } from './layout.ts';
import { idsWithPaths } from './observed-store.ts';
import type { StoreFiles } from './store-files.ts';
import { waitingRequests } from './waiting.ts';

export interface AdoptionInput {
  readonly found: Found;
  readonly encryption: readonly FoundEncryption[];
  readonly plan: CertificatePlan;
  /** By host of cluster.yaml. */
  readonly addresses: ReadonlyMap<string, string>;
  /** `kubernetes.encryption` of cluster.yaml; undefined: off. */
  readonly settings: EncryptionSettings | undefined;
  readonly files: StoreFiles;
  readonly wishes: AdoptionWishes;
  readonly now: Date;
  readonly passphrase: string | undefined;
}

/** What of all that was found goes where in the store. Pure. */
export function planAdoption(input: AdoptionInput): Adoption {
  const { found, plan, files, wishes, now } = input;
  const waiting = waitingRequests(idsWithPaths(plan), files);
  const answers = answersTo(found, waiting, files);
  const answered = plan.authorities.flatMap((authority) =>
    answers
      .filter(({ id }) => id === authority.id)
      .map((answer) => answeredAuthority(authority, answer, input)),
  );
  // What was a request is no candidate for anything else.
  const rest: Found = {
    ...found,
    certificates: found.certificates.filter((each) => !answers.some((answer) => answer.found === each)),
  };
  const inStore = storedAuthorities(
    plan,
    files,
    answered.flatMap(({ item }) => item ?? []),
  );
  const authorities = chooseAuthorities(rest, { plan, addresses: input.addresses }, inStore, wishes);
  const leafAnswers = plan.authorities.flatMap(({ id: ca, leaves }) =>
    leaves.flatMap((leaf) =>
      answers
        .filter(({ id }) => id === leaf.id)
        .map((answer) => answeredLeaf(leaf, answer, authorities.chosen.get(ca)?.pem, input)),
    ),
  );
  const leaves = chooseLeaves({
    found: rest,
    landscape: { plan, addresses: input.addresses },
    authorities: authorities.chosen,
    wishes: { ...wishes, skip: new Set([...wishes.skip, ...answers.map(({ id }) => id)]) },
    now,
  });
  // Who gives only an answer, or a CA, has not left anything out.
  const isTree = rest.certificates.some(isLeaf);
  const serviceAccount = chooseServiceAccount(found, files, wishes);
  const encryption = chooseEncryption(input.encryption, files, input.settings, wishes);
  const put = leaves.chosen.map((chosen) =>
    leafItem(chosen, authorities.chosen.get(chosen.leaf.authority), input),
  );
  const items = [
    ...answered.flatMap(({ item }) => item ?? []),
    ...[...authorities.chosen].flatMap(([id, ca]) => authorityItem(id, ca, input)),
    ...leafAnswers.flatMap(({ item }) => item ?? []),
    ...put.flatMap(({ item }) => item ?? []),
    ...(serviceAccount.item === undefined ? [] : [serviceAccount.item]),
    ...(encryption.item === undefined ? [] : [encryption.item]),
  ];
  const specific = [
    ...[...answered, ...leafAnswers].flatMap(({ findings }) => findings),
    ...authorities.findings,
    ...leaves.findings,
    ...put.flatMap(({ finding }) => finding ?? []),
    ...(isTree ? serviceAccount.findings : serviceAccount.findings.filter(({ code }) => code !== 'missing')),
    ...encryption.findings,
  ];
  return { items, findings: [...specific, ...generalFindings(input, items, specific, isTree)] };
}

function storedAuthorities(
  plan: CertificatePlan,
  files: StoreFiles,
  answered: readonly AdoptionItem[],
): ReadonlyMap<string, string> {
  return new Map(
    plan.authorities.flatMap(({ id }): [string, string][] => {
      const now = answered.find((item) => item.id === id && item.action === 'answer')?.pem;
      if (now !== undefined) return [[id, now]];
      const reading = files.read(pathsOf(id).certificate ?? '');
      return reading.state === 'read' ? [[id, reading.content.toString('utf8')]] : [];
    }),
  );
}

/** A CA's key may be kept elsewhere; where it was found, it comes along. */
function authorityItem(
  id: string,
  { found: ca, pem }: ChosenAuthority,
  { found, files }: AdoptionInput,
): AdoptionItem[] {
  if (ca === undefined) return [];
  const paths = pathsOf(id);
  const key = found.keys.find(({ spki }) => spki === ca.spki);
  const hasCertificate = files.read(paths.certificate ?? '').state !== 'absent';
  const hasKey = files.read(paths.key).state !== 'absent';
  const staged = [
    ...(hasCertificate ? [] : [certificateFile(paths, pem)]),
    ...(hasKey || key === undefined ? [] : keyFiles(paths, key)),
  ];
  const keyFrom = key?.places[0];
  return [
    {
      id,
      action: staged.length === 0 ? 'same' : 'adopt',
      from: ca.places,
      ...(keyFrom === undefined ? {} : { keyFrom }),
      certificate: ca.info,
      pem,
      key: ca.info.key,
      files: staged,
      remove: [],
    },
  ];
}

function leafItem(
  { leaf, found: { info, x509, places }, key }: ChosenLeaf,
  ca: ChosenAuthority | undefined,
  { found, files, wishes }: AdoptionInput,
): { readonly item?: AdoptionItem; readonly finding?: AdoptionFinding } {
  if (ca === undefined) throw new Error(`${leaf.id} was chosen without its CA`);
  const { id, entry } = leaf;
  const paths = pathsOf(id);
  const present = files.read(paths.certificate ?? '');
  const keyFrom = key.places[0];
  const item = {
    id,
    from: places,
    ...(keyFrom === undefined ? {} : { keyFrom }),
    certificate: info,
    key: info.key,
    remove: [],
  };
  if (
    present.state === 'read' &&
    certificatesOf(present.content.toString('utf8'))[0]?.raw.equals(x509.raw) === true
  ) {
    return { item: { ...item, action: 'same', files: [] } };
  }
  const replace = wishes.replace.has(id) || wishes.replace.has(entry);
  if (present.state !== 'absent' && !replace) {
    const message = `the store has another ${id}, which stays`;
    return {
      finding: {
        severity: 'note',
        code: 'kept',
        id,
        places,
        message,
        next: `to have it replaced: --replace ${id}`,
      },
    };
  }
  const others = found.certificates.filter((each) => each.info.isCa).map((each) => each.info.pem);
  const between = pathTo([info.pem, ...others].join(''), ca.x509) ?? '';
  const pem = info.pem + between + chainBelow(ca.pem);
  return {
    item: {
      ...item,
      action: present.state === 'absent' ? 'adopt' : 'replace',
      pem,
      files: [certificateFile(paths, pem), ...keyFiles(paths, key)],
      record: { id, sha256: info.fingerprints.sha256 },
    },
  };
}

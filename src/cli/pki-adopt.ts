import { resolve } from 'node:path';
import { planAdoption } from '../ca/adopt.ts';
import { adoptedCertificates, adoptedFile } from '../ca/adopted.ts';
import type { Adoption, AdoptionFinding, AdoptionItem, AdoptionWishes } from '../ca/adoption.ts';
import { closeFolders } from '../ca/folders.ts';
import { type Found, readFound } from '../ca/found.ts';
import { isEncrypted } from '../ca/keys.ts';
import { pathsBeside } from '../ca/layout.ts';
import { idsWithPaths } from '../ca/observed-store.ts';
import { openStore, type Store, stageIgnoreFile } from '../ca/store.ts';
import { diskFiles, readConsistently, type StoreFiles } from '../ca/store-files.ts';
import type { Transaction } from '../ca/transaction.ts';
import { didYouMean } from '../cluster/suggest.ts';
import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { certificatePlan } from '../desired/certificates.ts';
import { exitCode, KbinError } from '../errors.ts';
import { readSources, type Sources } from './adopt-sources.ts';
import type { CliContext } from './context.ts';
import { printJson, printTable, printWarning } from './output.ts';
import { type PassphraseOptions, passphraseOf } from './passphrase.ts';

export interface AdoptOptions extends PassphraseOptions {
  readonly dryRun?: boolean;
  readonly as?: readonly string[];
  readonly skip?: readonly string[];
  readonly replace?: readonly string[];
}

const step = 'adopting certificates';

export async function pkiAdopt(
  context: CliContext,
  paths: readonly string[],
  options: AdoptOptions,
): Promise<void> {
  const { io } = context;
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const wishes = wishesOf(options, plan, io.cwd);
  const sources = shownFrom(io.cwd, readSources([...paths, ...wishes.as.values()], io.cwd));
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const passphrase = await passphraseFor(sources, store, plan, context, options);
  const found = readFound(sources.texts, passphrase);
  const all: Found = { ...found, unreadable: [...found.unreadable, ...sources.closed] };
  if (nothingIn(all, sources)) throw nothing(paths, sources);
  const propose = (files: StoreFiles): Adoption =>
    planAdoption({
      found: all,
      encryption: sources.encryption,
      plan,
      addresses: new Map(cluster.hosts.map(({ name, address }) => [name, address])),
      provider: cluster.kubernetes.encryption?.provider ?? 'off',
      files,
      wishes,
      now: new Date(),
      passphrase,
    });
  const adoption =
    options.dryRun === true
      ? readConsistently(store.folder, propose)
      : await carryOut(store, propose, io.err);
  report(context, adoption, { folder: store.folder, dryRun: options.dryRun === true });
}

/** Places as people name them here: what lies below the working folder, from there. */
function shownFrom(cwd: string, sources: Sources): Sources {
  const short = <T extends { readonly place: string }>(entries: readonly T[]): T[] =>
    entries.map((entry) => ({ ...entry, place: shortened(cwd, entry.place) }));
  return {
    ...sources,
    texts: short(sources.texts),
    encryption: short(sources.encryption),
    closed: short(sources.closed),
  };
}

const shortened = (cwd: string, path: string): string =>
  path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;

/** All of it or, when anything stops it, none. */
function carryOut(
  store: Store,
  propose: (files: StoreFiles) => Adoption,
  err: (text: string) => void,
): Promise<Adoption> {
  return store.withLock(
    async (transaction) => {
      const files = diskFiles(store.folder);
      const adoption = propose(files);
      if (stopsOf(adoption).length === 0) stage(adoption, files, store.folder, transaction);
      return adoption;
    },
    { command: 'kbin pki adopt', onWait: (holder) => err(`waiting for ${holder}\n`) },
  );
}

function stage({ items }: Adoption, files: StoreFiles, folder: string, transaction: Transaction): void {
  closeFolders(folder);
  stageIgnoreFile(folder, transaction);
  for (const item of items) {
    for (const file of item.files) transaction.stage(file);
    for (const path of item.remove) transaction.remove(path);
  }
  const records = items.flatMap(({ record }) => record ?? []);
  if (records.length > 0) transaction.stage(adoptedFile(adoptedCertificates(files), records));
}

const stopsOf = ({ findings }: Adoption): readonly AdoptionFinding[] =>
  findings.filter(({ severity }) => severity === 'stop');

/** Asked for only where something is encrypted. */
async function passphraseFor(
  { texts }: Sources,
  { folder }: Store,
  plan: CertificatePlan,
  context: CliContext,
  options: AdoptOptions,
): Promise<string | undefined> {
  const waiting = readConsistently(folder, (files) =>
    idsWithPaths(plan).flatMap((id) => {
      const reading = files.read(pathsBeside('next', id).key);
      return reading.state === 'read' ? [reading.content.toString('utf8')] : [];
    }),
  );
  const encrypted = [...texts.map(({ pem }) => pem), ...waiting].some(isEncrypted);
  return encrypted ? (await passphraseOf(context, options)()).value : undefined;
}

function wishesOf(
  { as = [], skip = [], replace = [] }: AdoptOptions,
  plan: CertificatePlan,
  cwd: string,
): AdoptionWishes {
  const ids = [...idsWithPaths(plan), ...plan.keyRings.map(({ id }) => id)];
  const entries = plan.authorities.flatMap(({ leaves }) => leaves.map(({ entry }) => entry));
  const known = new Set([...ids, ...entries]);
  const named = (id: string): string => {
    if (known.has(id)) return id;
    throw new KbinError(`nothing in cluster.yaml is called "${id}"`, {
      step,
      why: 'names are those of "kbin pki list"',
      next: `name one of them${didYouMean(id, [...known])}`,
      exit: exitCode.usage,
    });
  };
  const pairs = as.map((text): [string, string] => {
    const [, id, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (id !== undefined && file !== undefined) return [named(id), shortened(cwd, resolve(cwd, file))];
    throw new KbinError(`--as wants NAME=FILE, not "${text}"`, {
      step,
      next: 'for example --as etcd-ca=/opt/etcd/ssl/ca.pem',
      exit: exitCode.usage,
    });
  });
  return { as: new Map(pairs), skip: new Set(skip.map(named)), replace: new Set(replace.map(named)) };
}

function nothingIn({ certificates, keys, publicKeys }: Found, { encryption }: Sources): boolean {
  return certificates.length + keys.length + publicKeys.length + encryption.length === 0;
}

function nothing(paths: readonly string[], { files, closed }: Sources): KbinError {
  const [first] = closed;
  return new KbinError(`there is no certificate and no key in ${paths.join(', ')}`, {
    step,
    why:
      first === undefined ? `${files} files and folders were looked at` : `${first.place}: ${first.reason}`,
    next: 'name the folder or the file that has them: PEM or DER files, kubeconfigs, an EncryptionConfiguration',
  });
}

function report(
  context: CliContext,
  { items, findings }: Adoption,
  { folder, dryRun }: { folder: string; dryRun: boolean },
): void {
  const { io } = context;
  const stops = findings.filter(({ severity }) => severity === 'stop');
  const changed = items.filter(({ action }) => action !== 'same');
  if (context.json) {
    const shown = items.map(({ files: _, remove: __, record: ___, pem: ____, ...item }) => item);
    printJson(io, { folder, dryRun, adopted: stops.length === 0 && !dryRun, items: shown, findings });
  } else {
    if (items.length > 0) printTable(io, header, items.map(row));
    for (const finding of findings) {
      if (finding.severity === 'stop') continue;
      const next = finding.next === undefined ? '' : `; ${finding.next}`;
      if (finding.severity === 'warning') printWarning(io, `${finding.message}${next}`);
      else io.err(`note: ${finding.message}${next}\n`);
    }
  }
  if (stops.length > 0) throw stopped(stops);
  if (context.json) return;
  if (changed.length === 0)
    io.err(
      `nothing to adopt: ${items.length === 0 ? 'nothing found has a place in cluster.yaml' : `${folder} has all of it`}\n`,
    );
  else if (dryRun) io.err('nothing was changed: this is a dry run\n');
  else
    io.err(
      `${folder} now holds ${changed.some(({ keyFrom }) => keyFrom !== undefined) ? 'these keys: back it up' : 'them'}; next: ${nextStep(changed)}\n`,
    );
}

function nextStep(changed: readonly AdoptionItem[]): string {
  const next = changed.find(({ action }) => action === 'next');
  return next === undefined
    ? '"kbin pki init --dry-run" says what is still to be made'
    : `kbin pki rotate ${next.id}`;
}

const header = ['action', 'name', 'from', 'key', 'subject', 'valid until'];

function row({ action, id, from, keyFrom, key, certificate }: AdoptionItem): (string | undefined)[] {
  const places = from.length > 1 ? `${from[0]} (and ${from.length - 1} more)` : from[0];
  return [
    action,
    id,
    places,
    keyFrom === undefined ? undefined : key,
    certificate?.subject,
    certificate?.notAfter.toISOString().slice(0, 10),
  ];
}

function stopped(stops: readonly AdoptionFinding[]): KbinError {
  const [first] = stops;
  if (first !== undefined && stops.length === 1) {
    return new KbinError(first.message, {
      step,
      why: 'nothing was changed',
      ...(first.next === undefined ? {} : { next: first.next }),
    });
  }
  return new KbinError(`${stops.length} things stop the adoption; nothing was changed`, {
    step,
    next: 'settle each as said below, and run the command again',
    output: stops
      .map(({ message, next }) => `- ${message}${next === undefined ? '' : `\n  next: ${next}`}`)
      .join('\n'),
  });
}

import { resolve } from 'node:path';
import { planAdoption } from '../../ca/adopt.ts';
import { adoptedCertificates, adoptedFile } from '../../ca/adopted.ts';
import type { Adoption, AdoptionFinding, AdoptionWishes } from '../../ca/adoption.ts';
import { closeFolders } from '../../ca/folders.ts';
import { type Found, readFound } from '../../ca/found.ts';
import { isEncrypted } from '../../ca/keys.ts';
import { pathsBeside } from '../../ca/layout.ts';
import { idsWithPaths } from '../../ca/observed-store.ts';
import { openStore, type Store, stageIgnoreFile } from '../../ca/store.ts';
import { diskFiles, readConsistently, type StoreFiles } from '../../ca/store-files.ts';
import type { Transaction } from '../../ca/transaction.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import type { CertificatePlan } from '../../desired/certificate-plan.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { type PassphraseOptions, passphraseOf } from '../passphrase.ts';
import { report } from './adopt-report.ts';
import { readSources, type Sources } from './adopt-sources.ts';

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
      settings: cluster.kubernetes.encryption,
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

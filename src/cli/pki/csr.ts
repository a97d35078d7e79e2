import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileFailure } from '../../ca/file-failure.ts';
import { makeRequests } from '../../ca/make-requests.ts';
import type { ObservedStore } from '../../ca/observed-store.ts';
import { holdsOnly } from '../../ca/pem.ts';
import { compareStore } from '../../ca/reconcile.ts';
import { openStore } from '../../ca/store.ts';
import type { StoreDiff } from '../../ca/store-changes.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import type { CertificatePlan } from '../../desired/certificate-plan.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { keepOutOfStore, type Output, refuseTaken, writeOutput } from '../output-file.ts';
import { type PassphraseOptions, passphraseOf } from '../passphrase.ts';

export interface CsrOptions extends PassphraseOptions {
  readonly all?: boolean;
  readonly newKey?: boolean;
  readonly output?: string;
}

const step = 'certificate request';
const output: Output = {
  step,
  option: '-o',
  what: 'a certificate request',
  isOne: (content) => holdsOnly(content, /^(NEW )?CERTIFICATE REQUEST$/),
};

export async function pkiCsr(
  context: CliContext,
  names: readonly string[],
  options: CsrOptions,
): Promise<void> {
  const { io } = context;
  if (names.length > 0 === (options.all === true)) {
    const next = 'for example: kbin pki csr etcd-ca, or kbin pki csr --all';
    throw new KbinError(
      options.all === true ? 'name certificates, or say --all' : 'say for which certificates',
      { step, next, exit: exitCode.usage },
    );
  }
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const { observed, diff } = await compareStore(plan, store.folder, { now: new Date() });
  const ids =
    options.all === true ? unsignable(plan, observed, diff) : names.flatMap((name) => idsOf(name, plan));
  if (ids.length === 0) {
    if (context.json) printJson(io, []);
    io.err('nothing to ask for: every CA that has to sign something has its key here\n');
    return;
  }
  const many = ids.length > 1 || options.all === true;
  const target = options.output === undefined ? undefined : targetOf(resolve(io.cwd, options.output), many);
  if (target !== undefined) for (const id of ids) refuseTaken(fileOf(id, target), output);
  const made = await makeRequests(plan, store, ids, {
    newKeys: options.newKey === true,
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  const written = made.map((request) => ({
    ...request,
    ...(target === undefined ? {} : { file: fileOf(request.id, target) }),
  }));
  for (const { file, pem } of written) if (file !== undefined) writeOutput(file, pem, output);
  if (context.json) printJson(io, written);
  else if (target === undefined) for (const { pem } of made) io.out(pem);
  else
    printTable(
      io,
      ['name', 'key', 'request'],
      written.map(({ id, key, file }) => [id, key, file]),
    );
  io.err(
    `${made.length === 1 ? 'its key waits' : 'their keys wait'} in ${store.folder}/next; when signed: kbin pki adopt FILE\n`,
  );
}

/** One without @HOST stands for those of all hosts. */
function idsOf(name: string, plan: CertificatePlan): readonly string[] {
  const ids = plan.authorities.flatMap(({ id, leaves }) => [id, ...leaves.map((leaf) => leaf.id)]);
  const meant = ids.filter((id) => id === name || id.startsWith(`${name}@`));
  if (meant.length > 0) return meant;
  throw new KbinError(`no certificate of this cluster is called "${name}"`, {
    step,
    why: 'names are those of "kbin pki list"; a key pair has no certificate',
    next: `name one of them${didYouMean(name, [...ids, ...ids.map((id) => id.split('@')[0] ?? id)])}`,
    exit: exitCode.usage,
  });
}

/** What would have to be signed by a CA whose key is not here. What is good stays. */
function unsignable(
  plan: CertificatePlan,
  observed: ObservedStore,
  { changes, problems }: StoreDiff,
): readonly string[] {
  return plan.authorities.flatMap(({ id, leaves }) => {
    const ca = observed.get(id);
    if (ca?.certificate.state !== 'read' || ca.key.state === 'read' || ca.key.state === 'encrypted')
      return [];
    const stuck = problems.find((problem) => problem.id === id && !problem.code.startsWith('ca-key'));
    if (stuck !== undefined) throw new KbinError(stuck.message, { step, why: stuck.why, next: stuck.next });
    return leaves
      .filter(
        (leaf) =>
          changes.some((change) => change.id === leaf.id && change.action !== 'repair') ||
          observed.get(leaf.id)?.waiting !== undefined,
      )
      .map((leaf) => leaf.id);
  });
}

interface Target {
  readonly path: string;
  readonly isFolder: boolean;
}

function targetOf(path: string, many: boolean): Target {
  keepOutOfStore(path, output);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return { path, isFolder: true };
  if (!many) return { path, isFolder: false };
  if (found !== undefined) {
    throw new KbinError(`${path} is a file, and there are several requests`, {
      step,
      next: 'name a folder with -o',
      exit: exitCode.usage,
    });
  }
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileFailure(`cannot make ${path}`, step, error);
  }
  return { path, isFolder: true };
}

const fileOf = (id: string, { path, isFolder }: Target): string =>
  isFolder ? join(path, `${id}.csr`) : path;

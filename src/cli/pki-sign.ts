import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { authorities } from '../../pki/index.ts';
import { profiles } from '../../pki/profiles.ts';
import { type San, toSan } from '../../pki/san.ts';
import { forbiddenNames } from '../ca/constraints.ts';
import { fileFailure } from '../ca/file-failure.ts';
import type { Issued } from '../ca/issue.ts';
import { stageIssued } from '../ca/issued.ts';
import { nameText } from '../ca/names.ts';
import {
  type Asked,
  type Grant,
  otherNames,
  readAsked,
  recordOf,
  refusals,
  signRequest,
} from '../ca/sign-request.ts';
import { signerOf } from '../ca/signer.ts';
import { openStore, type Store, stageIgnoreFile } from '../ca/store.ts';
import { diskFiles } from '../ca/store-files.ts';
import { Mistake } from '../cluster/mistake.ts';
import { readValidity } from '../cluster/quantity.ts';
import { didYouMean } from '../cluster/suggest.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { CliContext } from './context.ts';
import { formatTable, printJson, printWarning } from './output.ts';
import { type PassphraseOptions, passphraseOf } from './passphrase.ts';

export interface SignOptions extends PassphraseOptions {
  readonly profile: string;
  readonly authority: string;
  readonly valid: string;
  readonly sans?: readonly string[];
  readonly output?: string;
  readonly allowSystem?: boolean;
  readonly yes?: boolean;
}

interface Signed {
  readonly asked: Asked;
  readonly issued: Issued;
  /** Where it was written; undefined: nowhere but standard output. */
  readonly file: string | undefined;
}

const step = 'signing a request';
const hundredYears = 100 * 8760;

export async function pkiSign(
  context: CliContext,
  files: readonly string[],
  options: SignOptions,
): Promise<void> {
  const { io } = context;
  const grant = grantOf(options);
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const asked = files.map((file) => readAsked(readText(resolve(io.cwd, file)), file));
  io.err(`${options.authority} is asked to sign, as ${options.profile}, for ${options.valid}:\n`);
  io.err(
    formatTable(
      header,
      asked.map((each) => row(each, grant)),
    ),
  );
  refuse(asked, grant, store, options.authority);
  for (const each of asked) {
    const others = otherNames(each);
    if (others > 0)
      printWarning(io, `${each.source}: ${others} names of types that are never granted are left out`);
  }
  const targets = targetsOf(
    files,
    options.output === undefined ? undefined : resolve(io.cwd, options.output),
  );
  await agree(context, asked.length, options.yes === true);
  const signed = await sign(store, asked, grant, {
    authority: options.authority,
    targets,
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  for (const { file, issued } of signed) if (file !== undefined) write(file, issued.pem);
  report(context, signed, options.authority);
}

function grantOf({ profile, authority, valid, sans, allowSystem }: SignOptions): Grant {
  const wrong = (what: string, next: string): KbinError =>
    new KbinError(what, { step, next, exit: exitCode.usage });
  const known = ['server', 'client', 'peer'] as const;
  const name = known.find((each) => each === profile);
  if (name === undefined)
    throw wrong(
      `there is no profile "${profile}" to sign with`,
      `choose one of ${known.join(', ')}${didYouMean(profile, known)}`,
    );
  const ids = authorities.map(({ id }) => id);
  if (!ids.includes(authority))
    throw wrong(
      `there is no CA called "${authority}"`,
      `choose one of ${ids.join(', ')}${didYouMean(authority, ids)}`,
    );
  const validityHours = readValidity(1, hundredYears)(valid);
  if (validityHours instanceof Mistake)
    throw wrong(`--valid: ${validityHours.message}`, 'for example --valid 90d');
  const names = sans
    ?.flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  return {
    usages: profiles[name].usages,
    validityHours,
    ...(names === undefined ? {} : { sans: names.map(toSan) }),
    allowSystem: allowSystem === true,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fileFailure(`cannot read ${file}`, step, error);
  }
}

const header = ['request', 'subject', 'SANs', 'asks for', 'key'];

function row(asked: Asked, grant: Grant): string[] {
  return [
    asked.source,
    nameText(asked.subject),
    sansText(grant.sans ?? asked.sans),
    asked.usages.join(', '),
    asked.key,
  ];
}

const sansText = (sans: readonly San[]): string =>
  sans
    .map(({ type, value }) => (type === 'dns' ? value : `${type}:${value}`))
    .join(', ')
    .replaceAll(/\p{Cc}/gu, '?');

/** All of them, before anybody is asked anything. */
function refuse(asked: readonly Asked[], grant: Grant, store: Store, authority: string): void {
  const present = diskFiles(store.folder).read(`${authority}/ca.crt`);
  const ca = present.state === 'read' ? present.content.toString('utf8') : undefined;
  const lines = asked.flatMap((each) => {
    const reasons = refusals(each, grant);
    const forbidden =
      ca === undefined || reasons.length > 0
        ? []
        : forbiddenNames(ca, grant.sans ?? each.sans).map((name) => `${authority} may not sign for ${name}`);
    return [...reasons, ...forbidden].map((reason) => `${each.source}: ${reason}`);
  });
  if (lines.length === 0) return;
  throw new KbinError(
    lines.length === 1 ? `not signed: ${lines[0]}` : `nothing was signed\n${lines.join('\n')}`,
    {
      step,
      next: 'have the request made anew, or leave it out',
    },
  );
}

/** Nothing is written over: a wrong -o could be a key. */
function targetsOf(files: readonly string[], output: string | undefined): readonly (string | undefined)[] {
  if (output === undefined) return files.map(() => undefined);
  const isFolder = statSync(output, { throwIfNoEntry: false })?.isDirectory() === true;
  if (!isFolder && files.length > 1 && !existsSync(output)) {
    try {
      mkdirSync(output, { recursive: true });
    } catch (error) {
      throw fileFailure(`cannot make ${output}`, step, error);
    }
  }
  const targets =
    isFolder || files.length > 1 ? files.map((file) => join(output, `${stem(file)}.crt`)) : [output];
  const taken = targets.find((target, index) => existsSync(target) || targets.indexOf(target) < index);
  if (taken === undefined) return targets;
  throw new KbinError(existsSync(taken) ? `${taken} exists already` : `two requests would become ${taken}`, {
    step,
    why: 'nothing is written over, and nothing was signed',
    next: 'name another file or folder with -o',
    exit: exitCode.usage,
  });
}

const stem = (file: string): string => basename(file).replace(/\.(csr|req|pem)$/i, '');

async function agree({ io }: CliContext, count: number, yes: boolean): Promise<void> {
  if (yes) return;
  if (!io.interactive) {
    throw new KbinError('nothing was signed: there is nobody to ask whether this is wanted', {
      step,
      next: 'look at what is asked for above, and say --yes',
      exit: exitCode.usage,
    });
  }
  const answer = await io.ask(`Sign ${count === 1 ? 'it' : `these ${count}`}? yes or no`, { fallback: 'no' });
  if (!/^y(es)?$/i.test(answer))
    throw new KbinError('nothing was signed', {
      step,
      why: 'you did not want it',
      next: 'say yes, or --yes',
    });
}

/** On the record first: what is not known to be signed could never be revoked. */
function sign(
  store: Store,
  asked: readonly Asked[],
  grant: Grant,
  {
    authority,
    targets,
    onWait,
  }: { authority: string; targets: readonly (string | undefined)[]; onWait: (holder: string) => void },
): Promise<readonly Signed[]> {
  return store.withLock(
    async (transaction) => {
      const now = new Date();
      const issuer = await signerOf(store, authority, now);
      const signed = asked.map((each, index) => ({
        asked: each,
        issued: signRequest(each, grant, issuer, now),
        file: targets[index],
      }));
      stageIgnoreFile(store.folder, transaction);
      const records = signed.map((each) => recordOf(each.asked, each.issued, issuer, grant, authority));
      stageIssued(diskFiles(store.folder), transaction, ...records);
      return signed;
    },
    { command: 'kbin pki sign', onWait },
  );
}

function write(file: string, pem: string): void {
  try {
    writeFileSync(file, pem, { flag: 'wx' });
  } catch (error) {
    throw fileFailure(`cannot write ${file}`, step, error);
  }
}

function report({ io, json }: CliContext, signed: readonly Signed[], authority: string): void {
  const [first] = signed;
  if (json) {
    printJson(
      io,
      signed.map(({ asked, issued, file }) => ({
        request: asked.source,
        subject: nameText(asked.subject),
        askedFor: asked.usages,
        notAfter: issued.notAfter,
        clamped: issued.clamped,
        ...(file === undefined ? { certificate: issued.pem } : { file }),
      })),
    );
  } else {
    for (const { issued, file } of signed) if (file === undefined) io.out(issued.pem);
    if (first?.file !== undefined)
      io.err(
        `wrote ${signed.length === 1 ? first.file : `${signed.length} certificates`}, valid until ${first.issued.notAfter.toISOString()}\n`,
      );
  }
  if (first?.issued.clamped === true)
    printWarning(
      io,
      `shorter than asked for: they end with ${authority}, ${first.issued.notAfter.toISOString()}`,
    );
}

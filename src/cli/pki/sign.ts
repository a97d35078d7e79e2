import { resolve } from 'node:path';
import { authorities } from '../../../pki/index.ts';
import type { San } from '../../../pki/san.ts';
import { forbiddenNames } from '../../ca/constraints.ts';
import type { Issued } from '../../ca/issue.ts';
import { stageIssued } from '../../ca/issued.ts';
import { nameText } from '../../ca/names.ts';
import {
  type Asked,
  type Grant,
  otherNames,
  readAsked,
  recordOf,
  refusals,
  signRequest,
} from '../../ca/sign-request.ts';
import { signerOf } from '../../ca/signer.ts';
import { openStore, type Store, stageIgnoreFile } from '../../ca/store.ts';
import { diskFiles } from '../../ca/store-files.ts';
import type { PlannedAuthority } from '../../desired/certificate-plan.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { formatTable, printJson, printWarning } from '../output.ts';
import { passphraseOf } from '../passphrase.ts';
import { readRequestFile, targetsOf, write } from './sign-files.ts';
import { grantOf, type SignOptions } from './sign-options.ts';

interface Signed {
  readonly asked: Asked;
  readonly issued: Issued;
  /** Where it was written; undefined: nowhere but standard output. */
  readonly file: string | undefined;
}

const step = 'signing a request';

export async function pkiSign(
  context: CliContext,
  files: readonly string[],
  options: SignOptions,
): Promise<void> {
  const { io } = context;
  const grant = grantOf(options);
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const asked = files.map((file) => readAsked(readRequestFile(resolve(io.cwd, file)), file));
  io.err(`${options.authority} is asked to sign, as ${options.profile}, for ${options.valid}:\n`);
  io.err(
    formatTable(
      header,
      asked.map((each) => row(each, grant)),
    ),
  );
  const authority = certificatePlan(cluster).authorities.find(({ id }) => id === options.authority);
  if (authority === undefined) throw new Error(`${options.authority} is no CA of the plan`);
  refuse(asked, grant, store, authority);
  const power = authorities.find(({ id }) => id === authority.id)?.everyClient;
  if (power !== undefined && grant.usages.includes('client auth'))
    printWarning(io, `whoever has a client certificate of ${authority.id} ${power}`);
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
function refuse(asked: readonly Asked[], grant: Grant, store: Store, authority: PlannedAuthority): void {
  const present = diskFiles(store.folder).read(`${authority.id}/ca.crt`);
  const ca = present.state === 'read' ? present.content.toString('utf8') : undefined;
  const lines = asked.flatMap((each) => {
    const reasons = refusals(each, grant, authority);
    const forbidden =
      ca === undefined || reasons.length > 0
        ? []
        : forbiddenNames(ca, grant.sans ?? each.sans).map(
            (name) => `${authority.id} may not sign for ${name}`,
          );
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

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { findEntry, keyPairs, keyRings } from '../../../pki/index.ts';
import { type Item, readContents } from '../../ca/contents.ts';
import { fileFailure } from '../../ca/file-failure.ts';
import { storePaths } from '../../ca/layout.ts';
import { planIds } from '../../ca/observed-store.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable } from '../output.ts';
import { importPassword, type PasswordOptions } from './pkcs12-password.ts';
import { readDocuments } from './show-documents.ts';
import { type Surroundings, shownItems, surroundingsOf } from './show-items.ts';
import { showPublicKey, showRing } from './show-keys.ts';
import { openPkcs12 } from './show-pkcs12.ts';
import { rowsOf, type Shown } from './show-rows.ts';
import { addressIn, showServed } from './show-served.ts';

const step = 'showing a certificate';
/** Bytes. A List of all Secrets of a large cluster has less. */
const most = 64 << 20;

/** `what`: a name of the plan, a file, `-` for standard input, or HOST:PORT. */
export async function pkiShow(context: CliContext, what: string, options: PasswordOptions): Promise<void> {
  const shown = await shownOf(context, what, options);
  if (context.json) {
    printJson(context.io, shown);
    return;
  }
  shown.forEach((entry, index) => {
    if (index > 0) context.io.out('\n');
    printTable(context.io, ['field', 'value'], rowsOf(entry));
  });
}

async function shownOf(
  context: CliContext,
  what: string,
  options: PasswordOptions,
): Promise<readonly Shown[]> {
  if (keyPairs.some(({ id }) => id === what)) {
    return [showPublicKey(`${(await context.cluster()).folder}/pki/${storePaths(what)?.publicKey}`)];
  }
  if (keyRings.some(({ id }) => id === what))
    return showRing(`${(await context.cluster()).folder}/pki`, what);
  const around = surroundingsOf(context, new Date());
  const file = resolve(context.io.cwd, what);
  const address = what === '-' || existsSync(file) ? undefined : addressIn(what);
  if (address !== undefined) return showServed(what, address, around);
  if (what === '-') return showBytes(context, await standardInput(), 'standard input', around, options);
  const shown: Shown[] = [];
  for (const one of await filesOf(context, what)) {
    shown.push(...(await showBytes(context, read(one), one, around, options)));
  }
  return shown;
}

async function filesOf(context: CliContext, what: string): Promise<readonly string[]> {
  if (findEntry(what) === undefined) return [resolve(context.io.cwd, what)];
  const cluster = await context.cluster();
  const ids = planIds(certificatePlan(cluster));
  const meant = ids.includes(what) ? [what] : ids.filter((id) => id.startsWith(`${what}@`));
  // A certificate of a host that has left cluster.yaml can still be shown.
  const found = meant.length > 0 ? meant : [what];
  return found.map((id) => `${cluster.folder}/pki/${storePaths(id)?.certificate}`);
}

async function showBytes(
  context: CliContext,
  bytes: Buffer,
  source: string,
  around: Surroundings,
  options: PasswordOptions,
): Promise<readonly Shown[]> {
  const items = readContents(bytes, source) ?? readDocuments(bytes.toString('utf8'), source);
  const opened: Item[] = [];
  for (const item of items) {
    if (item.kind === 'pkcs12') opened.push(...openPkcs12(item, await importPassword(context, options)));
    else opened.push(item);
  }
  if (opened.length > 0) return shownItems(opened, around);
  throw new KbinError(`${source} holds no certificate`, {
    step,
    next: 'give a file in PEM or DER, a PKCS #12 file, a kubeconfig, a Secret as YAML or JSON, or HOST:PORT',
  });
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fileFailure(`cannot read ${file}`, step, error);
  }
}

async function standardInput(): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    const bytes = Buffer.from(part as Uint8Array);
    size += bytes.length;
    if (size > most) {
      throw new KbinError('standard input does not end', {
        step,
        why: `more than ${most >> 20} MiB have come`,
        next: 'give one file, or one object',
        exit: exitCode.usage,
      });
    }
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

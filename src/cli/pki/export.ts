import { createPrivateKey } from 'node:crypto';
import { resolve } from 'node:path';
import { findEntry } from '../../../pki/index.ts';
import { planIds } from '../../ca/observed-store.ts';
import { pemBlocks } from '../../ca/pem.ts';
import { encodePkcs12 } from '../../ca/pkcs12.ts';
import { openStore, type Store } from '../../ca/store.ts';
import { type Cluster, hostsWithRole } from '../../cluster/cluster.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { keylessAuthorities, kubeadmTree } from '../kubeadm-tree.ts';
import { printJson } from '../output.ts';
import { type PassphraseOptions, passphraseOf } from '../passphrase.ts';
import { presentFile, putInPlace } from '../private-file.ts';
import { writeRendered } from '../render-folder.ts';
import { exportPassword, type PasswordOptions } from './pkcs12-password.ts';

export interface ExportOptions extends PassphraseOptions, PasswordOptions {
  readonly format?: string;
  readonly output?: string;
  readonly legacy?: boolean;
  readonly force?: boolean;
}

const formats = ['pem', 'pkcs12', 'kubeadm'] as const;
type Format = (typeof formats)[number];

const writing = { step: 'exporting a certificate', what: 'what is exported' };
const { step } = writing;

export async function pkiExport(context: CliContext, name: string, options: ExportOptions): Promise<void> {
  const format = readFormat(options.format ?? 'pem');
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  if (format === 'kubeadm') await exportTree(context, cluster, store, name, options);
  else await exportOne(context, cluster, store, name, format, options);
}

function readFormat(text: string): Format {
  const found = formats.find((format) => format === text);
  if (found !== undefined) return found;
  const alias = text === 'p12' || text === 'pfx' ? 'pkcs12' : undefined;
  if (alias !== undefined) return alias;
  throw new KbinError(`there is no format "${text}"${didYouMean(text, formats)}`, {
    next: `choose one of ${formats.join(', ')}`,
    exit: exitCode.usage,
  });
}

/** A certificate of the store with what leads from it to the CA, and its key. */
interface Exported {
  readonly id: string;
  /** PEM, the certificate's own first; then intermediate CAs. */
  readonly chain: string;
  /** PEM of what others verify with. */
  readonly authority: string;
  /** PEM; undefined for a CA, whose key goes nowhere. */
  readonly key: string | undefined;
}

async function exportOne(
  context: CliContext,
  cluster: Cluster,
  store: Store,
  name: string,
  format: 'pem' | 'pkcs12',
  options: ExportOptions,
): Promise<void> {
  const { io } = context;
  const file = options.output === undefined ? undefined : resolve(io.cwd, options.output);
  if (file !== undefined && options.force !== true) refuseExisting(file);
  if (format === 'pkcs12' && file === undefined) throw needsFile(`a PKCS #12 file is no text`);
  const exported = await found(cluster, store, name);
  if (format === 'pkcs12' && exported.key === undefined) throw authorityInPkcs12(name);
  const content = format === 'pem' ? pem(exported) : await pkcs12(context, cluster, exported, options);
  if (file !== undefined) putInPlace(file, content, writing);
  const held =
    exported.key === undefined ? 'its certificate, without its key' : 'certificate, chain and private key';
  if (context.json)
    printJson(io, { name: exported.id, format, ...(file === undefined ? { pem: content } : { file }) });
  else if (file === undefined) io.out(String(content));
  else io.out(`wrote ${file}: ${exported.id}, ${held}\n`);
}

async function found(cluster: Cluster, store: Store, name: string): Promise<Exported> {
  const view = store.view();
  const entry = findEntry(name);
  const certificate = entry === undefined ? undefined : view.certificate(name);
  if (entry === undefined || certificate === undefined) throw unknown(cluster, name);
  const authority = view.trusted(entry.authority.id) ?? '';
  if (entry.leaf === undefined) return { id: name, chain: '', authority, key: undefined };
  const key = view.key(name);
  if (key === undefined) throw withoutKey(name, store);
  const pemKey = Buffer.from(await store.readSecret(key.ref)).toString('utf8');
  return { id: name, chain: certificate.pem, authority, key: pemKey };
}

/** For programs that read one file: the certificate first, what leads from it to the CA, the CA, the key last. */
function pem({ chain, authority, key }: Exported): string {
  return [chain, authority, key ?? '']
    .map((text) => (text === '' || text.endsWith('\n') ? text : `${text}\n`))
    .join('');
}

async function pkcs12(
  context: CliContext,
  cluster: Cluster,
  { id, chain, authority, key }: Exported,
  options: ExportOptions,
): Promise<Buffer> {
  const password = await exportPassword(context, options);
  const certificates = [...pemBlocks(chain, id), ...pemBlocks(authority, 'its CA')].map(({ der }) => der);
  const contents = {
    name: `${id} of ${cluster.name}`,
    certificates,
    key: createPrivateKey(key ?? '').export({ type: 'pkcs8', format: 'der' }),
  };
  return encodePkcs12(contents, password, options.legacy ? 'legacy' : 'modern');
}

function unknown(cluster: Cluster, name: string): KbinError {
  const plan = certificatePlan(cluster);
  const ids = planIds(plan);
  const hosts = ids.filter((id) => id.startsWith(`${name}@`));
  const isKey = [...plan.keyPairs, ...plan.keyRings].some(({ id }) => id === name);
  return new KbinError(
    isKey
      ? `${name} is no certificate`
      : hosts.length > 0
        ? `which ${name}?`
        : `there is no certificate "${name}"${didYouMean(name, ids)}`,
    {
      step,
      why: isKey
        ? 'keys that sign tokens or encrypt Secrets stay with the control plane'
        : hosts.length > 0
          ? `there is one for each host: ${hosts.join(', ')}`
          : 'only what is in pki/ can be exported',
      next: '"kbin pki list" shows the names; "kbin pki init" makes what is missing',
      exit: exitCode.usage,
    },
  );
}

const withoutKey = (name: string, { folder }: Store): KbinError =>
  new KbinError(`the certificate store lacks the key of ${name}`, {
    step,
    why: `${folder} was made or copied without it`,
    next: 'run the command where the keys are',
  });

const authorityInPkcs12 = (name: string): KbinError =>
  new KbinError(`${name} is a CA, and its key goes nowhere`, {
    step,
    why: 'PKCS #12 is for a certificate with its key; what others need of a CA is its certificate',
    next: `export it as PEM, which browsers and Windows import too: kbin pki export ${name} -o ${name}.crt`,
    exit: exitCode.usage,
  });

const needsFile = (why: string): KbinError =>
  new KbinError('-o is needed', { step, why, next: 'say with -o where it is to go', exit: exitCode.usage });

function refuseExisting(file: string): void {
  if (presentFile(file, writing) === undefined) return;
  throw new KbinError(`${file} exists already`, {
    step,
    why: 'it may hold a key that is nowhere else',
    next: 'name another file with -o, or write over it with --force',
    exit: exitCode.usage,
  });
}

/** kubeadm's whole tree of one control-plane host, etcd's certificates and the CA keys that are here in it. */
async function exportTree(
  context: CliContext,
  cluster: Cluster,
  store: Store,
  name: string,
  options: ExportOptions,
): Promise<void> {
  const { io } = context;
  const hosts = hostsWithRole(cluster, 'control-plane');
  const host = hosts.find((one) => one.name === name);
  if (host === undefined) {
    const names = hosts.map((one) => one.name);
    throw new KbinError(`there is no control-plane host "${name}"${didYouMean(name, names)}`, {
      step,
      why: "kubeadm's tree is of one host",
      next: `name one of ${names.join(', ') || 'cluster.yaml, which has none'}`,
      exit: exitCode.usage,
    });
  }
  if (options.output === undefined) throw needsFile("kubeadm's tree is a folder");
  const folder = resolve(io.cwd, options.output);
  const files = await kubeadmTree(cluster, store, host, 'whole');
  writeRendered(folder, files);
  const keyless = keylessAuthorities(cluster, store);
  const keys =
    keyless.length === 0
      ? 'CA keys among them'
      : `without the key of ${keyless.join(', ')}, kept elsewhere: kubeadm takes that for an external CA`;
  if (context.json)
    printJson(io, { host: name, format: 'kubeadm', folder, files: files.map(({ path }) => path), keyless });
  else io.out(`wrote ${folder}: ${files.length} files for /etc/kubernetes/pki of ${name}, ${keys}\n`);
}

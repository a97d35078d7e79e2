import {
  isRevocationReason,
  type RevocationReason,
  revocationPaths,
  revocationReasons,
  revokedBy,
} from '../../ca/revocation.ts';
import { type RevokeResult, renewLists, revoke } from '../../ca/revoke.ts';
import { openStore } from '../../ca/store.ts';
import type { AppliedChange } from '../../ca/store-apply.ts';
import { diskFiles } from '../../ca/store-files.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import { certificatePlan } from '../../desired/certificates.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { apiserversFirst } from '../deploys.ts';
import { printJson, printTable, printWarning } from '../output.ts';
import { type PassphraseOptions, passphraseOf } from '../passphrase.ts';
import { findRevocable } from './revoke-find.ts';

export interface RevokeChoices extends PassphraseOptions {
  readonly reason?: string;
  readonly authority?: string;
}

export async function pkiRevoke(
  context: CliContext,
  what: readonly string[],
  choices: RevokeChoices,
): Promise<void> {
  const { io } = context;
  const reason = readReason(choices.reason ?? 'unspecified');
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, choices));
  const files = diskFiles(store.folder);
  const meant = what.map((one) =>
    findRevocable(plan, files, one, { cwd: io.cwd, authority: choices.authority }),
  );
  const results = await revoke(plan, store, meant, {
    reason,
    now: new Date(),
    command: 'kbin pki revoke',
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  if (context.json) printJson(io, results);
  else for (const result of results) print(context, result);
  for (const result of results) advise(context, cluster, result);
}

/** Names as openssl has them; case and hyphens do not matter. */
function readReason(text: string): RevocationReason {
  const plain = (name: string): string => name.replaceAll('-', '').toLowerCase();
  const names = Object.keys(revocationReasons);
  const found = names.find((name) => plain(name) === plain(text));
  if (found !== undefined && isRevocationReason(found)) return found;
  throw new KbinError(`"${text}" is no reason to revoke a certificate${didYouMean(text, names)}`, {
    next: `choose one of ${names.join(', ')}`,
    exit: exitCode.usage,
  });
}

function print({ io }: CliContext, { authority, revoked, already, applied }: RevokeResult): void {
  const day = (date: Date | undefined): string | undefined => date?.toISOString().slice(0, 10);
  printTable(
    io,
    ['action', 'name', 'serial', 'valid until', 'why'],
    [
      ...revoked.map(({ name, serial, reason }) => ['revoke', name, serial, undefined, reason]),
      ...already.map(({ name, serial, at }) => [
        'keep',
        name,
        serial,
        undefined,
        `revoked on ${day(at)} already`,
      ]),
      ...applied.map(({ action, id, notAfter, reasons }) => [
        action,
        id,
        undefined,
        day(notAfter),
        reasons.map(({ message }) => message).join('; '),
      ]),
    ],
  );
  if (applied.length > 0)
    io.err(`the list of ${authority} is pki/${revocationPaths(authority).pem} and .der\n`);
}

/** What has to be done, and what no list can do. */
function advise({ io }: CliContext, cluster: Cluster, { authority, revoked, applied }: RevokeResult): void {
  if (authority !== 'etcd-ca') {
    if (revoked.length > 0) printWarning(io, kubernetesAsksNoList(authority));
    if (applied.some(({ kind }) => kind === 'leaf')) {
      io.err('next: `kbin control-plane deploy` brings what was issued anew to the hosts\n');
    }
    return;
  }
  const own = ['ETCD_CLIENT_CRL_FILE', 'ETCD_PEER_CRL_FILE'].filter(
    (name) => name in cluster.etcd.environment,
  );
  for (const name of own) {
    printWarning(
      io,
      `etcd.environment of cluster.yaml sets ${name}: etcd goes by that list, and not by kbin’s`,
    );
  }
  if (applied.length === 0) return;
  io.err(
    `next: ${controlPlaneFirst(cluster)}\`kbin etcd deploy\` brings the list to the members; until then they let it in\n`,
  );
}

function controlPlaneFirst(cluster: Cluster): string {
  return apiserversFirst(cluster)
    ? '`kbin control-plane deploy` first, so that no apiserver comes with what is refused; then '
    : '';
}

export function kubernetesAsksNoList(authority: string): string {
  return (
    'Kubernetes asks no revocation list: its apiserver goes on letting this certificate in until it ends. Take the ' +
    `rights of its user and groups away (RBAC); for system:masters, or to be sure, rotate: kbin pki rotate ${authority}`
  );
}

/** Makes lists anew, whether or not their time has come. */
export async function pkiCrl(
  context: CliContext,
  named: readonly string[],
  choices: PassphraseOptions,
): Promise<void> {
  const { io } = context;
  const cluster = await context.cluster();
  const plan = certificatePlan(cluster);
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, choices));
  const ids = plan.authorities.map(({ id }) => id);
  const unknown = named.find((name) => !ids.includes(name));
  if (unknown !== undefined) {
    const next = `name one of ${ids.join(', ')}; without a name it is every CA that has revoked something`;
    throw new KbinError(`there is no CA "${unknown}"${didYouMean(unknown, ids)}`, {
      next,
      exit: exitCode.usage,
    });
  }
  const files = diskFiles(store.folder);
  const wanted = named.length > 0 ? [...new Set(named)] : ids.filter((id) => revokedBy(files, id).length > 0);
  const made = await renewLists(plan, store, wanted, {
    now: new Date(),
    command: 'kbin pki crl',
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  if (context.json) printJson(io, made);
  else if (made.length === 0) io.out('nothing to do: nothing was ever revoked\n');
  else printTable(io, ['action', 'list', 'valid until'], made.map(listRow));
  if (made.some(({ id }) => id.startsWith('etcd-ca/')))
    io.err(`next: ${controlPlaneFirst(cluster)}\`kbin etcd deploy\` brings it to the members\n`);
}

const listRow = ({ action, id, notAfter }: AppliedChange): (string | undefined)[] => [
  action,
  `pki/${id}.pem, .der`,
  notAfter?.toISOString().slice(0, 10),
];

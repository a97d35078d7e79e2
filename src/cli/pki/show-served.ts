import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { type KnownAuthority, pathOf } from '../../ca/certificate-path.ts';
import { readContents } from '../../ca/contents.ts';
import { openStore } from '../../ca/store.ts';
import { KbinError } from '../../errors.ts';
import { clientCredentials } from '../../health/client-credentials.ts';
import { type ServedChainOptions, servedChain } from '../../health/served-chain.ts';
import { type Surroundings, shownItems } from './show-items.ts';
import type { Shown, ShownServed } from './show-rows.ts';

interface Asked {
  readonly scheme: 'https';
  readonly host: string;
  readonly port: number;
}

/** `10.0.0.1:6443`, `[fd00::1]:2379`, `api.example.net:443` or an https URL; undefined: it does not look like one. */
export function addressIn(what: string): Asked | undefined {
  const [, scheme, bracketed, name, port] =
    /^(https:\/\/)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_.-]+))(?::(\d{1,5}))?(?:\/.*)?$/.exec(what) ?? [];
  const host = bracketed ?? name;
  const number = Number(port ?? (scheme === undefined ? 0 : 443));
  if (host === undefined || number < 1 || number > 65535 || (scheme === undefined && what.includes('/')))
    return undefined;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return undefined;
  return { scheme: 'https', host, port: number };
}

/** Milliseconds for connecting, and again for the handshake. */
const deadlineMs = 5000;

/** What listens there, and whether a CA of this cluster made it. Throws KbinError when nothing is shown in time. */
export async function showServed(
  what: string,
  address: Asked,
  around: Surroundings,
): Promise<readonly Shown[]> {
  const client = await ownClient(around);
  const answer = await servedChain(address, { deadlineMs, ...(client === undefined ? {} : { client }) });
  if (answer.state !== 'served') {
    throw new KbinError(`${what} shows no certificate`, {
      step: 'TLS handshake',
      why: answer.why.message,
      next: 'see whether something listens there, whether it speaks TLS, and whether this machine may reach it',
    });
  }
  const { chain, protocol, alpn } = answer;
  const [leaf, ...sent] = chain.map((der) => new X509Certificate(der));
  if (leaf === undefined) throw new KbinError(`${what} shows no certificate`, { step: 'TLS handshake' });
  const authority = madeBy(leaf, sent, around.authorities);
  const otherName = nameMistake(leaf, address.host);
  const served: ShownServed = {
    kind: 'served',
    file: what,
    protocol,
    ...(alpn === undefined ? {} : { alpn }),
    ...(authority === undefined ? {} : { authority }),
    ...(otherName === undefined ? {} : { otherName }),
    ...(around.folder === undefined
      ? { note: 'there is no cluster.yaml here whose CAs it could be compared with' }
      : {}),
  };
  const items = chain.flatMap((der, index) => readContents(der, `${what}, certificate ${index + 1}`) ?? []);
  return [served, ...shownItems(items, around)];
}

/** For etcd, which shows its own certificate in TLS 1.2 only to those who have one. Whoever lacks it does without. */
async function ownClient({ folder }: Surroundings): Promise<ServedChainOptions['client']> {
  if (folder === undefined) return undefined;
  try {
    const wanted = { authority: 'etcd-ca', client: 'etcd-healthcheck-client', toAsk: 'etcd' };
    const { cert, key } = await clientCredentials(await openStore(folder), wanted);
    return { cert, key };
  } catch {
    return undefined;
  }
}

function madeBy(
  leaf: X509Certificate,
  sent: readonly X509Certificate[],
  authorities: readonly KnownAuthority[],
): string | undefined {
  const { anchor, fault } = pathOf(leaf, sent, authorities);
  return fault === undefined ? anchor?.name : undefined;
}

function nameMistake(leaf: X509Certificate, host: string): string | undefined {
  const good = isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host);
  return good === undefined ? `its SANs are ${leaf.subjectAltName ?? 'none'}` : undefined;
}

import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type Cause, causeOf } from './causes.ts';
import type { ClientCredentials } from './client-credentials.ts';
import { dialDirect } from './dial.ts';
import type { Address, Dial } from './target.ts';
import { connectUnverified } from './tls-connect.ts';

/** What a listener showed in the TLS handshake, DER: its own certificate first, then what it sent along. */
export type ServedChain =
  | {
      readonly state: 'served';
      readonly chain: readonly Buffer[];
      /** `TLSv1.3`. */
      readonly protocol: string;
      /** What was agreed upon of what was offered; undefined: nothing. */
      readonly alpn: string | undefined;
    }
  /** Nothing listens there: then nothing wrong is served either. */
  | { readonly state: 'closed'; readonly why: Cause }
  | { readonly state: 'unseen'; readonly why: Cause };

export interface ServedChainOptions {
  readonly dial?: Dial;
  /** Milliseconds for connecting, and again for the handshake. */
  readonly deadlineMs: number;
  /** Shown where the listener asks for one: it would note the stranger in its log, and TLS 1.2 ends without. */
  readonly client?: Pick<ClientCredentials, 'cert' | 'key'>;
}

/** Just as it comes over the wire: nothing is verified, and nothing asked. Never rejects. */
export async function servedChain(address: Address, options: ServedChainOptions): Promise<ServedChain> {
  const { dial = dialDirect, deadlineMs, client } = options;
  let raw: Duplex | undefined;
  try {
    raw = await dial(address.host, address.port, deadlineMs);
    const socket = await connectUnverified(
      raw,
      address.host,
      { ALPNProtocols: ['h2', 'http/1.1'], ...client },
      deadlineMs,
    );
    return {
      state: 'served',
      chain: chainOf(socket),
      protocol: socket.getProtocol() ?? 'unknown',
      alpn: socket.alpnProtocol || undefined,
    };
  } catch (error) {
    const why = causeOf(error, { deadlineMs });
    return { state: why.code === 'refused' ? 'closed' : 'unseen', why };
  } finally {
    raw?.destroy();
  }
}

/** OpenSSL links them as they came; a root is its own issuer. */
function chainOf(socket: TLSSocket): Buffer[] {
  const chain = new Map<string, Buffer>();
  for (
    let next = socket.getPeerX509Certificate();
    next !== undefined && !chain.has(next.fingerprint256);
    next = next.issuerCertificate
  )
    chain.set(next.fingerprint256, next.raw);
  return [...chain.values()];
}

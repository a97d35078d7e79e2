import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { withDeadline } from './dial.ts';

/**
 * The cluster's CA may be an intermediate one, and is trusted by itself: never what it goes back to. Go takes any
 * certificate it was given for an anchor; OpenSSL does so when told.
 */
export const allowPartialTrustChain = true;

/**
 * TLS over an open stream. The certificate has to come from the CA and be good for `host`: an address among its IP SANs,
 * or a DNS name. Rejects, and ends the stream, when it is not, or when nothing came of it in `deadlineMs`.
 */
export async function connectVerified(
  raw: Duplex,
  host: string,
  credentials: { readonly ca: string; readonly cert?: string; readonly key?: string },
  deadlineMs: number,
): Promise<TLSSocket> {
  try {
    return await handshake(raw, host, credentials, deadlineMs);
  } catch (error) {
    raw.destroy();
    throw error;
  }
}

/**
 * The same without a look at the certificate: the socket's `authorizationError` says what was wrong with it, so that a bad
 * one can be described.
 */
export function connectUnverified(
  raw: Duplex,
  host: string,
  options: ConnectionOptions,
  deadlineMs: number,
): Promise<TLSSocket> {
  return handshake(raw, host, { ...options, rejectUnauthorized: false }, deadlineMs);
}

function handshake(
  raw: Duplex,
  host: string,
  options: ConnectionOptions,
  deadlineMs: number,
): Promise<TLSSocket> {
  const shaken = new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({
      socket: raw,
      minVersion: 'TLSv1.2',
      allowPartialTrustChain,
      checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...options,
    });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('ECONNRESET connection closed during the TLS handshake')));
  });
  return withDeadline(shaken, deadlineMs, 'no TLS handshake');
}

import type { X509Certificate } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import { type Cause, causeOf } from './causes.ts';
import { dialDirect, withDeadline } from './dial.ts';
import { plainText } from './plain-text.ts';
import type { Address, Dial, EtcdCredentials } from './target.ts';
import { connectUnverified } from './tls-connect.ts';

/** A certificate as it came over the wire. */
export interface ServedCertificate {
  readonly subject: string;
  readonly issuer: string;
  /** Upper-case hex with colons, of SHA-256 over the DER, as openssl prints it. */
  readonly fingerprint: string;
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** `DNS:etcd1`, `IP Address:10.0.0.1`; empty when there are none. */
  readonly sans: readonly string[];
}

/** What a listener really serves, found without any of etcd's own protocol. */
export interface Served {
  /** The leaf first, then what the server sent along. Empty for a plaintext listener. */
  readonly chain: readonly ServedCertificate[];
  /** Why a client that verifies would refuse this certificate; undefined when it would not. */
  readonly refusal?: Cause;
  readonly protocol?: string;
  readonly cipher?: string;
  /** How the server took our client certificate: an HTTP answer came, or the reason why none did. */
  readonly accepted: boolean;
  readonly notAccepted?: Cause;
  /** Of the HTTP answer. */
  readonly status?: number;
  /** Body of the HTTP answer; GET /version at etcd. */
  readonly body?: string;
}

export interface WireOptions {
  readonly dial?: Dial;
  /** Milliseconds for the whole probe. */
  readonly deadlineMs: number;
  /** HTTP path to ask for; default /version, which client and peer listeners both answer. */
  readonly path?: string;
  /** Of the HTTP request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Connects, takes the served chain, verifies it as a client would (CA, dates, address), and asks for one page. Rejects
 * only when no handshake came about at all.
 */
export async function probeWire(
  address: Address,
  credentials: EtcdCredentials,
  options: WireOptions,
): Promise<Served> {
  const end = performance.now() + options.deadlineMs;
  const left = () => Math.max(1, Math.round(end - performance.now()));
  const raw = await (options.dial ?? dialDirect)(address.host, address.port, options.deadlineMs);
  try {
    const stream =
      address.scheme === 'http' ? raw : await connectUnverified(raw, address.host, credentials, left());
    // Before anything is asked: a server that wants another client certificate hangs up at once.
    const served = stream instanceof TLSSocket ? seen(stream, address) : { chain: [] };
    const page = await get(stream, address, options, left()).then(
      (answer) => ({ accepted: true, ...answer }),
      (error: unknown) => ({
        accepted: false,
        notAccepted: causeOf(error, { deadlineMs: options.deadlineMs }),
      }),
    );
    return { ...served, ...page };
  } finally {
    raw.destroy();
  }
}

/** Whether the listener speaks the other of https and http than the address says. */
export async function speaksOtherScheme(address: Address, options: WireOptions): Promise<boolean> {
  const other = { ...address, scheme: address.scheme === 'https' ? 'http' : 'https' } as const;
  return probeWire(other, {}, options).then(
    ({ accepted, chain }) => accepted || chain.length > 0,
    () => false,
  );
}

/** How a listener treats a client that shows no certificate. */
export type AnonymousAnswer = 'refused' | 'accepted' | 'unknown';

export async function probeAnonymous(address: Address, options: WireOptions): Promise<AnonymousAnswer> {
  try {
    const served = await probeWire(address, {}, options);
    if (served.accepted) return 'accepted';
    return served.notAccepted?.code === 'no-answer' ? 'unknown' : 'refused';
  } catch (error) {
    // TLS 1.2 ends in the handshake. Anything that is not the server's own alert says nothing about its policy.
    return /alert/i.test(String(error)) ? 'refused' : 'unknown';
  }
}

/** One HTTP/1.1 GET over an open stream. Any answer counts, whatever its status. */
function get(
  stream: Duplex,
  address: Address,
  { path = '/version', headers = {} }: Pick<WireOptions, 'path' | 'headers'>,
  deadlineMs: number,
): Promise<{ readonly status: number; readonly body: string }> {
  const agent = new Agent();
  agent.createConnection = () => stream;
  const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
    stream.once('error', reject);
    const asking = request({ agent, host: address.host, port: address.port, path, headers }, (response) => {
      const parts: Buffer[] = [];
      let size = 0;
      response.on('data', (part: Buffer) => {
        size += part.length;
        if (size <= maxPage) parts.push(part);
      });
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
      response.once('error', reject);
    });
    asking.once('error', reject);
    asking.end();
  });
  return withDeadline(answered, deadlineMs, `no answer to GET ${path}`);
}

/** Bytes; etcd's /metrics is about 150 KB. */
const maxPage = 4 << 20;

function seen(socket: TLSSocket, address: Address): Omit<Served, 'accepted'> {
  const leaf = socket.getPeerX509Certificate();
  return {
    chain: chainOf(leaf),
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    ...(socket.authorized ? {} : { refusal: refusalOf(socket, address) }),
  };
}

function refusalOf(socket: TLSSocket, address: Address): Cause {
  // Node keeps only the code of an identity error; its text says which names the certificate is for.
  const text = String(socket.authorizationError);
  if (!text.includes('ALTNAME')) return causeOf(text);
  return causeOf(checkServerIdentity(address.host, socket.getPeerCertificate()) ?? text);
}

function chainOf(leaf: X509Certificate | undefined): ServedCertificate[] {
  const chain: ServedCertificate[] = [];
  const known = new Set<string>();
  for (
    let next = leaf;
    next !== undefined && !known.has(next.fingerprint256);
    next = next.issuerCertificate
  ) {
    known.add(next.fingerprint256);
    chain.push(toServed(next));
  }
  return chain;
}

function toServed(certificate: X509Certificate): ServedCertificate {
  return {
    subject: plainText(certificate.subject.replaceAll('\n', ', ')),
    issuer: plainText(certificate.issuer.replaceAll('\n', ', ')),
    fingerprint: certificate.fingerprint256,
    serial: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    sans: plainText(certificate.subjectAltName ?? '')
      .split(', ')
      .filter((name) => name !== ''),
  };
}

/** Whole days until `notAfter`; negative when it has passed. */
export function daysLeft(certificate: Pick<ServedCertificate, 'notAfter'>, now: Date): number {
  return Math.floor((certificate.notAfter.getTime() - now.getTime()) / 86_400_000);
}

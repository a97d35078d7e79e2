import type { Duplex } from 'node:stream';
import { KbinError } from '../errors.ts';

/** Opens a byte stream to address:port. Rejects when none is there after `deadlineMs`. */
export type Dial = (address: string, port: number, deadlineMs: number) => Promise<Duplex>;

/** One etcd member as it is asked for: where it listens for clients, and who it should be. */
export interface EtcdTarget {
  /** Host name of cluster.yaml, or host:port of an endpoint given by hand. Unique; every report shows it. */
  readonly name: string;
  /** Client URL: `https://192.168.31.71:2379`, `https://[fd00::1]:2379`, or http (reported as a weakness). */
  readonly endpoint: string;
  /** Client URL that its process was started with, where `endpoint` is another one by now: asked when that fails. */
  readonly former?: string;
  /** What cluster.yaml says of the member; undefined for a cluster that kbin did not deploy. */
  readonly expected?: ExpectedMember;
  /** How to get there; default straight over TCP. */
  readonly dial?: Dial;
  /** Why an endpoint was last reached through SSH only, in a clause, where `dial` tries that when all else fails. */
  readonly detour?: (endpoint: string) => string | undefined;
}

export interface ExpectedMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
}

/** PEM texts. `key` is a secret: it stays in memory. All undefined for a plaintext cluster. */
export interface EtcdCredentials {
  /** One CA certificate or a bundle. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface Address {
  readonly scheme: 'https' | 'http';
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Takes an etcd URL apart. Throws a usage error that shows the URL. Default port 2379, as etcdctl has it. */
export function parseEndpoint(endpoint: string): Address {
  const address = tryParse(endpoint);
  if (address !== undefined) return address;
  throw new KbinError(`not an etcd endpoint: ${endpoint}`, {
    next: 'write it as https://ADDRESS:PORT, for example https://192.168.31.71:2379',
    exit: 2,
  });
}

/** undefined for what is no http or https URL; etcd also knows unix ones. */
export function tryParse(endpoint: string): Address | undefined {
  const text = endpoint.includes('://') ? endpoint : `https://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plainUrl = url !== undefined && (url.pathname === '/' || url.pathname === '') && url.search === '';
  if (!plainUrl || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.hostname === '')
    return undefined;
  return {
    scheme: url.protocol === 'https:' ? 'https' : 'http',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? portOfScheme(text) : Number(url.port),
  };
}

/** URL drops the port that is its scheme's own. */
function portOfScheme(text: string): number {
  const written = /:(80|443)\/?$/.exec(text);
  return written === null ? 2379 : Number(written[1]);
}

/** One form for one URL, to compare by. */
export function canonical(endpoint: string): string {
  const address = tryParse(endpoint);
  return address === undefined ? endpoint : `${address.scheme}://${hostPort(address)}`;
}

/** `host:port`, with brackets where the host is an IPv6 address. */
export function hostPort(address: Pick<Address, 'host' | 'port'>): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

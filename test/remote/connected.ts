import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import type { SshSettings } from '../../src/cluster/cluster.ts';
import { type ConnectOptions, createConnect } from '../../src/remote/connect.ts';
import type { Connect, Host } from '../../src/remote/host.ts';
import { clusterOf } from './cluster-of.ts';
import { type KeyPair, keyPair, type ServerOptions, SshServer } from './ssh-server.ts';
import { temporaryFolder } from './temporary-folder.ts';

// Logins cost cryptography, and a busy machine takes its time.
vi.setConfig({ testTimeout: 60_000 });

export interface Setting {
  readonly server: SshServer;
  readonly key: KeyPair;
  /** HOME of the one who connects: empty but for what a test puts there. */
  readonly home: string;
  readonly knownHosts: string;
  readonly warnings: string[];
  /** Connects to the server as `node1`, with these settings over ones that work; closed when the test ends. */
  connect(ssh?: Partial<SshSettings>, options?: Partial<ConnectOptions>): Promise<Host>;
  connector(hosts: Record<string, Partial<SshSettings>>, options?: Partial<ConnectOptions>): Connect;
}

/** A server that one key may log in to, and somebody who knows the server's key and has that key. */
export async function setting(options: ServerOptions = {}): Promise<Setting> {
  const key = options.authorised?.[0] ?? keyPair();
  const server = await SshServer.start({ authorised: [key], ...options });
  const home = temporaryFolder();
  const knownHosts = join(home, 'known_hosts');
  writeFileSync(knownHosts, server.knownHosts);
  const warnings: string[] = [];
  const base = { port: server.port, user: 'root', identityFile: key.file, knownHosts };
  const connector: Setting['connector'] = (hosts, given = {}) => {
    const merged = Object.entries(hosts).map(([name, ssh]) => [name, { ...base, ...ssh }]);
    const connect = createConnect(clusterOf(Object.fromEntries(merged)), {
      acceptNewHostKeys: false,
      env: { HOME: home, USER: 'me' },
      warn: (text) => warnings.push(text),
      systemConfig: '/nonexistent/ssh_config',
      ...given,
    });
    return async (name) => {
      const host = await connect(name);
      onTestFinished(() => host.close());
      return host;
    };
  };
  const connect: Setting['connect'] = (ssh = {}, given = {}) => connector({ node1: ssh }, given)('node1');
  return { server, key, home, knownHosts, warnings, connect, connector };
}

/** The KbinError that a promise rejects with, as plain data; fails when it is none. */
export async function refusal(
  promise: Promise<unknown>,
): Promise<{ what: string; why: string; next: string; step: string }> {
  const error = await promise.then(
    () => new Error('it should have been refused'),
    (error: unknown) => error,
  );
  const { message, details } = error as { message: string; details?: Record<string, string> };
  if (!details) throw error;
  return { what: message, why: details.why ?? '', next: details.next ?? '', step: details.step ?? '' };
}

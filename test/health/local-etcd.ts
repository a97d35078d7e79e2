import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { EtcdCredentials, EtcdTarget } from '../../src/health/target.ts';
import { until } from '../lab/until.ts';
import { Authority } from './authority.ts';
import { etcdRelease } from './etcd-release.ts';

const run = promisify(execFile);

export interface LocalOptions {
  readonly size?: number;
  /** One for all, or one per member. */
  readonly version?: string | readonly string[];
  /** More flags for each. */
  readonly flags?: readonly string[];
  /** What the addresses are; `127.0.0.1` or `::1`. */
  readonly address?: string;
  /** Default: the address, and no DNS name, as hand-install guides have it. */
  readonly sans?: string;
  readonly scheme?: 'https' | 'http';
  /** An authority of another cluster, to share it. */
  readonly authority?: Authority;
}

/** Real etcd processes on loopback, without kbin, without systemd: seconds to start and safe to break. */
export class LocalEtcd implements AsyncDisposable {
  readonly folder: string;
  readonly authority: Authority;
  readonly members: readonly LocalMember[];

  constructor(folder: string, authority: Authority, members: readonly LocalMember[]) {
    this.folder = folder;
    this.authority = authority;
    this.members = members;
  }

  member(index: number): LocalMember {
    const member = this.members[index];
    if (member === undefined) throw new Error(`no member ${index}`);
    return member;
  }

  get targets(): EtcdTarget[] {
    return this.members.map(({ name, endpoint }) => ({ name, endpoint }));
  }

  async credentials(client = 'client', authority = this.authority): Promise<EtcdCredentials> {
    return {
      ca: await this.authority.read('ca.crt'),
      cert: await authority.read(`${client}.crt`),
      key: await authority.read(`${client}.key`),
    };
  }

  /** The release's own client, asked at the first member; or at `endpoint`. */
  async etcdctl(argv: readonly string[], endpoint = this.member(0).endpoint): Promise<string> {
    const { stdout } = await run(
      join(await etcdRelease('3.5.16'), 'etcdctl'),
      [
        `--endpoints=${endpoint}`,
        `--cacert=${this.authority.caFile}`,
        `--cert=${this.authority.path('client.crt')}`,
        `--key=${this.authority.path('client.key')}`,
        ...argv,
      ],
      { env: {} },
    );
    return stdout;
  }

  /** Waits until etcdctl finds every member healthy. */
  healthy(): Promise<boolean> {
    return until('local etcd is healthy', async () => {
      await this.etcdctl(['endpoint', 'health'], this.members.map(({ endpoint }) => endpoint).join(','));
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

export class LocalMember {
  readonly name: string;
  readonly endpoint: string;
  readonly peerUrl: string;
  readonly data: string;
  /** What the next start uses; tests may change it. */
  program: string;
  flags: string[];
  private readonly log: string;
  private process: ChildProcess | undefined;

  constructor(init: { name: string; endpoint: string; peerUrl: string; folder: string; program: string }) {
    this.name = init.name;
    this.endpoint = init.endpoint;
    this.peerUrl = init.peerUrl;
    this.data = join(init.folder, `${init.name}.data`);
    this.log = join(init.folder, `${init.name}.log`);
    this.program = init.program;
    this.flags = [];
  }

  async start(): Promise<void> {
    const log = await open(this.log, 'a');
    this.process = spawn(this.program, [`--name=${this.name}`, `--data-dir=${this.data}`, ...this.flags], {
      stdio: ['ignore', log.fd, log.fd],
      env: {},
    });
    await log.close();
  }

  /** Ends the process and waits for it; also a frozen one. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Nothing answers, connections stay open. */
  freeze = () => this.process?.kill('SIGSTOP');
  thaw = () => this.process?.kill('SIGCONT');
  wipe = () => rm(this.data, { recursive: true, force: true });

  /** Puts `--name=value` over a former one. */
  set(flag: string, value: string): void {
    this.flags = [...this.flags.filter((one) => !one.startsWith(`--${flag}=`)), `--${flag}=${value}`];
  }
}

/** Makes certificates and configuration of a new cluster, and starts it unless told otherwise. */
export async function startEtcd(options: LocalOptions = {}): Promise<LocalEtcd> {
  const folder = await mkdtemp(join(tmpdir(), 'kbin-etcd-'));
  const address = options.address ?? '127.0.0.1';
  const scheme = options.scheme ?? 'https';
  const size = options.size ?? 3;
  const authority = options.authority ?? (await Authority.create(join(folder, 'ca')));
  const sans = options.sans ?? `IP:${address}`;
  const server = await authority.issue('server', { sans });
  const peer = await authority.issue('peer', { sans });
  await authority.issue('client');
  const ports = await freePorts(size * 2, address);
  const bracketed = address.includes(':') ? `[${address}]` : address;
  const members = await Promise.all(
    Array.from({ length: size }, async (_, index) => {
      const version = typeof options.version === 'object' ? options.version[index] : options.version;
      return new LocalMember({
        name: `n${index + 1}`,
        endpoint: `${scheme}://${bracketed}:${ports[index * 2]}`,
        peerUrl: `${scheme}://${bracketed}:${ports[index * 2 + 1]}`,
        folder,
        program: join(await etcdRelease(version ?? '3.5.16'), 'etcd'),
      });
    }),
  );
  const initial = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  for (const member of members) {
    member.flags = [
      ...flagsOf(member, initial),
      ...(scheme === 'https' ? tlsFlags(authority.caFile, server, peer) : []),
      ...(options.flags ?? []),
    ];
    await member.start();
  }
  const cluster = new LocalEtcd(folder, authority, members);
  await cluster.healthy();
  return cluster;
}

export function flagsOf(member: LocalMember, initialCluster: string): string[] {
  return [
    `--initial-cluster=${initialCluster}`,
    `--listen-client-urls=${member.endpoint}`,
    `--advertise-client-urls=${member.endpoint}`,
    `--listen-peer-urls=${member.peerUrl}`,
    `--initial-advertise-peer-urls=${member.peerUrl}`,
    '--logger=zap',
    // Two cores that other tests use too: the default of one second loses leaders.
    '--heartbeat-interval=200',
    '--election-timeout=2000',
  ];
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

export function tlsFlags(ca: string, server: Pair, peer: Pair): string[] {
  return [
    `--trusted-ca-file=${ca}`,
    `--cert-file=${server.cert}`,
    `--key-file=${server.key}`,
    '--client-cert-auth=true',
    `--peer-trusted-ca-file=${ca}`,
    `--peer-cert-file=${peer.cert}`,
    `--peer-key-file=${peer.key}`,
    '--peer-client-cert-auth=true',
  ];
}

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number, address: string): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, address, () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

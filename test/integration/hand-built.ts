import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { Check } from '../../src/health/check.ts';
import type { Report } from '../../src/verify/report.ts';
import { programFolder } from '../cli/transcript.ts';
import { Authority } from '../health/authority.ts';
import { etcdRelease } from '../health/etcd-release.ts';
import type { LabHost } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { sendFiles } from './send-files.ts';
import { wipe } from './wipe.ts';

const run = promisify(execFile);

/** Verify's answer, as a CI job sees it. */
export interface Verdict {
  readonly code: number;
  readonly report: Report;
  /** `status id target: message` of everything that is not well. */
  readonly findings: readonly string[];
}

/**
 * Three etcd members as hand-install guides make them, without any of kbin: certificates by cfssl or openssl, copied
 * around; a unit file per host with every setting as a flag; binaries in /opt/etcd.
 */
export class HandBuilt {
  readonly lab: Lab;
  /** The operator's folder: ca.pem, client.pem, client-key.pem. */
  readonly folder: string;
  /** By host name, what its unit file says. */
  readonly flags: ReadonlyMap<string, Map<string, string>>;
  readonly program: string;

  private constructor(lab: Lab, folder: string, program: string) {
    this.lab = lab;
    this.folder = folder;
    this.program = program;
    this.flags = new Map(lab.hosts.map((host) => [host.name, guideFlags(host, lab)]));
  }

  static async create(
    lab: Lab,
    version: '3.4.23' | '3.5.16',
    pki: (built: HandBuilt) => Promise<void>,
  ): Promise<HandBuilt> {
    const folder = await mkdtemp(join(tmpdir(), 'kbin-hand-built-'));
    const built = new HandBuilt(lab, folder, await programFolder());
    await wipe(lab);
    await pki(built);
    await Promise.all(lab.hosts.map((host) => built.installBinaries(host, version)));
    await Promise.all(lab.hosts.map((host) => built.writeUnit(host)));
    await Promise.all(
      lab.hosts.map((host) => host.run('systemctl', 'enable', '--quiet', '--now', 'etcd.service')),
    );
    await built.healthy();
    return built;
  }

  get endpoints(): string[] {
    return this.lab.hosts.map(({ address }) => `https://${address}:2379`);
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Files of the operator's folder onto a host. */
  async copy(host: LabHost, from: readonly string[], to: string): Promise<void> {
    await sendFiles(this.lab, host, this.folder, from, to);
  }

  async installBinaries(host: LabHost, version: '3.4.23' | '3.5.16'): Promise<void> {
    await sendFiles(this.lab, host, await etcdRelease(version), ['etcd', 'etcdctl'], '/opt/etcd/bin');
  }

  async writeUnit(host: LabHost): Promise<void> {
    const flags = [...(this.flags.get(host.name) ?? [])].map(([name, value]) => `  --${name}=${value}`);
    await host.run(
      'sh',
      '-euc',
      'printf %s "$1" >/etc/systemd/system/etcd.service',
      'sh',
      unit(flags.join(' \\\n')),
    );
    await host.run('systemctl', 'daemon-reload');
  }

  /** Changes flags of one member and restarts it; undefined takes a flag away. Does not wait for it to be ready. */
  async configure(host: LabHost, flags: Readonly<Record<string, string | undefined>>): Promise<void> {
    for (const [name, value] of Object.entries(flags)) {
      if (value === undefined) this.flags.get(host.name)?.delete(name);
      else this.flags.get(host.name)?.set(name, value);
    }
    await this.writeUnit(host);
    await host.run('systemctl', 'restart', '--no-block', 'etcd.service');
  }

  async etcdctl(
    argv: readonly string[],
    endpoints: readonly string[] = this.endpoints.slice(0, 1),
  ): Promise<string> {
    const { stdout } = await run(
      join(await etcdRelease('3.5.16'), 'etcdctl'),
      [
        `--endpoints=${endpoints.join(',')}`,
        `--cacert=${this.file('ca.pem')}`,
        `--cert=${this.file('client.pem')}`,
        `--key=${this.file('client-key.pem')}`,
        ...argv,
      ],
      { env: { ETCDCTL_API: '3' } },
    );
    return stdout;
  }

  healthy(): Promise<string> {
    return until('the hand-built cluster is healthy', () =>
      this.etcdctl(['endpoint', 'health'], this.endpoints),
    );
  }

  /** `kbin verify`, the built program, with the flags that somebody who never wrote a cluster.yaml gives. */
  async verify(endpoints: readonly string[] = this.endpoints, ...more: string[]): Promise<Verdict> {
    const argv = [
      ...['verify', '--json', '--endpoints', endpoints.join(','), '--cacert', this.file('ca.pem')],
      ...['--cert', this.file('client.pem'), '--key', this.file('client-key.pem'), ...more],
    ];
    const options = { cwd: this.folder, timeout: 120_000, maxBuffer: 1 << 24 };
    const { code, stdout, stderr } = await run(join(this.program, 'kbin'), argv, options).then(
      (answer) => ({ code: 0, ...answer }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
    if (stdout === '') throw new Error(`kbin verify → ${code}: ${stderr}`);
    const report = JSON.parse(stdout) as Report;
    return { code, report, findings: report.sections.flatMap(({ checks }) => checks.flatMap(finding)) };
  }

  async remove(): Promise<void> {
    await wipe(this.lab);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function finding({ status, id, target, message }: Check): string[] {
  return status === 'fail' || status === 'warn'
    ? [`${status} ${id}${target ? ` ${target}` : ''}: ${message}`]
    : [];
}

function guideFlags(host: LabHost, lab: Lab): Map<string, string> {
  const own = `https://${host.address}`;
  const tls = '/opt/etcd/ssl';
  return new Map([
    ['name', host.name],
    ['data-dir', '/var/lib/etcd/default.etcd'],
    ['listen-peer-urls', `${own}:2380`],
    ['listen-client-urls', `${own}:2379`],
    ['advertise-client-urls', `${own}:2379`],
    ['initial-advertise-peer-urls', `${own}:2380`],
    ['initial-cluster', lab.hosts.map(({ name, address }) => `${name}=https://${address}:2380`).join(',')],
    ['initial-cluster-token', 'etcd-cluster'],
    ['initial-cluster-state', 'new'],
    ['cert-file', `${tls}/server.pem`],
    ['key-file', `${tls}/server-key.pem`],
    ['peer-cert-file', `${tls}/peer.pem`],
    ['peer-key-file', `${tls}/peer-key.pem`],
    ['trusted-ca-file', `${tls}/ca.pem`],
    ['peer-trusted-ca-file', `${tls}/ca.pem`],
    ['client-cert-auth', 'true'],
    ['peer-client-cert-auth', 'true'],
    ['logger', 'zap'],
  ]);
}

const unit = (flags: string): string => `[Unit]
Description=Etcd Server
After=network.target
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart=/opt/etcd/bin/etcd \\
${flags}
Restart=on-failure
RestartSec=1
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;

/**
 * cfssl as the guides have it: one certificate for all hosts, servers and peers and clients alike, with IP addresses and
 * no name.
 */
export async function cfsslPki(built: HandBuilt): Promise<void> {
  const { folder, lab } = built;
  const write = (name: string, content: unknown) => writeFile(built.file(name), JSON.stringify(content));
  const names = [{ C: 'CN', L: 'Beijing', ST: 'Beijing' }];
  await write('ca-config.json', {
    signing: {
      default: { expiry: '87600h' },
      profiles: {
        www: { expiry: '87600h', usages: ['signing', 'key encipherment', 'server auth', 'client auth'] },
      },
    },
  });
  await write('ca-csr.json', { CN: 'etcd CA', key: { algo: 'rsa', size: 2048 }, names });
  const hosts = lab.hosts.map(({ address }) => address);
  await write('server-csr.json', { CN: 'etcd', hosts, key: { algo: 'rsa', size: 2048 }, names });
  const sign =
    'cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json -profile=www server-csr.json';
  await run(
    'sh',
    ['-euc', `cfssl gencert -initca ca-csr.json | cfssljson -bare ca; ${sign} | cfssljson -bare server`],
    { cwd: folder, env: { PATH: `${inject('cfsslDir')}:${process.env.PATH}` } },
  );
  await sharedEtcdPki(built, folder);
}

/** What cfssl made in a folder: ca.pem, and a server.pem that everybody shares. */
export async function sharedEtcdPki(built: HandBuilt, folder: string): Promise<void> {
  if (folder !== built.folder) await copyFile(join(folder, 'ca.pem'), built.file('ca.pem'));
  for (const end of ['.pem', '-key.pem']) {
    for (const name of ['server', 'peer', 'client']) {
      const [from, to] = [join(folder, `server${end}`), built.file(`${name}${end}`)];
      if (from !== to) await copyFile(from, to);
    }
  }
  const files = ['ca.pem', 'server.pem', 'server-key.pem', 'peer.pem', 'peer-key.pem'];
  await Promise.all(built.lab.hosts.map((host) => built.copy(host, files, '/opt/etcd/ssl')));
}

/** openssl, by the book: a certificate of its own for each server, peer and client. */
export class OpensslPki {
  readonly built: HandBuilt;
  readonly authority: Authority;

  private constructor(built: HandBuilt, authority: Authority) {
    this.built = built;
    this.authority = authority;
  }

  static async create(built: HandBuilt): Promise<OpensslPki> {
    const pki = new OpensslPki(built, await Authority.create(built.file('ca')));
    await pki.authority.issue('operator');
    await copyFile(pki.authority.caFile, built.file('ca.pem'));
    await copyFile(pki.authority.path('operator.crt'), built.file('client.pem'));
    await copyFile(pki.authority.path('operator.key'), built.file('client-key.pem'));
    for (const host of built.lab.hosts) {
      await built.copy(host, ['ca.pem'], '/opt/etcd/ssl');
      for (const kind of ['server', 'peer'] as const) await pki.give(host, kind);
    }
    return pki;
  }

  /** A new certificate for a host, in place of its former one. */
  async give(
    host: LabHost,
    kind: 'server' | 'peer',
    leaf: { sans?: string; from?: number; to?: number } = {},
    authority = this.authority,
  ): Promise<void> {
    const issued = await authority.issue(host.name, { sans: `IP:${host.address}`, ...leaf });
    const staged = join(host.name, kind);
    await mkdir(this.built.file(host.name), { recursive: true });
    await copyFile(issued.cert, this.built.file(`${host.name}/${kind}.pem`));
    await copyFile(issued.key, this.built.file(`${host.name}/${kind}-key.pem`));
    await this.built.copy(host, [`${staged}.pem`, `${staged}-key.pem`], '/opt/etcd/ssl');
    await host.sh(`cd /opt/etcd/ssl && mv ${staged}.pem ${kind}.pem && mv ${staged}-key.pem ${kind}-key.pem`);
  }
}

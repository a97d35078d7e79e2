import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadCluster, parseCluster, parseClusterWithWarnings } from '../../src/cluster/load.ts';
import { Mistake } from '../../src/cluster/mistake.ts';
import { exitCode, KbinError } from '../../src/errors.ts';
import { exampleCluster } from './fixture.ts';

const where = { file: 'cluster.yaml', folder: '/home/me/prod', home: '/home/me' };
const exampleText = readFileSync(new URL('example.yaml', import.meta.url), 'utf8');

describe('a good file', () => {
  it('becomes a whole cluster, with every default filled in', () => {
    expect(parseClusterWithWarnings(exampleText, where)).toEqual({ cluster: exampleCluster(), warnings: [] });
  });

  it('may be as small as a name, hosts and a version of etcd', () => {
    const text = 'name: one\nhosts: [{ name: n1, address: 10.0.0.1 }]\netcd: { version: v3.5.16 }\n';
    const cluster = parseCluster(text, where);
    expect(cluster.hosts).toEqual([
      {
        name: 'n1',
        address: '10.0.0.1',
        roles: ['etcd', 'control-plane'],
        architecture: 'amd64',
        ssh: { host: '10.0.0.1', agent: true, connectTimeout: 10, commandTimeout: 120, keepAlive: 5 },
      },
    ]);
    expect([cluster.etcd.version, cluster.etcd.token, cluster.endpoint]).toEqual([
      '3.5.16',
      'one',
      undefined,
    ]);
  });

  it('takes every setting', () => {
    const policy = 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n';
    const read = (path: string) => (path === '/home/me/prod/audit.yaml' ? policy : new Mistake(path));
    const text = readFileSync(new URL('everything.yaml', import.meta.url), 'utf8');
    const cluster = parseCluster(text, { ...where, read });
    expect(cluster).toEqual({
      name: 'all',
      folder: '/home/me/prod',
      hosts: [
        {
          name: 'n1.example.org',
          address: 'fd00::1',
          roles: ['etcd'],
          architecture: 'arm64',
          ssh: {
            host: 'gate.example.org',
            port: 2201,
            user: 'admin',
            identityFile: '/home/me/keys/n1',
            passphraseFile: '/home/me/prod/secrets/n1',
            agent: false,
            jumpHost: 'me@jump.example.org:2200,[fd00::9]',
            knownHosts: '/etc/ssh/known',
            sudoPasswordFile: '/home/me/sudo',
            connectTimeout: 5,
            commandTimeout: 300,
            keepAlive: 15,
          },
        },
        {
          name: 'n2',
          address: 'fd00::2',
          roles: ['control-plane', 'worker', 'load-balancer'],
          architecture: 'amd64',
          ssh: {
            host: 'fd00::2',
            user: 'CORP\\jane',
            agent: false,
            connectTimeout: 5,
            commandTimeout: 90,
            keepAlive: 15,
          },
        },
      ],
      ssh: { parallel: 3, maxClockSkew: 0 },
      etcd: {
        version: '3.5.16',
        source: { kind: 'file', path: '/home/me/prod/etcd.tar.gz', sha256: 'ab'.repeat(32) },
        user: 'etcd-user',
        group: 'etcd-group',
        clientPort: 12379,
        peerPort: 12380,
        token: 'a token',
        heartbeatMs: 200,
        electionMs: 2000,
        snapshotCount: 5000,
        quotaBackendBytes: 2 * 1024 ** 3,
        maxRequestBytes: 1536 * 1024,
        autoCompaction: '1000',
        logLevel: 'debug',
        environment: { ETCD_MAX_SNAPSHOTS: '5' },
        reach: 'ssh',
      },
      kubernetes: {
        version: '1.33.0',
        serviceCidr: 'fd01::/112',
        podCidr: 'fd02::/48',
        dnsDomain: 'k8s.example.org',
        apiserverPort: 7443,
        source: { kind: 'download', url: 'https://mirror.example.org/kubernetes' },
        shutdownDelay: 60,
        encryption: { provider: 'aesgcm', resources: ['secrets', 'configmaps', 'widgets.example.org'] },
        audit: { policy, maxAge: 7, maxBackups: 3, maxSize: 50 },
        components: {
          'kube-apiserver': {
            user: 'kapi',
            flags: { v: ['3'], 'runtime-config': ['api/all=true', 'batch/v1=false'] },
          },
          'kube-controller-manager': { user: 'kcm', flags: { 'node-cidr-mask-size': ['60'] } },
          'kube-scheduler': { user: 'ksched', flags: { 'secure-port': ['12259'] } },
        },
      },
      endpoint: { address: 'api.example.org', port: 443 },
      pki: {
        key: 'rsa-3072',
        validity: { ca: 30 * 8760, leaf: 8760 + 24, crl: 30 * 24 },
        subject: { C: 'DE', ST: 'Bayern', L: 'München', O: 'Example', OU: 'Ops' },
        reserve: ['fd00::3', 'n3.example.org'],
        offline: ['kubernetes-ca'],
        extraSans: { apiserver: ['*.example.org', '10.0.0.1'] },
      },
      paths: {
        units: '/usr/lib/systemd/system',
        etcd: {
          bin: '/srv/etcd/bin',
          config: '/opt/etcd/cfg/etcd.conf',
          tls: '/srv/etcd/tls',
          data: '/srv/etcd/data',
          wal: '/fast/etcd-wal',
        },
        kubernetes: {
          bin: '/srv/etcd/bin',
          config: '/srv/kubernetes',
          tls: '/srv/kubernetes/pki',
          audit: '/srv/log',
        },
      },
    });
  });

  it('knows where binaries come from by how the source is written', () => {
    const source = (text: string) =>
      parseCluster(
        `name: a\nhosts: [{ name: n, address: 10.0.0.1 }]\netcd: { version: 3.6.5, source: ${text} }`,
        where,
      ).etcd.source;
    expect(source('download')).toEqual({ kind: 'download' });
    expect(source('~/etcd')).toEqual({ kind: 'file', path: '/home/me/etcd' });
    expect(source('../etcd')).toEqual({ kind: 'file', path: '/home/me/etcd' });
    expect(source('"https://mirror.example.org/etcd/"')).toEqual({
      kind: 'download',
      url: 'https://mirror.example.org/etcd',
    });
    expect(source(`{ url: "http://m", sha512: ${'CD'.repeat(64)} }`)).toEqual({
      kind: 'download',
      url: 'http://m',
      sha512: 'cd'.repeat(64),
    });
    expect(source(`{ sha256: ${'0'.repeat(64)} }`)).toEqual({ kind: 'download', sha256: '0'.repeat(64) });
  });

  it('may use anchors and merge keys', () => {
    const text = `name: a
hosts:
  - &base { name: n1, address: 10.0.0.1, roles: &both [etcd, worker], ssh: &ssh { user: me, port: 2222 } }
  - { <<: *base, name: n2, address: 10.0.0.2 }
  - { name: n3, address: 10.0.0.3, roles: *both, ssh: { <<: [*ssh], port: 22 } }
etcd: { version: 3.6.5 }
`;
    expect(parseCluster(text, where).hosts.map(({ roles, ssh }) => [roles, ssh.user, ssh.port])).toEqual([
      [['etcd', 'worker'], 'me', 2222],
      [['etcd', 'worker'], 'me', 2222],
      [['etcd', 'worker'], 'me', 22],
    ]);
  });

  it('takes the layout opt, and single paths over it', () => {
    const paths = (text: string) =>
      parseCluster(
        `name: a\nhosts: [{ name: n, address: 10.0.0.1 }]\netcd: { version: 3.6.5 }\npaths: ${text}`,
        where,
      ).paths;
    const opt = {
      units: '/etc/systemd/system',
      etcd: {
        bin: '/opt/etcd/bin',
        config: '/opt/etcd/cfg/etcd.conf',
        tls: '/opt/etcd/ssl',
        data: '/var/lib/etcd/default.etcd',
      },
      kubernetes: {
        bin: '/opt/kubernetes/bin',
        config: '/opt/kubernetes/cfg',
        tls: '/opt/kubernetes/ssl',
        audit: '/opt/kubernetes/logs',
      },
    };
    expect(paths('opt')).toEqual(opt);
    expect(paths('{ layout: opt }')).toEqual(opt);
    expect(paths('{ layout: opt, etcd: { data: /data/etcd } }')).toEqual({
      ...opt,
      etcd: { ...opt.etcd, data: '/data/etcd' },
    });
  });

  it('lets a cluster of one host live on loopback', () => {
    const text = 'name: a\nhosts: [{ name: n, address: 127.0.0.1 }]\netcd: { version: 3.6.5 }\n';
    expect(parseCluster(text, where).hosts[0]?.address).toBe('127.0.0.1');
  });
});

describe('a file that cannot be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kbin-load-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  async function failure(name: string): Promise<unknown> {
    const error = await loadCluster(join(folder, name)).catch((reason: unknown) => reason);
    if (!(error instanceof KbinError)) throw error;
    const { cause: _cause, ...details } = error.details;
    return { message: error.message.replaceAll(folder, '/f'), ...details };
  }

  it('is missing', async () => {
    expect(await failure('none.yaml')).toEqual({
      message: 'cannot read /f/none.yaml',
      why: 'there is no such file',
      next: 'write one with "kbin init", or name yours with --config FILE or $KBIN_CONFIG',
      exit: exitCode.usage,
    });
  });

  it('is a folder', async () => {
    mkdirSync(join(folder, 'folder'));
    expect(await failure('folder')).toEqual({
      message: 'cannot read /f/folder',
      why: 'it is a folder',
      next: 'name the file in it, such as cluster.yaml',
      exit: exitCode.usage,
    });
  });

  it('is empty, or holds comments only', async () => {
    for (const text of ['', '\n\n', '# name: prod\n', '---\n', 'null\n']) {
      writeFileSync(join(folder, 'empty.yaml'), text);
      expect(await failure('empty.yaml')).toEqual({
        message: '/f/empty.yaml is empty',
        next: 'describe the cluster in it: a name and hosts; "kbin init" writes one that explains every setting',
        exit: exitCode.usage,
      });
    }
  });

  it('is no text', async () => {
    writeFileSync(join(folder, 'binary.yaml'), Buffer.from([0x6e, 0xff, 0xfe, 0x0a]));
    expect(await failure('binary.yaml')).toEqual({
      message: '/f/binary.yaml is not UTF-8 text',
      next: 'save it as UTF-8, or name the right file',
      exit: exitCode.usage,
    });
  });

  it('is huge', async () => {
    writeFileSync(join(folder, 'huge.yaml'), `# ${'x'.repeat(1024 * 1024)}`);
    expect(await failure('huge.yaml')).toMatchObject({
      message: '/f/huge.yaml is too large',
      exit: exitCode.usage,
    });
  });
});

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BinaryRequest } from '../../src/binaries/request.ts';
import { resolveBinaries } from '../../src/binaries/resolve.ts';
import { KbinError } from '../../src/errors.ts';

vi.setConfig({ testTimeout: 60_000 });

const version = '3.5.16';
const name = `etcd-v${version}-linux-amd64`;
/** What scripts/etcd.sh made for the integration tests. */
const cached = join(
  process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache'),
  'kbin/test',
  `${name}.tar.gz`,
);
let dir: string;
let server: Server | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kbin-binaries-'));
});
afterEach(async () => {
  rmSync(dir, { recursive: true, force: true });
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

/** A program as far as kbin looks: an ELF header for a machine (62: amd64, 183: arm64), a version, and some bytes. */
function program(text: string, machine = 62): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(machine, 18);
  return Buffer.concat([header, Buffer.from(`${'x'.repeat(100_000)}${text} ${version}`)]);
}

function release(folder = name, machine = 62): string {
  const path = join(dir, 'release', folder);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'etcd'), program('etcd', machine), { mode: 0o755 });
  writeFileSync(join(path, 'etcdctl'), program('etcdctl', machine), { mode: 0o755 });
  writeFileSync(join(path, 'README.md'), 'not a program');
  return path;
}

function tarball(folder = name, machine = 62): string {
  release(folder, machine);
  const path = join(dir, `${folder}.tar.gz`);
  execFileSync('tar', ['-czf', path, '-C', join(dir, 'release'), folder]);
  return path;
}

function request(source: BinaryRequest['source'], more: Partial<BinaryRequest> = {}): BinaryRequest {
  return {
    component: 'etcd',
    version,
    architecture: 'amd64',
    source,
    env: { XDG_CACHE_HOME: join(dir, 'cache') },
    ...more,
  };
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

async function failure(source: BinaryRequest['source'], more: Partial<BinaryRequest> = {}): Promise<string> {
  const error = await resolveBinaries(request(source, more)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KbinError);
  const { message, details } = error as KbinError;
  expect(details.next).toBeTruthy();
  return `${message}: ${details.why}`.replaceAll(dir, 'DIR');
}

async function contents(source: BinaryRequest['source']): Promise<Record<string, string>> {
  const found = await resolveBinaries(request(source));
  return Object.fromEntries(
    [...found].map(([program, { path, sha256: digest, size }]) => {
      const bytes = readFileSync(path);
      expect({ digest, size }).toEqual({ digest: sha256(bytes), size: bytes.length });
      return [program, digest];
    }),
  );
}

const wanted = { etcd: sha256(program('etcd')), etcdctl: sha256(program('etcdctl')) };

describe('where binaries come from', () => {
  it('a tarball, a folder with the programs, and folders with the release or its tarball are the same', async () => {
    const path = tarball();
    expect(await contents({ kind: 'file', path })).toEqual(wanted);
    expect(await contents({ kind: 'file', path: dir })).toEqual(wanted);
    expect(await contents({ kind: 'file', path: join(dir, 'release') })).toEqual(wanted);
    expect(await contents({ kind: 'file', path: join(dir, 'release', name) })).toEqual(wanted);
  });

  it('a program of the cache that was changed is unpacked again, also when its time stamps hide it', async () => {
    const path = tarball();
    const found = await resolveBinaries(request({ kind: 'file', path }));
    const etcd = found.get('etcd')?.path ?? '';
    const bytes = readFileSync(etcd);
    bytes[80_000] = 0;
    writeFileSync(etcd, bytes);
    utimesSync(etcd, new Date(0), new Date(0));
    expect(await contents({ kind: 'file', path })).toEqual(wanted);
  });

  it('two runs at once share one cache and leave nothing half-made', async () => {
    const path = tarball();
    const runs = await Promise.all([1, 2, 3, 4].map(() => contents({ kind: 'file', path })));
    expect(runs).toEqual([wanted, wanted, wanted, wanted]);
    expect(readdirSync(join(dir, 'cache/kbin/binaries/unpacked'))).toHaveLength(1);
  });

  it.skipIf(!existsSync(cached))('a real release is what it says', async () => {
    const found = await resolveBinaries(request({ kind: 'file', path: cached }));
    expect([...found.keys()]).toEqual(['etcd', 'etcdctl', 'etcdutl']);
    const output = execFileSync(found.get('etcd')?.path ?? '', ['--version'], { encoding: 'utf8' });
    expect(output).toContain(`etcd Version: ${version}`);
  });
});

describe('what is refused', () => {
  it('says what is wrong with a tarball', async () => {
    const path = tarball();
    const pinned = { kind: 'file', path, sha256: '0'.repeat(64) } as const;
    expect(await failure(pinned)).toBe(
      `DIR/${name}.tar.gz has the wrong checksum: wanted ${'0'.repeat(64)}, found ${sha256(readFileSync(path))}: it is damaged, or not what it says it is`,
    );
    truncateSync(path, readFileSync(path).length - 100);
    expect(await failure({ kind: 'file', path })).toBe(
      `DIR/${name}.tar.gz is not a usable release: it ends too early: the download or copy was cut off`,
    );
    writeFileSync(path, 'no tarball at all');
    expect(await failure({ kind: 'file', path })).toBe(
      `DIR/${name}.tar.gz is not a usable release: it is not a gzip-compressed tarball, or it is damaged`,
    );
    expect(readdirSync(join(dir, 'cache/kbin/binaries')).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it('says which release it is, and which was wanted', async () => {
    const path = tarball('etcd-v3.4.23-linux-amd64');
    expect(await failure({ kind: 'file', path })).toBe(
      `DIR/etcd-v3.4.23-linux-amd64.tar.gz holds etcd-v3.4.23-linux-amd64: cluster.yaml asks for ${name}`,
    );
  });

  it('says when a tarball is another program altogether', async () => {
    mkdirSync(join(dir, 'other', 'Documentation'), { recursive: true });
    writeFileSync(join(dir, 'other', 'Documentation', 'etcd'), 'a text about it');
    const path = join(dir, 'other.tar.gz');
    execFileSync('tar', ['-czf', path, '-C', dir, 'other']);
    expect(await failure({ kind: 'file', path })).toBe(
      'DIR/other.tar.gz holds no etcd and etcdctl: it is not the official release of etcd for servers, or not laid out like one',
    );
  });

  it('looks into the programs for their architecture and version', async () => {
    const arm = release(name, 183);
    expect(await failure({ kind: 'file', path: arm })).toMatch(
      /^DIR\/release\/.*\/etcd(ctl)? does not run on amd64 hosts: it was built for arm64$/,
    );
    const folder = release();
    expect(await failure({ kind: 'file', path: folder }, { version: '3.5.17' })).toBe(
      `DIR/release/${name}/etcd is not etcd 3.5.17: the text 3.5.17 is nowhere in it`,
    );
    writeFileSync(join(folder, 'etcd'), '#!/bin/sh\n');
    expect(await failure({ kind: 'file', path: folder })).toContain(
      'it is not a Linux program (no ELF header)',
    );
  });

  it('says what is not there', async () => {
    expect(await failure({ kind: 'file', path: join(dir, 'nowhere') })).toBe(
      'DIR/nowhere does not exist: cluster.yaml names it as `etcd.source`',
    );
    const folder = release();
    rmSync(join(folder, 'etcdctl'));
    expect(await failure({ kind: 'file', path: folder })).toBe(
      `No etcdctl for linux-amd64 in DIR/release/${name}: neither the programs themselves nor the release are there`,
    );
  });

  it('takes nothing from a tarball but the programs, whatever paths it holds', async () => {
    const evil = join(dir, 'evil', name);
    cpSync(release(), evil, { recursive: true });
    mkdirSync(join(dir, 'evil', 'x'));
    writeFileSync(join(dir, 'evil', 'x', 'escaped'), 'x');
    const path = join(dir, 'evil.tar.gz');
    execFileSync('tar', [
      '-czf',
      path,
      '-C',
      join(dir, 'evil'),
      '--transform',
      's,^x/,../../../,',
      '-P',
      name,
      'x/escaped',
    ]);
    const found = await resolveBinaries(request({ kind: 'file', path }));
    expect([...found.keys()]).toEqual(['etcd', 'etcdctl']);
    expect(execFileSync('find', [dir, '-name', 'escaped'], { encoding: 'utf8' }).trim().split('\n')).toEqual([
      join(dir, 'evil/x/escaped'),
    ]);
  });
});

describe('the official download', () => {
  type Answer = (path: string, count: number) => { status?: number; body?: string | Buffer; cut?: boolean };

  async function serve(answer: Answer): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    server = createServer((incoming, outgoing) => {
      const path = incoming.url ?? '';
      asked.push(path);
      const { status = 200, body = '', cut } = answer(path, asked.filter((one) => one === path).length);
      outgoing.writeHead(status, { 'content-length': Buffer.byteLength(body) });
      if (cut === true) outgoing.write(Buffer.from(body).subarray(0, 300), () => outgoing.destroy());
      else outgoing.end(body);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/etcd/`, asked };
  }

  it('is verified against the published checksum, kept, and not asked for again', async () => {
    const bytes = readFileSync(tarball());
    const { url, asked } = await serve((path) =>
      path.endsWith('SHA256SUMS')
        ? { body: `${'1'.repeat(64)}  other.tar.gz\n${sha256(bytes)}  ${name}.tar.gz\n` }
        : { body: bytes },
    );
    expect(await contents({ kind: 'download', url })).toEqual(wanted);
    expect(await contents({ kind: 'download', url })).toEqual(wanted);
    expect(asked).toEqual([`/etcd/v${version}/SHA256SUMS`, `/etcd/v${version}/${name}.tar.gz`]);
  });

  it('is tried again when the line drops or the server fails', async () => {
    const bytes = readFileSync(tarball());
    const { url, asked } = await serve((path, count) => {
      if (path.endsWith('SHA256SUMS'))
        return count === 1 ? { status: 503 } : { body: `${sha256(bytes)}  ${name}.tar.gz\n` };
      return { body: bytes, cut: count === 1 };
    });
    expect(await contents({ kind: 'download', url })).toEqual(wanted);
    expect(asked).toHaveLength(4);
  });

  it('with a wrong checksum is refused and not kept', async () => {
    const bytes = readFileSync(tarball());
    const { url } = await serve((path) =>
      path.endsWith('SHA256SUMS') ? { body: `${'2'.repeat(64)} *${name}.tar.gz\n` } : { body: bytes },
    );
    expect(await failure({ kind: 'download', url })).toContain(
      `has the wrong checksum: wanted ${'2'.repeat(64)}`,
    );
    expect(existsSync(join(dir, 'cache/kbin/binaries/downloads', `${name}.tar.gz`))).toBe(false);
  });

  it('says when there is no such release, no checksum, or no way there', async () => {
    const missing = await serve(() => ({ status: 404 }));
    expect(await failure({ kind: 'download', url: missing.url })).toContain(
      'there is no such release (HTTP 404)',
    );
    await new Promise((resolve) => server?.close(resolve));
    const empty = await serve(() => ({ body: 'nothing\n' }));
    expect(await failure({ kind: 'download', url: empty.url })).toContain(
      `names no checksum for ${name}.tar.gz`,
    );
    await new Promise((resolve) => server?.close(resolve));
    expect(await failure({ kind: 'download', url: empty.url })).toContain('ECONNREFUSED');
  });

  it('is taken without published checksums where cluster.yaml pins the digest', async () => {
    const bytes = readFileSync(tarball());
    const { url, asked } = await serve(() => ({ body: bytes }));
    const sha512 = createHash('sha512').update(bytes).digest('hex');
    expect(await contents({ kind: 'download', url, sha512 })).toEqual(wanted);
    expect(asked).toEqual([`/etcd/v${version}/${name}.tar.gz`]);
    expect(await failure({ kind: 'download', url, sha256: '3'.repeat(64) })).toContain(
      'has the wrong checksum',
    );
  });

  it('of one mirror never stands in for that of another', async () => {
    const bytes = readFileSync(tarball());
    const mirror = await serve((path) =>
      path.endsWith('SHA256SUMS') ? { body: `${sha256(bytes)}  ${name}.tar.gz\n` } : { body: bytes },
    );
    expect(await contents({ kind: 'download', url: mirror.url })).toEqual(wanted);
    const other = { kind: 'download', url: mirror.url.replace('/etcd/', '/other') } as const;
    expect(await contents(other)).toEqual(wanted);
    expect(mirror.asked.slice(2)).toEqual([
      `/other/v${version}/SHA256SUMS`,
      `/other/v${version}/${name}.tar.gz`,
    ]);
  });
});

describe('kubernetes', () => {
  const programs = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'kubelet'];
  const kubernetes = { component: 'kubernetes', version } as const;

  function serverTarball(): string {
    const folder = join(dir, 'k8s', 'kubernetes', 'server', 'bin');
    mkdirSync(folder, { recursive: true });
    for (const one of [...programs, 'mounter']) writeFileSync(join(folder, one), program(one));
    // Beside the programs the official tarball has images of the same names, and sources.
    writeFileSync(join(folder, 'kube-apiserver.tar'), 'an image');
    writeFileSync(join(dir, 'k8s', 'kubernetes', 'kubernetes-src.tar.gz'), 'sources');
    const path = join(dir, 'kubernetes-server-linux-amd64.tar.gz');
    execFileSync('tar', ['-czf', path, '-C', join(dir, 'k8s'), 'kubernetes']);
    return path;
  }

  it('the server tarball, the folder it was unpacked in or to, and the folder of the programs', async () => {
    const path = serverTarball();
    const places = [
      path,
      dir,
      join(dir, 'k8s'),
      join(dir, 'k8s/kubernetes'),
      join(dir, 'k8s/kubernetes/server/bin'),
    ];
    for (const place of places) {
      const found = await resolveBinaries(request({ kind: 'file', path: place }, kubernetes));
      expect([...found.keys()]).toEqual(programs);
      expect(found.get('kubelet')?.sha256).toBe(sha256(program('kubelet')));
    }
  });

  it('the official download has its digest alone in a file beside it', async () => {
    const bytes = readFileSync(serverTarball());
    const digest = createHash('sha512').update(bytes).digest('hex');
    const asked: string[] = [];
    server = createServer((incoming, outgoing) => {
      asked.push(incoming.url ?? '');
      outgoing.end(incoming.url?.endsWith('.sha512') ? digest : bytes);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const found = await resolveBinaries(request({ kind: 'download', url }, kubernetes));
    expect([...found.keys()]).toEqual(programs);
    const file = `/v${version}/kubernetes-server-linux-amd64.tar.gz`;
    expect(asked).toEqual([`${file}.sha512`, file]);
  });
});

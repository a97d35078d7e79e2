import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fingerprint, type HostKey, hostKey, hostKeyAlgorithms } from '../../src/remote/host-key.ts';
import { judge, knownTypes, parseKnownHosts } from '../../src/remote/known-hosts.ts';
import { temporaryFolder } from './temporary-folder.ts';

function newKey(type: 'ed25519' | 'ecdsa' | 'rsa'): HostKey & { line: string; printed: string } {
  const file = join(temporaryFolder(), type);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', file]);
  const line = readFileSync(`${file}.pub`, 'utf8').trim();
  const printed =
    execFileSync('ssh-keygen', ['-lf', `${file}.pub`])
      .toString()
      .split(' ')[1] ?? '';
  return { ...hostKey(Buffer.from(line.split(' ')[1] ?? '', 'base64')), line, printed };
}

const at22 = (name: string) => ({ name, port: 22 });

test('fingerprints and types are the ones that ssh-keygen prints', () => {
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const key = newKey(type);
    expect(fingerprint(key.blob)).toBe(key.printed);
    expect(key.type).toBe(key.line.split(' ')[0]);
  }
});

describe('judge', () => {
  test('plain names, lists, wildcards, negation and ports', () => {
    const key = newKey('ed25519');
    const entries = parseKnownHosts(
      [
        '# a comment',
        '',
        'not a line',
        `node1,192.168.1.1 ${key.line} comment here`,
        `*.example.org,!db.example.org ${key.line}`,
        `[node2]:2222 ${key.line}`,
        `fe80::1 ${key.line}`,
      ].join('\n'),
      'kh',
    );
    const kind = (name: string, port = 22) => judge(entries, { name, port }, key).kind;
    expect(kind('node1')).toBe('known');
    expect(kind('NODE1')).toBe('known');
    expect(kind('192.168.1.1')).toBe('known');
    expect(kind('fe80::1')).toBe('known');
    expect(kind('web.example.org')).toBe('known');
    expect(kind('db.example.org')).toBe('unknown');
    expect(kind('node2', 2222)).toBe('known');
    expect(kind('node2')).toBe('unknown');
    // As OpenSSH: a key that is known for the bare name is good on another port too.
    expect(kind('node1', 2222)).toBe('known');
    expect(judge(entries, at22('node1'), key)).toMatchObject({ by: { place: 'kh:4' } });
  });

  test('another key for a known host is a change, whatever its type, with the lines that know it', () => {
    const [mine, theirs, rsa] = [newKey('ed25519'), newKey('ed25519'), newKey('rsa')];
    const entries = parseKnownHosts(`node1 ${mine.line}\nnode1 ${rsa.line}\n`, 'kh');
    expect(judge(entries, at22('node1'), theirs)).toMatchObject({
      kind: 'changed',
      by: [{ place: 'kh:1' }, { place: 'kh:2' }],
    });
    expect(judge(entries, at22('node1'), newKey('ecdsa')).kind).toBe('changed');
    expect(judge(entries, at22('node1'), rsa).kind).toBe('known');
    // What is known about the bare name says nothing against another server on another port of it.
    expect(judge(entries, { name: 'node1', port: 2222 }, theirs).kind).toBe('unknown');
  });

  test('a revoked key is refused even where another line knows it', () => {
    const key = newKey('ed25519');
    const entries = parseKnownHosts(`node1 ${key.line}\n@revoked * ${key.line}\n`, 'kh');
    expect(judge(entries, at22('node1'), key)).toMatchObject({ kind: 'revoked', by: { place: 'kh:2' } });
    expect(judge(entries, { name: 'x', port: 2222 }, key).kind).toBe('revoked');
  });

  test('a certificate authority vouches for nothing here', () => {
    const authority = newKey('ed25519');
    const entries = parseKnownHosts(`@cert-authority *.example.org ${authority.line}\n`, 'kh');
    for (const key of [authority, newKey('ed25519')]) {
      expect(judge(entries, at22('a.example.org'), key)).toMatchObject({
        kind: 'unknown',
        authorities: [{ place: 'kh:1' }],
      });
    }
    expect(judge(entries, at22('elsewhere'), authority)).toEqual({ kind: 'unknown', authorities: [] });
  });

  test('a line with a marker that kbin does not know is none', () => {
    const key = newKey('ed25519');
    expect(judge(parseKnownHosts(`@trusted node1 ${key.line}`, 'kh'), at22('node1'), key).kind).toBe(
      'unknown',
    );
  });

  test('what ssh-keygen -H hashed is found where ssh-keygen -F finds it', () => {
    const file = join(temporaryFolder(), 'known_hosts');
    const [one, two, three] = [newKey('ed25519'), newKey('ecdsa'), newKey('rsa')];
    writeFileSync(file, `node1,10.0.0.1 ${one.line}\n[node2]:2222 ${two.line}\n::1 ${three.line}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'pipe' });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('node1');
    const entries = parseKnownHosts(text, file);
    const cases = [
      ['node1', 22, one],
      ['10.0.0.1', 22, one],
      ['node2', 2222, two],
      ['::1', 22, three],
      ['node3', 22, one],
      ['node2', 2223, two],
    ] as const;
    for (const [name, port, key] of cases) {
      let found = true;
      try {
        execFileSync('ssh-keygen', ['-F', port === 22 ? name : `[${name}]:${port}`, '-f', file], {
          stdio: 'pipe',
        });
      } catch {
        found = false;
      }
      expect([name, judge(entries, { name, port }, key).kind]).toEqual([name, found ? 'known' : 'unknown']);
    }
  });
});

test('key types by which a host is known are offered first; SHA-1 never is', () => {
  const [ecdsa, rsa] = [newKey('ecdsa'), newKey('rsa')];
  const entries = parseKnownHosts(
    `node1 ${rsa.line}\n[node1]:2222 ${ecdsa.line}\n@revoked node1 ${ecdsa.line}`,
    'kh',
  );
  expect(knownTypes(entries, at22('node1'))).toEqual(['ssh-rsa']);
  expect(knownTypes(entries, { name: 'node1', port: 2222 })).toEqual(['ecdsa-sha2-nistp256', 'ssh-rsa']);
  expect(hostKeyAlgorithms(['ssh-rsa'])).toEqual([
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
  ]);
  expect(hostKeyAlgorithms(['ssh-dss'])).not.toContain('ssh-rsa');
});

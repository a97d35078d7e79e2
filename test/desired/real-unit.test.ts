/** etcd.service as systemd reads it: `systemd-analyze verify` says nothing of a good unit, and exits 0 even for a bad one. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { layouts } from '../../src/cluster/layouts.ts';
import { desire } from '../../src/desired/desire.ts';
import { exampleCluster } from '../cluster/fixture.ts';
import { fullStore } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'kbin-unit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const there = spawnSync('systemd-analyze', ['--version']).status === 0;

function unitText(bin: string): string {
  const cluster = exampleCluster({ paths: { ...layouts.fhs, etcd: { ...layouts.fhs.etcd, bin } } });
  const [host] = cluster.hosts;
  const files = host && desire(cluster, host, { store: fullStore() }).components[0]?.files;
  const content = files?.find(({ path }) => path.endsWith('/etcd.service'))?.content;
  if (content?.kind !== 'text') throw new Error('no unit');
  return content.text;
}

function verify(text: string): string {
  const file = join(folder, 'etcd.service');
  writeFileSync(file, text);
  const { stdout, stderr } = spawnSync('systemd-analyze', ['--man=no', 'verify', file], { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

describe.runIf(there)('systemd', () => {
  const bin = join(folder, '100%');
  writeFileSync(join(folder, 'etcd'), '#!/bin/sh\n', { mode: 0o755 });

  test('has nothing to say against the unit', () => {
    expect(verify(unitText(folder))).toBe('');
  });

  test('would have: a misspelt word, a program that is not there', () => {
    expect(verify(unitText(folder).replace(/^Restart=always/m, 'Restart=alway'))).toContain('alway');
    expect(verify(unitText(bin))).toContain(`${bin}/etcd`);
  });
});

/** The units as systemd reads them: `systemd-analyze verify` says nothing of a good unit, and exits 0 even for a bad one. */
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

const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

function unitText(name: string, bin: string): string {
  const { etcd, kubernetes } = layouts.fhs;
  const paths = { ...layouts.fhs, etcd: { ...etcd, bin }, kubernetes: { ...kubernetes, bin } };
  // A low port and words that need quotes bring out what the units have beside the usual.
  const flags = { 'kube-api-content-type': [`a "b" 'c' $d %e \\f ; #`], 'secure-port': ['257'] };
  const components = {
    'kube-apiserver': { flags: {} },
    'kube-controller-manager': { flags },
    'kube-scheduler': {},
  };
  const cluster = exampleCluster({ paths, kubernetes: { apiserverPort: 443, components } });
  const [host] = cluster.hosts;
  const all = host && desire(cluster, host, { store: fullStore() }).components;
  const files = all?.find((component) => component.name === name)?.files;
  const content = files?.find(({ path }) => path.endsWith(`/${name}.service`))?.content;
  if (content?.kind !== 'text') throw new Error('no unit');
  return content.text;
}

function verify(name: string, text: string): string {
  const file = join(folder, `${name}.service`);
  writeFileSync(file, text);
  const { stdout, stderr } = spawnSync('systemd-analyze', ['--man=no', 'verify', file], { encoding: 'utf8' });
  return `${stdout}${stderr}`;
}

describe.runIf(there).each(names)('systemd on %s', (name) => {
  const bin = join(folder, '100%');
  writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 });

  test('has nothing to say against the unit', () => {
    expect(verify(name, unitText(name, folder))).toBe('');
  });

  test('would have: a misspelt word, a program that is not there', () => {
    expect(verify(name, unitText(name, folder).replace(/^Restart=always/m, 'Restart=alway'))).toContain(
      'alway',
    );
    expect(verify(name, unitText(name, bin))).toContain(`${bin}/${name}`);
  });
});

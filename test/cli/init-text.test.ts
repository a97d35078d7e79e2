import { describe, expect, it } from 'vitest';
import { type Answers, clusterYaml } from '../../src/cli/init-text.ts';
import { parseClusterWithWarnings } from '../../src/cluster/load.ts';
import { clusterShape } from '../../src/cluster/schema.ts';

const where = { file: 'cluster.yaml', folder: '/x', home: '/home/me' };

const bare: Answers = {
  name: 'prod',
  hosts: [1, 2, 3].map((n) => ({ name: `n${n}`, address: `10.0.0.${n}`, roles: ['etcd', 'control-plane'] })),
  etcdVersion: '3.6.5',
  kubernetesVersion: '1.34.1',
  layout: 'fhs',
};

const full: Answers = {
  ...bare,
  hosts: [{ name: 'n1', address: 'fd00::1', roles: ['etcd'] }],
  layout: 'opt',
  sshUser: 'ops',
  sshKey: '~/keys/a key: #1',
  etcdSource: '{odd} path',
  endpoint: { address: 'fd00::9', port: 16443 },
};

/** `# key: value` with the mark taken away; prose, and the examples of whole hosts and endpoints, stay comments. */
function uncommented(text: string): string {
  return text.replaceAll(/^( *)# ( *[A-Za-z]+:( .*)?)$/gm, (line, indent: string, setting: string) =>
    setting.startsWith('endpoint:') || prose.test(setting) ? line : `${indent}${setting}`,
  );
}
const prose = /^(fhs|hosts?|as): /;

describe.each(Object.entries({ bare, full }))('the file that init writes (%s)', (_name, answers) => {
  const text = clusterYaml(answers);

  it('loads without a warning, and says what was answered', () => {
    const { cluster, warnings } = parseClusterWithWarnings(text, where);
    expect(warnings).toEqual([]);
    expect(cluster.hosts.map(({ name, address, roles }) => ({ name, address, roles }))).toEqual(
      answers.hosts,
    );
    expect([cluster.name, cluster.etcd.version, cluster.kubernetes.version]).toEqual([
      'prod',
      '3.6.5',
      '1.34.1',
    ]);
  });

  it('shows defaults that are the defaults: with all of them uncommented the cluster is the same', () => {
    const every = uncommented(text);
    expect(every).not.toBe(text);
    expect(parseClusterWithWarnings(every, where)).toEqual(parseClusterWithWarnings(text, where));
  });
});

it('keeps odd paths and addresses as they were given', () => {
  const { cluster } = parseClusterWithWarnings(clusterYaml(full), where);
  expect([cluster.hosts[0]?.ssh.user, cluster.hosts[0]?.ssh.identityFile]).toEqual([
    'ops',
    '/home/me/keys/a key: #1',
  ]);
  expect(cluster.etcd.source).toEqual({ kind: 'file', path: '/x/{odd} path' });
  expect(cluster.endpoint).toEqual({ address: 'fd00::9', port: 16443 });
  expect(cluster.paths.etcd.bin).toBe('/opt/etcd/bin');
});

it('names every key of the schema', () => {
  const text = clusterYaml(full);
  const unnamed = keysOf(clusterShape).filter((key) => !new RegExp(`\\b${key}\\b`).test(text));
  // A cluster that kbin did not deploy has no place in a file that init writes.
  expect(unnamed).toEqual(['external', 'endpoints', 'cert']);
});

/** Every key of a zod/mini schema, however deep. */
function keysOf(schema: unknown): string[] {
  const { def } = (schema as { _zod: { def: Record<string, unknown> } })._zod;
  const inner = [def.innerType, def.element, def.valueType, def.in, def.out].filter(
    (part) => part !== undefined,
  );
  const own = Object.entries((def.shape as Record<string, unknown> | undefined) ?? {});
  return [...own.flatMap(([key, part]) => [key, ...keysOf(part)]), ...inner.flatMap((part) => keysOf(part))];
}

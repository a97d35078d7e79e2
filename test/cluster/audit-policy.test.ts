import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadClusterWithWarnings, parseCluster } from '../../src/cluster/load.ts';
import { KbinError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'kbin-audit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const head = 'name: a\nhosts: [{ name: n, address: 10.0.0.1 }]\netcd: { version: 3.6.5 }\n';
const good = '# who did what\napiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n  - level: Metadata\n';

/** What is said of a policy of this text. */
async function said(
  policy: string | Uint8Array,
  kubernetes = '{ version: 1.34.1, audit: policy.yaml }',
): Promise<string[]> {
  writeFileSync(join(folder, 'policy.yaml'), policy);
  writeFileSync(join(folder, 'cluster.yaml'), `${head}kubernetes: ${kubernetes}\n`);
  return failure();
}

async function failure(): Promise<string[]> {
  try {
    return [...(await loadClusterWithWarnings(join(folder, 'cluster.yaml'))).warnings];
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.replace(join(folder, 'cluster.yaml'), 'c.yaml').replaceAll(folder, '/f'));
  }
}

describe('an audit policy', () => {
  it('becomes part of the cluster, comments and all, with the limits of the log', async () => {
    expect(await said(good)).toEqual([]);
    const { cluster } = await loadClusterWithWarnings(join(folder, 'cluster.yaml'));
    expect(cluster.kubernetes.audit).toEqual({ policy: good, maxAge: 30, maxBackups: 10, maxSize: 100 });
  });

  it('is read from beside cluster.yaml, from home, or from anywhere', () => {
    const asked: string[] = [];
    const read = (path: string) => {
      asked.push(path);
      return good;
    };
    for (const path of ['audit.yaml', '../audit.yaml', '~/audit.yaml', '/etc/audit.yaml']) {
      parseCluster(`${head}kubernetes: { audit: { policy: ${path} } }`, {
        file: 'c',
        folder: '/x/y',
        home: '/home/me',
        read,
      });
    }
    expect(asked).toEqual(['/x/y/audit.yaml', '/x/audit.yaml', '/home/me/audit.yaml', '/etc/audit.yaml']);
  });

  it('is not read when there is none', () => {
    const read = () => {
      throw new Error('nothing to read');
    };
    const audit = (text: string) =>
      parseCluster(`${head}kubernetes: { ${text} }`, { file: 'c', folder: '/x', read }).kubernetes.audit;
    expect(audit('audit: off')).toBeUndefined();
    expect(audit('audit: { policy: off, maxAge: 3 }')).toBeUndefined();
    expect(audit('audit: { maxAge: 3 }')).toEqual({ maxAge: 3, maxBackups: 10, maxSize: 100 });
  });

  it.each([
    ['', ' is not an audit policy: a mapping with apiVersion, kind and rules'],
    ['- a', ' is not an audit policy: a mapping with apiVersion, kind and rules'],
    ['kind: Policy\n  rules: x', ':1: is not YAML: Nested mappings are not allowed in compact mappings'],
    ['a: 1\nb: "x', ':2: is not YAML: Missing closing "quote'],
    ['kind: ConfigMap', ': kind is "ConfigMap"; an audit policy is a Policy'],
    ['rules: []', ': kind is missing; an audit policy is a Policy'],
    [
      good.replace('audit.k8s.io/v1', 'audit.k8s.io/v1beta1'),
      ': apiVersion is "audit.k8s.io/v1beta1", which Kubernetes 1.24 dropped; write audit.k8s.io/v1',
    ],
    [good.replace('audit.k8s.io/v1', 'v1'), ': apiVersion is "v1"; write audit.k8s.io/v1'],
    [
      good.replace(/rules[\s\S]*/, ''),
      ': has no rules, and kube-apiserver wants one or more; "- level: Metadata" logs every request',
    ],
    [
      good.replace('Metadata', 'metadata'),
      ': rules[0].level is "metadata"; it is one of None, Metadata, Request, RequestResponse',
    ],
    [
      `${good}  - verbs: [get]\n`,
      ': rules[1].level is missing; it is one of None, Metadata, Request, RequestResponse',
    ],
    [
      'a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: &e [*d, *d]\nf: [*e, *e, *e, *e]',
      ' is not an audit policy: a mapping with apiVersion, kind and rules',
    ],
  ])('that reads %j is refused, with what would do', async (text, what) => {
    expect(await said(text)).toEqual([`c.yaml:4:32: kubernetes.audit.policy: /f/policy.yaml${what}`]);
  });

  it('of the first form is for a Kubernetes of before 1.24', async () => {
    const first = good.replace('audit.k8s.io/v1', 'audit.k8s.io/v1beta1');
    expect(await said(first, '{ version: 1.23.4, audit: policy.yaml }')).toEqual([]);
  });

  it('that cannot be read is said with the other mistakes of the file', async () => {
    expect(await said(good, '{ version: 1.34, audit: { policy: gone.yaml, maxAge: x } }')).toEqual([
      'c.yaml:4:24: kubernetes.version: "1.34" is not a whole version; write MAJOR.MINOR.PATCH',
      'c.yaml:4:47: kubernetes.audit.policy: cannot read /f/gone.yaml: there is no such file',
      expect.stringContaining('c.yaml:4:66: kubernetes.audit.maxAge: "x" is not'),
    ]);
    mkdirSync(join(folder, 'sub'));
    expect(await said(good, '{ audit: sub }')).toEqual([
      'c.yaml:4:15: kubernetes.audit.policy: cannot read /f/sub: it is a folder',
    ]);
    expect(await said(Buffer.from([0xff, 0xfe]))).toEqual([
      'c.yaml:4:32: kubernetes.audit.policy: cannot read /f/policy.yaml: it is not UTF-8 text',
    ]);
    expect(await said('#'.repeat(1024 * 1024 + 1))).toEqual([
      'c.yaml:4:32: kubernetes.audit.policy: /f/policy.yaml has 1048577 bytes; 1 MiB is the most',
    ]);
  });
});

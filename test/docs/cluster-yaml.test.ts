import { describe, expect, it } from 'vitest';
import { controlPlaneComponents } from '../../src/cluster/cluster.ts';
import { componentKeys, defaults } from '../../src/cluster/defaults.ts';
import { layouts } from '../../src/cluster/layouts.ts';
import { parseCluster } from '../../src/cluster/load.ts';
import { sizeText } from '../../src/cluster/quantity.ts';
import { clusterShape } from '../../src/cluster/schema.ts';
import { codeBlocks, pageAt, pages, tableRows } from './pages.ts';

/** As far as it is walked here; the pieces that src/cluster/shape.ts makes. */
interface Schema {
  readonly def: {
    readonly type: string;
    readonly innerType?: Schema;
    readonly out?: Schema;
    readonly element?: Schema;
    readonly shape?: Readonly<Record<string, Schema>>;
  };
}

/** `etcd.source.path`, `hosts[].name` of everything that can be set. */
function keysOf(schema: Schema, path: string): string[] {
  const { element, shape } = bare(schema).def;
  if (shape !== undefined) {
    const below = (key: string) => (path === '' ? key : `${path}.${key}`);
    return Object.entries(shape).flatMap(([key, inner]) => keysOf(inner, below(key)));
  }
  const ofMappings = element !== undefined && bare(element).def.shape !== undefined;
  return ofMappings ? keysOf(element, `${path}[]`) : [path];
}

/** Without what is around it: optional, or read from text. */
function bare(schema: Schema): Schema {
  const inner = schema.def.innerType ?? schema.def.out;
  return inner === undefined ? schema : bare(inner);
}

/** What the page says once for all hosts. */
const ofHosts = /^hosts\[\]\.ssh\.(?!host$)/;

const rows = tableRows(pageAt('docs/cluster-yaml.md'));
const documented = new Map(
  rows.flatMap(([key = '', given = '']) => {
    const name = /^`([^`]+)`$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, given] as const];
  }),
);

describe('docs/cluster-yaml.md', () => {
  const keys = keysOf(clusterShape as unknown as Schema, '').filter((key) => !ofHosts.test(key));

  it('has every key that there is, and no other', () => {
    expect(keys.length).toBeGreaterThan(60);
    expect(keys.filter((key) => !documented.has(key))).toEqual([]);
    const words = ['etcd.source', 'kubernetes.source', 'kubernetes.encryption', 'kubernetes.audit'];
    expect([...documented.keys()].filter((key) => !keys.includes(key) && !words.includes(key))).toEqual([]);
  });

  it('says what holds where cluster.yaml says nothing', () => {
    const { ssh, etcd, kubernetes, pki, roles, architecture, layout } = defaults;
    const { encryption, audit, users, healthPorts: _ports, ...rest } = kubernetes;
    const years = (hours: number) => `${hours / 8760}y`;
    const days = (hours: number) => `${hours / 24}d`;
    const expected = {
      'hosts[].roles': `[${roles.join(', ')}]`,
      'hosts[].architecture': architecture,
      'ssh.agent': ssh.agent,
      ...prefixed('ssh', {
        connectTimeout: `${ssh.connectTimeout}s`,
        commandTimeout: `${ssh.commandTimeout}s`,
      }),
      ...prefixed('ssh', { keepAlive: `${ssh.keepAlive}s`, maxClockSkew: `${ssh.maxClockSkew}s` }),
      'ssh.parallel': ssh.parallel,
      ...prefixed('etcd', {
        ...etcd,
        heartbeatInterval: `${etcd.heartbeatInterval}ms`,
        electionTimeout: `${etcd.electionTimeout}ms`,
        quotaBackendBytes: sizeText(etcd.quotaBackendBytes),
        maxRequestBytes: sizeText(etcd.maxRequestBytes),
      }),
      ...prefixed('kubernetes', { ...rest, shutdownDelay: `${rest.shutdownDelay}s` }),
      'kubernetes.encryption.provider': encryption.provider,
      'kubernetes.encryption.resources': `[${encryption.resources.join(', ')}]`,
      ...prefixed('kubernetes.audit', audit),
      ...Object.fromEntries(
        controlPlaneComponents.map((name) => [`kubernetes.${componentKeys[name]}.user`, users[name]]),
      ),
      'pki.key': pki.key,
      ...prefixed('pki.validity', {
        ca: years(pki.validity.ca),
        leaf: years(pki.validity.leaf),
        crl: days(pki.validity.crl),
      }),
      'paths.layout': layout,
      'paths.units': layouts.fhs.units,
      ...prefixed('paths.etcd', layouts.fhs.etcd),
      ...prefixed('paths.kubernetes', layouts.fhs.kubernetes),
    };
    const said = Object.fromEntries(Object.keys(expected).map((key) => [key, documented.get(key)]));
    expect(said).toEqual(
      Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, String(value)])),
    );
  });

  it('has the paths of the other layout beside them', () => {
    for (const section of ['etcd', 'kubernetes'] as const) {
      for (const [key, value] of Object.entries(layouts.opt[section])) {
        expect(rows.find(([name]) => name === `\`paths.${section}.${key}\``)?.[2]).toBe(`\`${value}\``);
      }
    }
  });
});

function prefixed(section: string, values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${section}.${key}`, value]));
}

const head = 'name: prod\nhosts: [{ name: n1, address: 10.0.0.1 }]\netcd: { version: 3.5.16 }\n';
const examples = pages.flatMap((page) =>
  codeBlocks(page).flatMap(({ language, lines }) =>
    language === 'yaml' ? [[page.path, lines.join('\n')] as const] : [],
  ),
);

it.each(examples)('%s: a piece of cluster.yaml that it shows is read', (_path, text) => {
  const own = new Set([...text.matchAll(/^(\w+):/gm)].map(([, key]) => key));
  const rest = head.split('\n').filter((line) => !own.has(line.split(':')[0]));
  const read = () => 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Metadata }]\n';
  const origin = { file: 'x.yaml', folder: '/', read };
  expect(() => parseCluster(`${rest.join('\n')}${text}\n`, origin)).not.toThrow();
});

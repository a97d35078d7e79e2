import { describe, expect, test } from 'vitest';
import { type ControlPlaneComponent, controlPlaneComponents } from '../../../src/cluster/cluster.ts';
import { parseCluster } from '../../../src/cluster/load.ts';
import { versionOf } from '../../../src/cluster/version.ts';
import { knowsFlag } from '../../../src/desired/components/kube-flags.ts';
import { knownAdmissionPlugin } from '../../../src/desired/components/kube-gates.ts';
import { desire } from '../../../src/desired/desire.ts';
import { fullStore } from '../store.ts';
import { listedMinors, releaseList } from './kube-releases.ts';

const minors = Array.from({ length: 17 }, (_, index) => `1.${20 + index}`);
const hosts = `
name: prod
hosts:
  - { name: one,   address: 192.168.31.71, roles: [etcd, control-plane] }
  - { name: two,   address: 192.168.31.72, roles: [etcd, control-plane] }
  - { name: three, address: 192.168.31.73, roles: [etcd, control-plane] }
etcd: { version: 3.5.24 }
endpoint: { address: 192.168.31.75, port: 16443 }
`;

/** Clusters that between them have kbin set every flag it can set. */
const clusters: Readonly<Record<string, (version: string) => string>> = {
  'as it comes': (version) => `${hosts}kubernetes: { version: ${version} }\n`,
  'everything set': (version) => `${hosts}kubernetes:
  version: ${version}
  serviceCidr: 10.96.0.0/16
  podCidr: 10.244.0.0/16
  encryption: { provider: aesgcm, resources: [secrets, configmaps] }
  audit: { maxAge: 90, maxBackups: 3, maxSize: 50 }
  apiserver: { flags: { enable-admission-plugins: AlwaysPullImages, event-ttl: 2h } }
  controllerManager: { flags: { terminated-pod-gc-threshold: 100 } }
  scheduler: { flags: { v: 3 } }
`,
};

/** What systemd starts: component → flags without dashes. */
function startedFlags(text: string): Map<ControlPlaneComponent, string[]> {
  const cluster = parseCluster(text, { file: 'cluster.yaml', folder: '/home/me/prod' });
  const found = new Map<ControlPlaneComponent, string[]>();
  for (const host of cluster.hosts) {
    for (const { name, unit } of desire(cluster, host, { store: fullStore() }).components) {
      const component = controlPlaneComponents.find((known) => known === name);
      if (component === undefined) continue;
      const [, ...words] = unit.process.argv;
      found.set(component, [...(found.get(component) ?? []), ...words]);
    }
  }
  return found;
}

const nameOf = (word: string) => word.replace(/^--/, '').replace(/=.*$/s, '');

describe.each(minors)('what kbin starts of Kubernetes %s', (minor) => {
  const version = versionOf(`${minor}.0`);

  test.each(Object.keys(clusters))('%s: every flag is one that the release knows', (name) => {
    const started = startedFlags(clusters[name]?.(`${minor}.0`) ?? '');
    expect([...started.keys()]).toEqual(controlPlaneComponents);
    const unknown = [...started].flatMap(([component, words]) => {
      expect(words.length).toBeGreaterThan(20);
      return words
        .map(nameOf)
        .filter((flag) => !knowsFlag(component, flag, version))
        .map((flag) => `${component} --${flag}`);
    });
    expect(unknown).toEqual([]);
  });

  test('every admission plugin is one that the release has', () => {
    const words = startedFlags(clusters['everything set']?.(`${minor}.0`) ?? '').get('kube-apiserver') ?? [];
    const plugins = words
      .filter((word) => word.startsWith('--enable-admission-plugins='))
      .flatMap((word) => word.split('=')[1]?.split(',') ?? []);
    expect(plugins).toContain('NodeRestriction');
    expect(plugins.filter((plugin) => knownAdmissionPlugin(plugin, version) !== true)).toEqual([]);
  });
});

const complete = listedMinors.filter((minor) => releaseList(minor).complete);

test.each(complete)('and the source of Kubernetes %s has every one of them', (minor) => {
  for (const text of Object.values(clusters)) {
    for (const [component, words] of startedFlags(text(`${minor}.0`))) {
      const listed = releaseList(minor).flagsOf(component);
      expect(words.map(nameOf).filter((flag) => !listed.includes(flag))).toEqual([]);
    }
  }
});

const pages = listedMinors.flatMap((minor) =>
  controlPlaneComponents.flatMap((component) =>
    [...releaseList(minor).filesOf(component)]
      .filter(([file]) => file.startsWith('reference page'))
      .map(([, flags]) => [minor, component, flags] as const),
  ),
);

// A reference page leaves out what is deprecated: kbin uses nothing of that.
test.each(pages)('and the reference page of %s’s %s shows every one of them', (minor, component, shown) => {
  expect(shown.length).toBeGreaterThan(50);
  for (const text of Object.values(clusters)) {
    const words = startedFlags(text(`${minor}.0`)).get(component) ?? [];
    expect(words.length).toBeGreaterThan(10);
    expect(words.map(nameOf).filter((flag) => !shown.includes(flag))).toEqual([]);
  }
});

test('there are such pages for all three', () => {
  expect(new Set(pages.map(([, component]) => component))).toEqual(new Set(controlPlaneComponents));
});

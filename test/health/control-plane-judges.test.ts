/** The judges alone, on evidence made by hand: what cannot be staged with one release and a few processes. */
import { describe, expect, test } from 'vitest';
import type { ApiCanary } from '../../src/health/api-canary.ts';
import type { ApiReading } from '../../src/health/api-reading.ts';
import type { Cause } from '../../src/health/causes.ts';
import { judgeControlPlane } from '../../src/health/checks/control-plane/index.ts';
import type { ComponentReading } from '../../src/health/component-reading.ts';
import type { ListeningComponent } from '../../src/health/component-target.ts';
import type {
  ControlPlaneEvidence,
  ControlPlaneHostEvidence,
} from '../../src/health/control-plane-evidence.ts';
import type { Served } from '../../src/health/wire.ts';
import { findings } from './findings.ts';

const now = new Date('2026-11-21T00:00:00Z');
const day = 86_400_000;

function served(name: string, days = 365): Served {
  return {
    chain: [
      {
        subject: `CN=${name}`,
        issuer: 'CN=kubernetes',
        fingerprint: name,
        serial: '01',
        notBefore: new Date(now.getTime() - day),
        notAfter: new Date(now.getTime() + days * day),
        sans: [],
      },
    ],
    accepted: true,
    status: 200,
  };
}

interface HostChanges {
  readonly api?: Partial<ApiReading>;
  readonly component?: Partial<ComponentReading>;
  readonly evidence?: Partial<ControlPlaneHostEvidence>;
}

const programs: readonly ListeningComponent[] = ['kube-controller-manager', 'kube-scheduler'];

function host(
  name: string,
  { api = {}, component = {}, evidence = {} }: HostChanges = {},
): ControlPlaneHostEvidence {
  const target = { name, address: '10.0.0.1', port: 6443 };
  const components = programs.map((program) => ({ name, component: program, address: '127.0.0.1', port: 1 }));
  const never = () => Promise.reject(new Error('judges look at nothing'));
  return {
    host: {
      name,
      api: target,
      components,
      issued: {
        'kube-apiserver': 'apiserver',
        'kube-controller-manager': 'other',
        'kube-scheduler': 'other',
      },
      through: never,
      hostName: never,
    },
    api: {
      ...{ host: name, target, reachable: true, ready: true, notReady: [], live: true, notLive: [] },
      ...{ version: '1.30.1', latencyMs: 1 },
      ...api,
    },
    served: served('apiserver'),
    anonymousReads: false,
    components: components.map((one) => ({
      ...{
        target: one,
        healthy: true,
        unhealthy: [],
        served: served('other'),
        version: '1.30.1',
        latencyMs: 1,
      },
      ...component,
    })),
    etcdPaths: [{ member: 'e1', address: { scheme: 'https', host: '10.0.0.9', port: 2379 } }],
    ...evidence,
  };
}

function canary(through: string, changes: Partial<ApiCanary> = {}): ApiCanary {
  return {
    through,
    secret: 'kbin-verify-1',
    reads: [{ by: 'm1' }, { by: 'm2' }],
    reviews: [{ by: 'm1' }, { by: 'm2' }],
    stored: { kind: 'encrypted', prefix: 'k8s:enc:secretbox:v1:key1:' },
    ...changes,
  };
}

const lease = (holder: string, ageSeconds = 1) => ({ holder, ageSeconds, durationSeconds: 15 });
const both = (reading: object) => ({ 'kube-controller-manager': reading, 'kube-scheduler': reading });

function evidenceOf(changes: Partial<ControlPlaneEvidence> = {}): ControlPlaneEvidence {
  const hosts = changes.hosts ?? [host('m1'), host('m2')];
  return {
    subject: {
      hosts: hosts.map((seen) => seen.host),
      etcd: [],
      version: '1.30.1',
      encryption: { provider: 'secretbox', key: 'key1' },
      etcdPrefix: '/registry',
      unelected: [],
      objects: [],
      clients: [],
      credentials: { api: { ca: '' }, etcd: {}, etcdClient: {} },
    },
    leases: both(lease('m1_uuid')),
    hostNames: new Map(),
    canaries: { canaries: [canary('m1'), canary('m2')], leftBehind: [] },
    objects: [],
    stored: { encrypted: new Map([['k8s:enc:secretbox:v1:key1:', 31]]), plain: [], more: false },
    now,
    ...changes,
    hosts,
  };
}

const judged = (changes: Partial<ControlPlaneEvidence> = {}) =>
  findings({ checks: judgeControlPlane(evidenceOf(changes)) });
const cause = (message: string, code: Cause['code'] = 'refused'): Cause => ({ code, message, next: 'next' });

test('what is well has no finding, and every finding says what to do', () => {
  expect(judged()).toEqual([]);
  const everythingWrong = judgeControlPlane(
    evidenceOf({
      hosts: [
        host('m1', {
          api: { ready: false, notReady: ['etcd'], live: false, notLive: ['ping'], version: '1.28.0' },
          component: {
            healthy: false,
            unhealthy: ['leaderElection'],
            served: { ...served('x'), status: 500 },
          },
          evidence: {
            anonymousReads: true,
            etcdPaths: [
              { member: 'e1', address: { scheme: 'https', host: 'a', port: 1 }, failure: cause('x') },
            ],
          },
        }),
        host('m2', { api: { failure: cause('refuses') } }),
      ],
      leases: both(lease('m1_uuid', 100)),
      canaries: {
        canaries: [
          canary('m1', { stored: { kind: 'plain' }, reads: [{ by: 'm2', failure: cause('x') }] }),
          canary('m2', { writeFailure: cause('x'), signFailure: cause('x'), stored: { kind: 'absent' } }),
        ],
        leftBehind: [{ name: 'kbin-verify-1', failure: cause('x') }],
      },
      objects: [{ kind: 'object', target: 'ClusterRole/a', action: 'create', reason: 'does not exist' }],
    }),
  );
  const bad = everythingWrong.filter(({ status }) => status === 'fail' || status === 'warn');
  expect(bad.length).toBeGreaterThan(18);
  for (const check of bad) expect(check, check.id).toHaveProperty('next');
});

describe('versions', () => {
  const versions = (apis: readonly string[], others = '1.30.1') =>
    judged({
      hosts: apis.map((version, index) =>
        host(`m${index + 1}`, { api: { version }, component: { version: others } }),
      ),
    }).filter((text) => text.includes('version-skew'));

  test.each<[string, readonly string[], string, readonly unknown[]]>([
    ['all the same', ['1.30.1', '1.30.1'], '1.30.1', []],
    ['an upgrade that Kubernetes allows', ['1.30.1', '1.31.0'], '1.30.1', [expect.stringMatching(/^warn /)]],
    ['patches differ', ['1.30.1', '1.30.9'], '1.30.1', [expect.stringMatching(/^warn /)]],
    [
      'apiservers two minors apart',
      ['1.29.0', '1.31.0'],
      '1.29.0',
      [
        expect.stringMatching(
          /^fail version-skew: apiservers are more than one minor version apart: .* 1\.29\.0 on m1/,
        ),
        expect.stringMatching(/more than one minor version older than an apiserver/),
      ],
    ],
    [
      'a controller-manager newer than an apiserver',
      ['1.30.1', '1.31.0'],
      '1.31.0',
      [
        expect.stringMatching(
          /^fail version-skew: kube-controller-manager 1\.31\.0 on m1 and m2, .* newer than an apiserver/,
        ),
      ],
    ],
  ])('%s', (_what, apis, others, expected) => {
    expect(versions(apis, others)).toEqual(expected);
  });

  test('of a build is the version that it was built from', () => {
    const seen = host('m1', { api: { version: '1.30.1+local' } });
    expect(judged({ hosts: [seen] }).filter((text) => text.includes('apiserver-version'))).toEqual([]);
  });
});

describe('who leads', () => {
  const leader = (changes: Partial<ControlPlaneEvidence>) =>
    judged(changes).filter((text) => text.includes('scheduler-leader'));

  test.each<[string, Partial<ControlPlaneEvidence>, readonly string[]]>([
    ['a host by another spelling of its name', { leases: both(lease('M1.example.org_uuid')) }, []],
    [
      'a host that calls itself otherwise',
      { leases: both(lease('ip-10-0-0-1_uuid')), hostNames: new Map([['m2', 'ip-10-0-0-1']]) },
      [],
    ],
    [
      'a host that cluster.yaml does not know',
      { leases: both(lease('old-master_uuid')) },
      ['fail scheduler-leader: old-master leads, which is no control-plane host of cluster.yaml'],
    ],
    [
      'nobody, ever',
      { leases: both({ absent: true }) },
      ['fail scheduler-leader: none has ever led: there is no lease in kube-system'],
    ],
    ['nobody now', { leases: both({}) }, ['fail scheduler-leader: nobody holds the lease']],
    [
      'one that has stopped renewing',
      { leases: both(lease('m2_uuid', 60)) },
      ['fail scheduler-leader: nobody leads: m2 did, and renewed its lease 60 s ago (it lasts 15 s)'],
    ],
    [
      'one that is not healthy',
      { hosts: [host('m1', { component: { healthy: false } }), host('m2')] },
      ['warn scheduler-leader: m1 leads by its lease, and is not healthy there'],
    ],
    [
      'the lease could not be read',
      { leases: both({ failure: cause('answers 500: x', 'server-error') }) },
      ['fail scheduler-leader: its lease could not be read: answers 500: x'],
    ],
  ])('%s', (_what, changes, expected) => {
    expect(leader(changes)).toEqual(expected);
  });
});

describe('how a Secret lies in etcd', () => {
  const stored = (
    form: NonNullable<ApiCanary['stored']>,
    encryption?: { provider: string; key?: string },
  ) => {
    const evidence = evidenceOf({
      hosts: [host('m1')],
      canaries: { canaries: [canary('m1', { stored: form })], leftBehind: [] },
    });
    const { encryption: _, ...subject } = evidence.subject;
    const checks = judgeControlPlane({
      ...evidence,
      subject: { ...subject, ...(encryption === undefined ? {} : { encryption }) },
    });
    return checks.filter(({ id }) => id === 'encryption-at-rest').map(({ status }) => status);
  };
  const wanted = { provider: 'aesgcm', key: 'key2' };

  test.each<[NonNullable<ApiCanary['stored']>, typeof wanted | undefined, string]>([
    [{ kind: 'encrypted', prefix: 'k8s:enc:aesgcm:v1:key2:' }, wanted, 'pass'],
    [{ kind: 'encrypted', prefix: 'k8s:enc:aesgcm:v1:key1:' }, wanted, 'fail'],
    [{ kind: 'encrypted', prefix: 'k8s:enc:aescbc:v1:key2:' }, wanted, 'fail'],
    [{ kind: 'encrypted', prefix: 'k8s:enc:kms:v2:key2:' }, wanted, 'fail'],
    [{ kind: 'plain' }, wanted, 'fail'],
    [{ kind: 'plain' }, undefined, 'pass'],
    [{ kind: 'encrypted', prefix: 'k8s:enc:aesgcm:v1:key2:' }, undefined, 'warn'],
    [{ kind: 'absent' }, undefined, 'fail'],
    [{ kind: 'unknown', failure: cause('x') }, wanted, 'skip'],
  ])('%j where %j is wanted: %s', (form, encryption, expected) => {
    expect(stored(form, encryption)).toEqual([expected]);
  });
});

test('an apiserver that could not be asked is not also said to be not ready', () => {
  const { ready: _, live: __, notReady: ___, notLive: ____, version: _____, ...silent } = host('m2').api;
  const gone = {
    ...host('m2'),
    api: { ...silent, reachable: false, failure: cause('refuses connections') },
    unserved: cause('refuses connections'),
  };
  const { served: _s, ...unseen } = gone;
  expect(judged({ hosts: [host('m1'), unseen] })).toEqual([
    'fail apiserver-reachable m2: refuses connections',
  ]);
});

test('a host that cannot be reached through SSH could not try its way to etcd', () => {
  const etcdPaths = ['e1', 'e2'].map((member) => ({
    member,
    address: { scheme: 'https', host: '10.0.0.9', port: 2379 } as const,
    failure: cause('does not answer on SSH', 'ssh'),
  }));
  expect(judged({ hosts: [host('m1', { evidence: { etcdPaths } })] })).toEqual([
    'fail etcd-reached m1: could not be tried: does not answer on SSH',
  ]);
  // One that got to another member is there: what does not answer is the member.
  const [first, ...others] = etcdPaths.map(({ failure, ...path }, index) =>
    index === 0 ? path : { ...path, failure },
  );
  expect(
    judged({ hosts: [host('m1', { evidence: { etcdPaths: first ? [first, ...others] : [] } })] }),
  ).toEqual(['fail etcd-reached m1: from this host, e2 (10.0.0.9:2379) does not answer on SSH']);
});

describe('the Secrets that are there', () => {
  const told = (stored: ControlPlaneEvidence['stored']) =>
    judgeControlPlane(evidenceOf({ stored }))
      .filter(({ id }) => id === 'secrets-stored')
      .map(({ status, message }) => `${status} ${message}`);
  const right = ['k8s:enc:secretbox:v1:key1:', 2] as const;

  test.each<[ControlPlaneEvidence['stored'], string[]]>([
    [{ encrypted: new Map([right]), plain: [], more: false }, ['pass all 2 Secrets are encrypted in etcd']],
    [
      { encrypted: new Map([right]), plain: ['default/old'], more: false },
      ['warn 1 of 3 Secrets lie in etcd in plain text, from before the encryption: default/old'],
    ],
    [
      { encrypted: new Map([right, ['k8s:enc:aescbc:v1:key1:', 4]]), plain: [], more: false },
      ['warn 4 of 6 Secrets are encrypted otherwise than cluster.yaml says now (k8s:enc:aescbc:v1:key1:)'],
    ],
    ['no key', ['skip no key']],
  ])('%#', (stored, expected) => {
    expect(told(stored)).toEqual(expected);
  });
});

import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendApiCanaries } from '../../src/health/api-canary.ts';
import { waitForComponent, waitForReady } from '../../src/health/api-gates.ts';
import type { ApiTarget } from '../../src/health/api-target.ts';
import { isHealthy } from '../../src/health/check.ts';
import type { ComponentTarget, ListeningComponent } from '../../src/health/component-target.ts';
import { healthOf } from '../../src/health/control-plane.ts';
import type { ControlPlaneSubject } from '../../src/health/control-plane-subject.ts';
import { dialDirect } from '../../src/health/dial.ts';
import { until } from '../lab/until.ts';
import { findings } from './findings.ts';
import { encryption, type LocalKubernetes, type LocalProcess, startKubernetes } from './local-kubernetes.ts';

let kubernetes: LocalKubernetes;
let subject: ControlPlaneSubject;
const programs = ['kube-controller-manager', 'kube-scheduler'] as const;
/** By host, in the order of `programs`. */
const components: LocalProcess[][] = [];

beforeAll(async () => {
  kubernetes = await startKubernetes({ apiservers: 2 });
  for (const index of [0, 1]) {
    const own: LocalProcess[] = [];
    for (const program of programs) own.push(await kubernetes.startComponent(program, index));
    components.push(own);
  }
  subject = await describeIt();
  await settled();
}, 180_000);
afterAll(() => kubernetes?.[Symbol.asyncDispose]());

const fingerprint = async (name: string) =>
  new X509Certificate(await kubernetes.authority.read(`${name}.crt`)).fingerprint256;

async function describeIt(): Promise<ControlPlaneSubject> {
  const api = await kubernetes.credentials();
  const etcd = await kubernetes.etcd.credentials();
  const hosts = await Promise.all(
    kubernetes.targets.map(async (target, index) => ({
      name: target.name,
      api: target,
      components: (components[index] ?? []).map(
        ({ port }, which): ComponentTarget => ({
          name: target.name,
          component: programs[which] as ListeningComponent,
          address: '127.0.0.1',
          port,
        }),
      ),
      issued: {
        'kube-apiserver': await fingerprint('apiserver'),
        'kube-controller-manager': await fingerprint(`kube-controller-manager-${index}`),
        'kube-scheduler': await fingerprint(`kube-scheduler-${index}`),
      },
      through: dialDirect,
      // All are processes of this machine; the first one passes for it.
      hostName: async () => (index === 0 ? hostname() : target.name),
    })),
  );
  return {
    hosts,
    etcd: kubernetes.etcd.targets,
    version: '1.20.2',
    encryption: { provider: 'secretbox', key: 'key1' },
    etcdPrefix: '/registry',
    unelected: [],
    objects: [],
    clients: [
      { id: 'admin', certificate: new X509Certificate(await kubernetes.authority.read('admin.crt')) },
    ],
    credentials: { api, etcd, etcdClient: etcd },
  };
}

/** Waits until all is well again after a fault. */
function settled(): Promise<true> {
  return until('the control plane is healthy', async (saw) => {
    const { checks } = await healthOf(subject);
    return isHealthy(checks) ? true : saw(findings({ checks }).join('\n'));
  });
}

async function restart(process: LocalProcess, target: ApiTarget, change: () => void | Promise<void>) {
  await process.stop();
  await change();
  await process.start();
  await waitForReady(target, subject.credentials.api, { within: 60 });
}

/** The second apiserver with other flags while `work` looks. */
async function withFlags(flags: Readonly<Record<string, string>>, work: () => Promise<void>): Promise<void> {
  const apiserver = kubernetes.apiserver(1);
  const target = kubernetes.targets[1] as ApiTarget;
  const former = apiserver.flags;
  await restart(apiserver, target, () => {
    for (const [flag, value] of Object.entries(flags)) apiserver.set(flag, value);
  });
  try {
    await work();
  } finally {
    await restart(apiserver, target, () => {
      apiserver.flags = former;
    });
    await settled();
  }
}

const leftovers = () =>
  kubernetes.kubectl([
    '-n',
    'kube-system',
    'get',
    'secret,serviceaccount',
    '-l',
    'app.kubernetes.io/managed-by',
    '-o',
    'name',
  ]);

test('a healthy control plane is healthy, in every check, and nothing is left in it', async () => {
  const { hosts, checks } = await healthOf(subject);
  expect(checks.filter(({ status }) => status !== 'pass')).toEqual([]);
  expect(checks.map(({ id, target }) => [id, target].filter(Boolean).join(' '))).toEqual([
    ...['apiserver-reachable m1', 'apiserver-reachable m2', 'apiserver-live m1', 'apiserver-live m2'],
    ...['apiserver-ready m1', 'apiserver-ready m2', 'apiserver-version m1', 'apiserver-version m2'],
    ...['version-skew', 'controller-manager-healthy m1', 'controller-manager-healthy m2'],
    ...['scheduler-healthy m1', 'scheduler-healthy m2', 'controller-manager-leader', 'scheduler-leader'],
    ...['etcd-reached m1', 'etcd-reached m2', 'objects-agree m1', 'objects-agree m2'],
    ...['encryption-at-rest m1', 'encryption-at-rest m2', 'secrets-stored'],
    ...['tokens-accepted m1', 'tokens-accepted m2'],
    ...['rbac-objects', 'anonymous-refused m1', 'anonymous-refused m2'],
    ...['apiserver-certificate m1', 'apiserver-certificate m2'],
    ...['controller-manager-certificate m1', 'controller-manager-certificate m2'],
    ...['scheduler-certificate m1', 'scheduler-certificate m2', 'client-certificate admin'],
  ]);
  expect(hosts[0]).toEqual({
    host: 'm1',
    endpoint: `https://127.0.0.1:${kubernetes.apiserver(0).port}`,
    apiserver: {
      reachable: true,
      healthy: true,
      version: '1.20.2',
      latencyMs: expect.any(Number),
      certificateDays: 364,
    },
    controllerManager: {
      reachable: true,
      healthy: true,
      version: '1.20.2',
      leader: true,
      latencyMs: expect.any(Number),
      certificateDays: 364,
    },
    scheduler: expect.objectContaining({ healthy: true, leader: true }),
  });
  expect(hosts[1]?.scheduler.leader).toBe(false);
  expect(await leftovers()).toBe('');
});

test('interrupted while its objects are there, it leaves nothing either', async () => {
  const clients = await Promise.all([kubernetes.client(0), kubernetes.client(1)]);
  const abort = new AbortController();
  // Each kind is made beside the others, one of them perhaps a moment later.
  const bothAreThere = until('a Secret and a ServiceAccount of verify are there', async () => {
    const seen = await leftovers();
    return /^secret\/kbin-verify-/m.test(seen) && /^serviceaccount\/kbin-verify-/m.test(seen);
  });
  const work = sendApiCanaries(
    clients,
    async () => {
      await bothAreThere;
      abort.abort('SIGINT');
      return { kind: 'absent' };
    },
    abort.signal,
  );
  await expect(work).rejects.toMatchObject({ message: 'interrupted', details: { why: 'by SIGINT' } });
  for (const client of clients) client.close();
  expect(await leftovers()).toBe('');
});

test('what a killed run left behind goes with the next, but not what is new', async () => {
  const make = (name: string) =>
    kubernetes
      .kubectl(['-n', 'kube-system', 'create', 'secret', 'generic', name])
      .then(() =>
        kubernetes.kubectl([
          '-n',
          'kube-system',
          'label',
          'secret',
          name,
          'app.kubernetes.io/managed-by=kbin-verify',
        ]),
      );
  await make('kbin-verify-new');
  await healthOf(subject);
  expect(await leftovers()).toBe('secret/kbin-verify-new\n');
  await kubernetes.kubectl(['-n', 'kube-system', 'delete', 'secret', 'kbin-verify-new']);
});

test('without the key of the administrator it looks at what anybody may', async () => {
  const { ca } = subject.credentials.api;
  const anonymous = 'the certificate store has no usable admin';
  const { checks } = await healthOf({
    ...subject,
    credentials: { ...subject.credentials, api: { ca }, anonymous },
  });
  expect(findings({ checks })).toEqual([]);
  const skipped = checks.filter(({ status }) => status === 'skip');
  expect(new Set(skipped.map(({ message }) => message))).toEqual(new Set([anonymous]));
  expect(skipped.map(({ id }) => id)).toEqual([
    ...['controller-manager-leader', 'scheduler-leader', 'objects-agree', 'encryption-at-rest'],
    ...['secrets-stored', 'tokens-accepted', 'rbac-objects'],
  ]);
});

test('an apiserver that signs with a key of its own', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [key, pub] = [kubernetes.authority.path('other-sa.key'), kubernetes.authority.path('other-sa.pub')];
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(pub, publicKey.export({ type: 'spki', format: 'pem' }));
  const flags = { 'service-account-key-file': pub, 'service-account-signing-key-file': key };
  await withFlags(flags, async () => {
    expect(findings(await healthOf(subject))).toEqual([
      'fail tokens-accepted m1: a token signed by it is refused by m2, which does not accept the token',
      'fail tokens-accepted m2: a token signed by it is refused by m1, which does not accept the token',
    ]);
  });
});

test('an apiserver whose encryption configuration was edited so that it writes plain text', async () => {
  const file = kubernetes.authority.path('edited-encryption.yaml');
  const [head, secretbox, identity] = (await kubernetes.authority.read('encryption.yaml')).split(
    /(?= {6}- )/,
  );
  await writeFile(file, `${head}${identity}${secretbox}`);
  await withFlags({ 'encryption-provider-config': file }, async () => {
    expect(findings(await healthOf(subject))).toEqual([
      expect.stringMatching(
        /^fail encryption-at-rest m2: a Secret written through it lies in etcd in plain text/,
      ),
    ]);
  });
});

test('an apiserver that has another key under the same name cannot read what is there', async () => {
  const file = kubernetes.authority.path('other-encryption.yaml');
  await writeFile(file, encryption(randomBytes(32)));
  await kubernetes.apiserver(1).stop();
  kubernetes.apiserver(1).set('encryption-provider-config', file);
  await kubernetes.apiserver(1).start();
  const seen = await until('it answers', async (saw) => {
    const { checks } = await healthOf(subject);
    const ready = checks.find(({ id, target }) => id === 'apiserver-ready' && target === 'm2');
    return ready?.message === '/readyz says no; these of its checks fail: informer-sync'
      ? ready
      : saw(JSON.stringify(ready));
  });
  expect(seen.next).toContain('encryption');
  await restart(kubernetes.apiserver(1), kubernetes.targets[1] as ApiTarget, () => {
    kubernetes.apiserver(1).set('encryption-provider-config', kubernetes.authority.path('encryption.yaml'));
  });
  await settled();
});

test('an apiserver that writes with a key that only it has', async () => {
  const own = kubernetes.authority.path('own-key.yaml');
  const both = await kubernetes.authority.read('encryption.yaml');
  const key = `- secretbox: { keys: [{ name: key2, secret: ${randomBytes(32).toString('base64')} }] }`;
  await writeFile(own, both.replace('      - secretbox', `      ${key}\n      - secretbox`));
  await withFlags({ 'encryption-provider-config': own }, async () => {
    expect(findings(await healthOf(subject))).toEqual([
      expect.stringMatching(
        /^fail objects-agree m2: a Secret written through it could not be read through m1, which answers 500: /,
      ),
      'fail encryption-at-rest m2: a Secret written through it is encrypted in etcd by secretbox with the key key2; it should be secretbox with the key key1',
    ]);
  });
});

test('encryption that is off, and said to be', async () => {
  const { encryption: _, ...plain } = subject;
  const { checks } = await healthOf(plain);
  expect(findings({ checks })).toEqual([
    expect.stringMatching(
      /^warn encryption-at-rest m1: .*cluster.yaml says that encryption is off for Secrets$/,
    ),
    expect.stringMatching(/^warn encryption-at-rest m2: /),
  ]);
});

test('a scheduler that is stopped, and then the last one', async () => {
  const [first, second] = components.map(([, scheduler]) => scheduler as LocalProcess) as [
    LocalProcess,
    LocalProcess,
  ];
  await second.stop();
  expect(findings(await healthOf(subject))).toContain(
    'fail scheduler-healthy m2: refuses connections: nothing listens there',
  );
  await first.stop();
  const looked = await healthOf(subject);
  expect(findings(looked)).toContainEqual(expect.stringMatching(/^(warn|fail) scheduler-leader: /));
  await until(
    'the lease is over',
    async (saw) => {
      const found = findings(await healthOf(subject)).join('\n');
      return found.includes('fail scheduler-leader: nobody leads: m1 did, and renewed its lease')
        ? true
        : saw(found);
    },
    { everyMs: 1000 },
  );
  await Promise.all([first.start(), second.start()]);
  await settled();
});

test('a certificate that is not the one that was issued, and one that is not for the address', async () => {
  await kubernetes.authority.issue('second', { sans: 'IP:127.0.0.1' });
  const file = (end: string) => kubernetes.authority.path(`second.${end}`);
  await withFlags({ 'tls-cert-file': file('crt'), 'tls-private-key-file': file('key') }, async () => {
    expect(findings(await healthOf(subject))).toEqual([
      expect.stringMatching(
        /^fail apiserver-certificate m2: serves another certificate than the one that was issued/,
      ),
    ]);
  });
  await kubernetes.authority.issue('strange', { sans: 'IP:127.0.0.9' });
  const [, scheduler] = components[1] as [LocalProcess, LocalProcess];
  const former = scheduler.flags;
  await scheduler.stop();
  scheduler.set('tls-cert-file', kubernetes.authority.path('strange.crt'));
  scheduler.set('tls-private-key-file', kubernetes.authority.path('strange.key'));
  await scheduler.start();
  const target = subject.hosts[1]?.components[1] as ComponentTarget;
  await waitForComponent(target, subject.credentials.api, {}, { within: 30 });
  expect(findings(await healthOf(subject))).toEqual([
    expect.stringMatching(
      /^fail scheduler-certificate m2: serves a certificate that is not for the address used to reach it/,
    ),
  ]);
  // A gate that knows which certificate it should be waits for that one.
  const issued = subject.hosts[1]?.issued['kube-scheduler'] ?? '';
  await expect(
    waitForComponent(target, subject.credentials.api, { fingerprint: issued }, { within: 1 }),
  ).rejects.toMatchObject({
    details: {
      why: 'last seen: m2: kube-scheduler does not serve the certificate that was issued for it yet',
      next: 'see what it says on the host (journalctl -u kube-scheduler)',
    },
  });
  await scheduler.stop();
  scheduler.flags = former;
  await scheduler.start();
  await settled();
});

test('one host that is down: its checks fail, those of the others are still made', async () => {
  const apiserver = kubernetes.apiserver(1);
  for (const one of [apiserver, ...(components[1] ?? [])]) await one.stop();
  const { checks } = await healthOf(subject);
  expect(findings({ checks })).toEqual([
    'fail apiserver-reachable m2: refuses connections: nothing listens there',
    'fail controller-manager-healthy m2: refuses connections: nothing listens there',
    'fail scheduler-healthy m2: refuses connections: nothing listens there',
  ]);
  expect(checks).toContainEqual(
    expect.objectContaining({ id: 'objects-agree', target: 'm1', status: 'pass' }),
  );
  expect(checks).toContainEqual(
    expect.objectContaining({ id: 'apiserver-ready', target: 'm2', status: 'skip' }),
  );
  for (const one of [apiserver, ...(components[1] ?? [])]) await one.start();
  await settled();
});

test('an apiserver that hangs keeps nobody waiting for longer than a few deadlines', async () => {
  kubernetes.apiserver(1).freeze();
  try {
    const found = findings(await healthOf(subject, { deadlineMs: 1000 }));
    expect(found).toContainEqual(expect.stringMatching(/^fail apiserver-reachable m2: does not answer/));
  } finally {
    kubernetes.apiserver(1).thaw();
  }
  await settled();
});

test('everybody may read Secrets, a host does not reach etcd, another version is wanted, and days run out', async () => {
  const binding = ['clusterrolebinding', 'everybody'];
  await kubernetes.kubectl(['create', ...binding, '--clusterrole=cluster-admin', '--user=system:anonymous']);
  await sleep(500);
  const [first, second] = subject.hosts as [
    ControlPlaneSubject['hosts'][number],
    ControlPlaneSubject['hosts'][number],
  ];
  const blocked = { ...second, through: () => Promise.reject(new Error('ECONNREFUSED on the host itself')) };
  const now = new Date(Date.now() + 350 * 86_400_000);
  const found = findings(await healthOf({ ...subject, hosts: [first, blocked], version: '1.20.3' }, { now }));
  await kubernetes.kubectl(['delete', ...binding]);
  expect(found).toEqual([
    'fail apiserver-version m1: runs 1.20.2; cluster.yaml says 1.20.3',
    'fail apiserver-version m2: runs 1.20.2; cluster.yaml says 1.20.3',
    expect.stringMatching(
      /^fail etcd-reached m2: from this host, n1 .* refuses connections: nothing listens there$/,
    ),
    expect.stringMatching(/^fail anonymous-refused m1: /),
    expect.stringMatching(/^fail anonymous-refused m2: /),
    ...['apiserver', 'controller-manager', 'scheduler'].flatMap((what) =>
      ['m1', 'm2'].map((host) => expect.stringMatching(`^warn ${what}-certificate ${host}: 14 days left`)),
    ),
    expect.stringMatching(/^warn client-certificate admin: 14 days left/),
  ]);
});

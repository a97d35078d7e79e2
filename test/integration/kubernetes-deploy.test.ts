/** A control plane on three hosts beside their etcd, from nothing, and what one does with it. Real Kubernetes 1.20.2. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isEmpty } from '../../src/diff/changes.ts';
import { openMember } from '../../src/health/etcd-client.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { ControlPlane } from './control-plane.ts';

let lab: Lab;
let plane: ControlPlane;
const names = ['node1', 'node2', 'node3'];
const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

beforeAll(async () => {
  lab = await startHosts({ names });
  plane = await ControlPlane.create(lab);
  await plane.deploy();
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

const onEach = <T>(work: (name: string) => Promise<T>) => Promise.all(names.map(work));

/** What a rerun must not touch. */
const untouched = () =>
  onEach((name) =>
    lab.host(name).sh(
      `for unit in etcd ${components.join(' ')}; do systemctl show -p InvocationID,MainPID "$unit"; done
       find /etc /usr/local /opt -newer /run/began`,
    ),
  );

describe('from nothing', () => {
  test('three hosts are ready, everything in its place and nothing open that must be closed', async () => {
    const report = await plane.deployControlPlane();
    expect(report.plan.hosts.map(({ host, component, disruption }) => [host, component, disruption])).toEqual(
      names.flatMap((name) => components.map((component) => [name, component, 'start'])),
    );
    expect(await onEach((name) => plane.kubectl(name, 'get', '--raw', '/readyz'))).toEqual([
      'ok',
      'ok',
      'ok',
    ]);

    for (const name of names) {
      const host = lab.host(name);
      expect(await host.sh(`systemctl is-enabled ${components.join(' ')}`)).toBe('enabled\n'.repeat(3));
      // Each as its own account, and no private key or kubeconfig open to anybody else.
      expect(
        await host.sh(`ps -o user:30=,comm= -C kube-apiserver,kube-controller,kube-scheduler | sort`),
      ).toBe(
        [
          'kube-apiserver                 kube-apiserver',
          'kube-controller-manager        kube-controller',
          'kube-scheduler                 kube-scheduler',
          '',
        ].join('\n'),
      );
      expect(
        await host.sh(
          `find -L /etc/kubernetes -type f '(' -name '*.key' -o -name kubeconfig -o -name admin.conf -o -name encryption.yaml ')' \\
             ! -perm 0600`,
        ),
      ).toBe('');
      // CA keys stay with the operator, all but the one that signs kubelets' certificates.
      expect(await host.sh(`find /etc/kubernetes -name '*ca.key' | sed 's|/[.]|/|; s|-[0-9a-f]*/|/|'`)).toBe(
        '/etc/kubernetes/pki/kube-controller-manager/signing-ca.key\n',
      );
      const open = await host.sh("ss -Hltn | awk '{ print $4 }'");
      expect(open).not.toMatch(/:(8080|10251|10252)\n/);
      expect(open).toMatch(/^127\.0\.0\.1:10257$/m);
      expect(open).toMatch(/^127\.0\.0\.1:10259$/m);
    }
  });

  test('a rerun finds nothing to do and touches nothing', async () => {
    await onEach((name) => lab.host(name).run('touch', '/run/began'));
    const before = await untouched();
    expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
    expect(isEmpty((await plane.deploy()).plan)).toBe(true);
    expect(await untouched()).toEqual(before);
  });

  test('kbin verify and kbin plan agree that all is as it should be', async () => {
    expect(await plane.kbinDoes('verify')).toContain('is healthy');
    await plane.kbinDoes('plan', '--exit-code');
    await plane.kbinDoes('control-plane', 'status');
  });
});

test('a Deployment gets its ReplicaSet and its Pods, which wait for a node', async () => {
  await plane.kubectl('node1', 'create', 'deployment', 'web', '--image', 'example/web', '--replicas', '2');
  const list = async (what: string) => {
    const text = await plane.kubectl('node3', 'get', what, '-l', 'app=web', '-o', 'json');
    return (JSON.parse(text) as { items: { metadata: { name: string }; status: { phase?: string } }[] })
      .items;
  };
  await until('two Pods of the Deployment', async (saw) => {
    const pods = await list('pods');
    return pods.length === 2 || saw(JSON.stringify(pods));
  });
  expect(await list('replicasets')).toHaveLength(1);
  expect((await list('pods')).map(({ status }) => status.phase)).toEqual(['Pending', 'Pending']);
  // The scheduler has seen them, and says why.
  await until('the scheduler says that there is no node', async (saw) => {
    const events = await plane.kubectl(
      'node2',
      'get',
      'events',
      '--field-selector',
      'reason=FailedScheduling',
    );
    return events.includes('no nodes available') || saw(events);
  });
});

test('a Secret cannot be read in etcd, a ConfigMap can', async () => {
  const literal = '--from-literal=word=tell-nobody';
  await plane.kubectl('node1', 'create', 'secret', 'generic', 'quiet', literal);
  await plane.kubectl('node1', 'create', 'configmap', 'loud', literal);
  const [target] = await plane.targets();
  if (target === undefined) throw new Error('no etcd');
  const etcd = await openMember(target, await plane.credentials(), 10_000);
  try {
    const secret = await etcd.get('/registry/secrets/default/quiet', 'linearizable');
    expect(secret).toMatch(/^k8s:enc:secretbox:v1:key1:/);
    expect(secret).not.toContain('tell-nobody');
    expect(await etcd.get('/registry/configmaps/default/loud', 'linearizable')).toContain('tell-nobody');
  } finally {
    await etcd.close();
  }
  // Every apiserver has the key.
  const words = await onEach((name) =>
    plane.kubectl(name, 'get', 'secret', 'quiet', '-o', 'jsonpath={.data.word}'),
  );
  expect(words.map((word) => Buffer.from(word, 'base64').toString())).toEqual(names.map(() => 'tell-nobody'));
});

test('each host keeps an audit log of what went through it, without the secrets', async () => {
  for (const name of names) {
    await plane.kubectl(name, 'create', 'secret', 'generic', `via-${name}`, '--from-literal=word=kept-quiet');
  }
  for (const name of names) {
    const entries = await until(`the audit log of ${name}`, async (saw) => {
      const text = await lab.host(name).run('cat', '/var/log/kubernetes/audit.log');
      return text.includes(`via-${name}`) ? text : saw(text.slice(-500));
    });
    const [line = ''] = entries
      .split('\n')
      .filter((line) => line.includes(`/secrets`) && line.includes(`via-${name}`));
    expect(JSON.parse(line)).toMatchObject({
      kind: 'Event',
      verb: 'create',
      user: { username: 'kubernetes-admin' },
      objectRef: { resource: 'secrets', name: `via-${name}` },
    });
    expect(entries).not.toContain(Buffer.from('kept-quiet').toString('base64'));
    expect(entries).not.toContain('kept-quiet');
    // The log is for root and the apiserver.
    expect(await lab.host(name).sh('find /var/log/kubernetes -type f -perm /077')).toBe('');
  }
});

test('a kubeconfig for a person: known to the API, allowed what the group is', async () => {
  await plane.kbinDoes('kubeconfig', 'alice', '--group', 'dev', '--valid', '8h', '-o', 'alice.conf');
  const kubeconfig = join(plane.folder, 'alice.conf');
  expect((await stat(kubeconfig)).mode & 0o777).toBe(0o600);
  expect(await readFile(kubeconfig, 'utf8')).toContain('client-key-data: ');
  expect(await plane.tryKubectlAs(kubeconfig, 'get', 'pods')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('User "alice" cannot list resource "pods"'),
  });
  await plane.kubectl('node1', 'create', 'clusterrolebinding', 'dev', '--clusterrole=view', '--group=dev');
  await until('the group may look', async (saw) => {
    const { code, stderr } = await plane.tryKubectlAs(kubeconfig, 'get', 'pods');
    return code === 0 || saw(stderr);
  });
  expect((await plane.tryKubectlAs(kubeconfig, 'get', 'secrets')).stderr).toContain(
    'User "alice" cannot list',
  );
});

test('what kbin bound is there: kubelets may join, and the apiservers may ask them', async () => {
  const may = (...argv: string[]) => plane.kubectl('node2', 'auth', 'can-i', ...argv);
  const kubelets = ['--as', 'kube-apiserver-kubelet-client'];
  expect(await may('get', 'nodes/proxy', ...kubelets)).toMatch(/^yes/);
  const bootstrap = ['--as', 'system:bootstrap:abcdef', '--as-group', 'system:bootstrappers'];
  expect(await may('create', 'certificatesigningrequests', ...bootstrap)).toMatch(/^yes/);
  const file = join(plane.folder, 'binding.json');
  const bindings = JSON.parse(await plane.kubectl('node2', 'get', 'clusterrolebindings', '-o', 'json')) as {
    items: { metadata: { name: string; managedFields?: { manager: string }[] } }[];
  };
  const own = bindings.items.filter(({ metadata }) =>
    metadata.managedFields?.some(({ manager }) => manager === 'kbin'),
  );
  expect(own.length).toBeGreaterThan(0);

  // One that is deleted by hand is found, and put back.
  const [lost] = own;
  await writeFile(file, JSON.stringify(lost));
  await plane.kubectl('node2', 'delete', 'clusterrolebinding', lost?.metadata.name ?? '');
  const plan = await plane.kbin('plan', '--exit-code');
  expect(plan).toMatchObject({ code: 3, stdout: expect.stringContaining(lost?.metadata.name ?? '?') });
  await plane.deployControlPlane();
  await plane.kubectl('node3', 'get', 'clusterrolebinding', lost?.metadata.name ?? '');
  expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
});

/** `kbin verify` and `kbin control-plane status` on a control plane that kbin deployed: each fault is found by its check. */
import { spawn } from 'node:child_process';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlaneHealth } from '../../src/health/check.ts';
import type { Report } from '../../src/verify/report.ts';
import { programFolder } from '../cli/transcript.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { parseXml } from '../verify/xml.ts';
import { ControlPlane } from './control-plane.ts';

let lab: Lab;
let plane: ControlPlane;
let node2: LabHost;
let node3: LabHost;
beforeAll(async () => {
  [lab] = await Promise.all([startHosts({ count: 3 }), programFolder()]);
  node2 = lab.host('node2');
  node3 = lab.host('node3');
  plane = await ControlPlane.create(lab);
  await plane.deploy();
});
afterAll(async () => {
  await lab?.stop();
  await plane?.remove();
});

interface Looked {
  readonly code: number;
  readonly report: Report;
  /** What is no pass, without those of the plan. */
  readonly findings: readonly string[];
  readonly plan: readonly string[];
}

/** Nobody's answer is wanted within the usual five seconds: machines that run several labs stall. */
async function verify(...flags: string[]): Promise<Looked> {
  const { code, stdout, stderr } = await plane.kbin('verify', '--json', '--timeout', '20', ...flags);
  if (stdout === '') throw new Error(stderr);
  expect(`${stdout}${stderr}`).not.toMatch(/PRIVATE KEY|eyJhbGci/);
  const report = JSON.parse(stdout) as Report;
  const bad = (wanted: boolean) =>
    report.sections
      .filter(({ name }) => (name === 'plan') === wanted)
      .flatMap(({ checks }) => checks)
      .filter(({ status }) => status === 'fail' || status === 'warn')
      .map(({ status, id, target, message }) => `${status} ${id}${target ? ` ${target}` : ''}: ${message}`);
  return { code, report, findings: bad(false), plan: bad(true) };
}

async function wellAgain(): Promise<void> {
  await until(
    'verify finds nothing any more',
    async (saw) => {
      const { code, findings, plan } = await verify();
      const all = [...findings, ...plan];
      return (code === 0 && all.length === 0) || saw(all.join('\n'));
    },
    { timeoutMs: 120_000 },
  );
}

const leftovers = () =>
  plane.kubectl(
    'node1',
    '-n',
    'kube-system',
    'get',
    'secret,sa',
    '-l',
    'app.kubernetes.io/managed-by',
    '-o',
    'name',
  );

/**
 * With what its files say by now. Killed first: told to stop, an apiserver of 1.20 waits a minute for those who watch. As a
 * unit it counts as started before it is ready.
 */
async function restartApiserver(host: LabHost): Promise<void> {
  await host.sh('systemctl kill -s KILL kube-apiserver; systemctl restart kube-apiserver');
  await until(
    'the apiserver is ready again',
    async () => (await plane.kubectl(host.name, 'get', '--raw', '/readyz')) === 'ok' || undefined,
  );
}

/** Lets `damage` happen to files of a component, looks, and puts all back as it was. */
async function damaged(host: LabHost, component: string, damage: () => Promise<unknown>): Promise<Looked> {
  const restart = () =>
    component === 'kube-apiserver' ? restartApiserver(host) : host.run('systemctl', 'restart', component);
  await host.sh(`rm -rf /root/kept && cp -a ${pki(component)}/. /root/kept`);
  await damage();
  await restart();
  try {
    return await verify();
  } finally {
    await host.sh(`cp -a /root/kept/. ${pki(component)}/`);
    await restart();
  }
}

/** Over a file that is there, so that owner and mode stay. */
const put = (host: LabHost, text: string, path: string) => host.sh(`cat >${path} <<'END'\n${text}END\n`);

/** Where a component's certificates and keys lie. */
const pki = (component: string) => `/etc/kubernetes/pki/${component}`;

describe('before there is a control plane', () => {
  test('an etcd alone is healthy, with one warning', async () => {
    const { code, report, findings, plan } = await verify();
    expect({ code, findings, plan }).toEqual({
      code: 0,
      findings: [expect.stringMatching(/^warn control-plane-not-deployed: /)],
      plan: [],
    });
    expect(report.sections.map(({ name }) => name)).toEqual(['plan', 'etcd', 'control-plane']);
    expect((await verify('--no-plan')).code).toBe(0);
    const status = await plane.kbin('control-plane', 'status');
    expect(status.code).toBe(3);
    expect(status.stdout).toMatch(/^node1 .* down +down +down /m);
  });

  test('what anybody wrote of Kubernetes into that etcd ends this', async () => {
    const etcdctl = (...argv: string[]) =>
      node2.run(
        '/usr/local/bin/etcdctl',
        '--endpoints=https://127.0.0.1:2379',
        '--cacert=/etc/etcd/pki/ca.crt',
        '--cert=/etc/etcd/pki/server.crt',
        '--key=/etc/etcd/pki/server.key',
        ...argv,
      );
    await etcdctl('put', '/registry/namespaces/default', 'x');
    try {
      const { code, findings } = await verify('--no-plan');
      expect(code).toBe(3);
      expect(findings.filter((text) => text.startsWith('fail apiserver-reachable'))).toHaveLength(3);
    } finally {
      await etcdctl('del', '/registry/namespaces/default');
    }
  });
});

describe('a healthy control plane', () => {
  test('is what it should be: an empty plan, and every check passed', async () => {
    await plane.deployControlPlane();
    const { code, report, findings, plan } = await verify('--junit', 'verify.xml');
    expect({ code, findings, plan }).toEqual({ code: 0, findings: [], plan: [] });
    expect(report.counts).toMatchObject({ warn: 0, fail: 0, skip: 0 });
    expect(
      report.controlPlane.map(({ host, apiserver }) => [host, apiserver.healthy, apiserver.version]),
    ).toEqual(['node1', 'node2', 'node3'].map((name) => [name, true, '1.20.2']));
    const leaders = report.controlPlane.filter(({ scheduler }) => scheduler.leader === true);
    expect(leaders).toHaveLength(1);
    const holder = await plane.kubectl(
      ...(['node1', '-n', 'kube-system', 'get', 'lease', 'kube-scheduler'] as const),
      ...['-o', 'jsonpath={.spec.holderIdentity}'],
    );
    expect(holder).toMatch(new RegExp(`^${leaders[0]?.host}_`));
    const junit = parseXml(await readFile(join(plane.folder, 'verify.xml'), 'utf8'));
    expect(junit.children.map(({ attributes }) => [attributes.name, attributes.failures])).toEqual([
      ['plan', '0'],
      ['etcd', '0'],
      ['control-plane', '0'],
    ]);
    expect(await leftovers()).toBe('');
  });

  test('tables are for people', async () => {
    const status = await plane.kbin('control-plane', 'status');
    expect(status).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(
        /^HOST +ENDPOINT +APISERVER .*\nnode1 +https:.* ready +healthy.*\n[\s\S]*\ncontrol plane of cluster lab is healthy: \d+ passed\n$/,
      ),
    });
    expect(status.stdout.match(/healthy, leads/g)).toHaveLength(2);
    const all = await plane.kbin('verify');
    expect(all.stdout).toMatch(/\ncluster lab is healthy: \d+ passed\n$/);
    const etcd = await plane.kbin('etcd', 'status');
    expect(etcd.stdout).toMatch(/\netcd of cluster lab is healthy: \d+ passed\n$/);
  });

  test('can be looked at where the ports are closed to the operator', async () => {
    const gateway = node2.address.replace(/\d+$/, '1');
    const close = `iptables -I INPUT -s ${gateway} -p tcp -m multiport --dports 2379,2380,6443 -j DROP`;
    await Promise.all(lab.hosts.map((host) => host.sh(close)));
    try {
      const { code, findings, report } = await verify();
      expect({ code, findings }).toEqual({ code: 0, findings: [] });
      expect(report.counts.skip).toBe(0);
    } finally {
      await Promise.all(lab.hosts.map((host) => host.sh(close.replace('-I', '-D'))));
    }
  });

  test('can be looked at without the key of the administrator, as far as anybody may', async () => {
    const key = join(plane.folder, 'pki', 'kubernetes-ca', 'admin.key');
    await rename(key, `${key}.away`);
    try {
      const { code, stdout } = await plane.kbin('control-plane', 'status', '--json');
      const { checks } = JSON.parse(stdout) as ControlPlaneHealth;
      expect({ code, bad: checks.filter(({ status }) => status === 'fail') }).toEqual({ code: 0, bad: [] });
      const skipped = checks.filter(({ status }) => status === 'skip');
      expect(skipped.map(({ id }) => id)).toEqual(
        expect.arrayContaining(['tokens-accepted', 'encryption-at-rest', 'rbac-objects', 'scheduler-leader']),
      );
      for (const { message } of skipped) expect(message).toMatch(/\badmin\b/);
    } finally {
      await rename(`${key}.away`, key);
    }
  });

  test('is left as it was by Ctrl-C', async () => {
    // An apiserver that does not answer keeps the run going until then.
    await node3.sh('kill -STOP $(systemctl show -p MainPID --value kube-apiserver)');
    try {
      const child = spawn(
        join(await programFolder(), 'kbin'),
        ['control-plane', 'status', '--timeout', '60'],
        {
          cwd: plane.folder,
        },
      );
      let stderr = '';
      child.stderr.on('data', (text) => {
        stderr += text;
      });
      const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
      await new Promise((resolve) => setTimeout(resolve, 3000));
      child.kill('SIGINT');
      expect(await ended).toBe(1);
      expect(stderr).toMatch(/^error: interrupted\n/m);
    } finally {
      await node3.sh('kill -CONT $(systemctl show -p MainPID --value kube-apiserver)');
    }
    expect(await leftovers()).toBe('');
    await wellAgain();
  });
});

describe('a control plane that is not what it should be', () => {
  test('a scheduler is stopped', async () => {
    await node2.run('systemctl', 'stop', 'kube-scheduler');
    const { code, findings, plan } = await verify();
    expect(code).toBe(3);
    expect(findings).toContain('fail scheduler-healthy node2: refuses connections: nothing listens there');
    expect(plan).toEqual([
      expect.stringMatching(/^fail kube-scheduler-unchanged node2: .* start kube-scheduler.service/),
    ]);
    const table = await plane.kbin('control-plane', 'status');
    expect(table).toMatchObject({
      code: 3,
      stdout: expect.stringMatching(
        /\nnode2 +https:\S+ +ready +healthy(, leads)? +down .*\n[\s\S]*scheduler-healthy node2: .*\n {6}next: see whether/,
      ),
    });
    await node2.run('systemctl', 'start', 'kube-scheduler');
    await wellAgain();
  });

  test('an apiserver signs with a key of its own', async () => {
    const { code, findings, plan } = await damaged(node2, 'kube-apiserver', () =>
      node2.sh(
        `cd ${pki('kube-apiserver')}/
         openssl ecparam -name prime256v1 -genkey -noout -out other.pem && openssl ec -in other.pem -pubout -out other.pub
         cat other.pem >service-account.key && cat other.pub >service-account.pub && rm other.pem other.pub`,
      ),
    );
    expect(code).toBe(3);
    expect(findings).toEqual([
      'fail tokens-accepted node1: a token signed by it is refused by node2, which does not accept the token',
      expect.stringMatching(
        /^fail tokens-accepted node2: a token signed by it is refused by node1, .*; node3, which does not accept/,
      ),
      'fail tokens-accepted node3: a token signed by it is refused by node2, which does not accept the token',
    ]);
    expect(plan).toContainEqual(expect.stringMatching(/^fail kube-apiserver-unchanged node2: /));
    await wellAgain();
  });

  test('encryption.yaml was edited, so that an apiserver writes plain text', async () => {
    const file = `${pki('kube-apiserver')}/encryption.yaml`;
    const { code, findings } = await damaged(node2, 'kube-apiserver', () =>
      node2.sh(`sed -i '/^ *- identity/d; s/^\\( *\\)providers:/&\\n\\1  - identity: {}/' ${file}`),
    );
    expect(code).toBe(3);
    expect(findings).toEqual([
      expect.stringMatching(
        /^fail encryption-at-rest node2: a Secret written through it lies in etcd in plain text/,
      ),
    ]);
    await wellAgain();
  });

  test('a scheduler serves a certificate that is valid, and not its own', async () => {
    const of = (file: string) => readFile(join(plane.folder, 'pki', 'kubernetes-ca', file), 'utf8');
    const { code, findings } = await damaged(node3, 'kube-scheduler', async () => {
      for (const end of ['crt', 'key'])
        await put(
          node3,
          await of(`controller-manager-server@node3.${end}`),
          `${pki('kube-scheduler')}/server.${end}`,
        );
    });
    expect(code).toBe(3);
    expect(findings.filter((text) => !text.includes('scheduler-leader'))).toEqual([
      expect.stringMatching(
        /^fail scheduler-certificate node3: serves another certificate than the one that was issued/,
      ),
    ]);
    await wellAgain();
  });

  test('an apiserver serves a certificate of another host, which deploy puts right', async () => {
    const of = (file: string) => readFile(join(plane.folder, 'pki', 'kubernetes-ca', file), 'utf8');
    for (const end of ['crt', 'key'])
      await put(node2, await of(`apiserver@node1.${end}`), `${pki('kube-apiserver')}/server.${end}`);
    // It reads them by itself, within a minute.
    try {
      await until(
        'the other certificate is found',
        async (saw) => {
          const { findings } = await verify();
          const found = ['reachable', 'certificate'].every((what) =>
            findings.some((text) =>
              text.startsWith(
                `fail apiserver-${what} node2: serves a certificate that is not for the address`,
              ),
            ),
          );
          return found || saw(findings.join('\n'));
        },
        { timeoutMs: 120_000 },
      );
    } finally {
      await plane.deployControlPlane();
    }
    await wellAgain();
  });

  test('a firewall between an apiserver and an etcd member', async () => {
    const close = `iptables -I OUTPUT -d ${node3.address} -p tcp --dport 2379 -j REJECT`;
    await node2.sh(close);
    try {
      const { code, findings } = await verify();
      expect(code).toBe(3);
      // The apiserver itself may stall meanwhile, with a connection from before.
      expect(findings.filter((text) => text.includes('etcd-reached'))).toEqual([
        `fail etcd-reached node2: from this host, node3 (${node3.address}:2379) refuses connections: nothing listens there`,
      ]);
    } finally {
      await node2.sh(close.replace('-I', '-D'));
    }
    await wellAgain();
  });

  test('an RBAC binding is gone, and another lets everybody in', async () => {
    await plane.kubectl('node1', 'delete', 'clusterrolebinding', 'kbin:kubelet-bootstrap');
    const open = ['clusterrolebinding', 'open'];
    await plane.kubectl(
      'node1',
      'create',
      ...open,
      '--clusterrole=cluster-admin',
      '--group=system:unauthenticated',
    );
    const { code, findings } = await verify();
    await plane.kubectl('node1', 'delete', ...open);
    expect(code).toBe(3);
    expect(findings).toEqual([
      'fail rbac-objects ClusterRoleBinding/kbin:kubelet-bootstrap: does not exist',
      ...['node1', 'node2', 'node3'].map((name) =>
        expect.stringMatching(`^fail anonymous-refused ${name}: `),
      ),
    ]);
    await plane.deployControlPlane();
    await wellAgain();
  });

  test('a host is gone: the others are looked at all the same', async () => {
    await node3.disconnect();
    try {
      // Connections of apiservers to the lost etcd member hang for a while, and there may be an election.
      const looked = await until(
        'the other two agree',
        async (saw) => {
          const seen = await verify('--timeout', '5');
          const checks = seen.report.sections.flatMap((section) => section.checks);
          const both = ['objects-agree', 'tokens-accepted', 'encryption-at-rest'].every(
            (id) =>
              checks
                .filter((check) => check.id === id)
                .map(({ target, status }) => `${target} ${status}`)
                .join() === 'node1 pass,node2 pass',
          );
          return both ? seen : saw(seen.findings.join('\n'));
        },
        { timeoutMs: 120_000 },
      );
      expect(looked.code).toBe(3);
      const findings = looked.findings.join('\n');
      expect(findings).toMatch(/^fail apiserver-reachable node3: /m);
      expect(findings).toMatch(/^fail scheduler-healthy node3: /m);
      expect(findings).toMatch(/^fail etcd-reached node1: from this host, node3 /m);
    } finally {
      await node3.connect();
    }
    await wellAgain();
  });
});

test('one control-plane host is enough', async () => {
  await plane.change({ roles: (host) => (host === 'node1' ? ['etcd', 'control-plane'] : ['etcd']) });
  for (const host of [node2, node3])
    await host.run(
      'systemctl',
      'disable',
      '--now',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
    );
  await until(
    'the only one leads',
    async (saw) => {
      const { code, findings } = await verify('--no-plan');
      return code === 0 || saw(findings.join('\n'));
    },
    { timeoutMs: 120_000 },
  );
  const { stdout } = await plane.kbin('control-plane', 'status', '--json');
  const { hosts, checks } = JSON.parse(stdout) as ControlPlaneHealth;
  expect(hosts).toMatchObject([
    { host: 'node1', controllerManager: { leader: true }, scheduler: { leader: true } },
  ]);
  expect(checks).toContainEqual(
    expect.objectContaining({
      id: 'tokens-accepted',
      status: 'pass',
      message: 'a token signed by it is accepted by node1',
    }),
  );
});

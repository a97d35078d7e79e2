/** A control plane installed by hand, as `kbin render` describes it, is kbin's as any; and what `kbin plan` says of it after things went wrong. */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Plan } from '../../src/diff/changes.ts';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { sshOptions } from '../lab/ssh.ts';
import { until } from '../lab/until.ts';
import { ControlPlane } from './control-plane.ts';
import { succeed } from './execute.ts';

let lab: Lab;
let plane: ControlPlane;
beforeAll(async () => {
  lab = await startHosts({ count: 2 });
  plane = await ControlPlane.create(lab);
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
type Told = Plan & { complete: boolean; empty: boolean; code: number };

async function planOf(): Promise<Told> {
  const { code, stdout, stderr } = await plane.kbin('plan', '--json', '--exit-code');
  if (stdout === '') throw new Error(stderr);
  expect(`${stdout}${stderr}`).not.toMatch(/PRIVATE KEY|client-key-data|secret: /);
  return { ...(JSON.parse(stdout) as Told), code };
}

const codes = ({ findings }: Plan) =>
  findings.map(({ severity, code, host }) => `${severity} ${code}${host === undefined ? '' : `@${host}`}`);

test('on bare hosts everything is to be made, by component, and nothing stands in the way', async () => {
  const plan = await planOf();
  expect([plan.code, plan.complete, plan.empty, codes(plan), plan.objects]).toEqual([3, true, false, [], []]);
  expect(plan.hosts.map(({ host, component, disruption }) => [host, component, disruption])).toEqual(
    lab.hosts.flatMap(({ name }) => ['etcd', ...components].map((component) => [name, component, 'start'])),
  );
  const { stdout } = await plane.kbin('plan');
  expect(stdout).toContain('start etcd on 2 hosts');
});

describe('installed by hand from kbin render', () => {
  beforeAll(async () => {
    await plane.kbinDoes('render', '-o', 'out');
    await Promise.all(lab.hosts.map(bring));
    for (const component of ['etcd', ...components]) {
      await Promise.all(lab.hosts.map((host) => install(host, component)));
      await Promise.all(lab.hosts.map((host) => running(host, component)));
    }
    const [first] = lab.hosts as [LabHost];
    await follow(first, 'Objects', 'Apply');
  }, 300_000);

  test('the guide’s own look finds it ready', async () => {
    for (const host of lab.hosts) {
      expect(await follow(host, 'kube-apiserver', 'Look')).toContain('readyz check passed');
    }
  });

  test('nothing is left to do', async () => {
    const { code, stdout, stderr } = await plane.kbin('plan', '--exit-code');
    expect(stdout, stderr).toBe('nothing to do: 2 hosts as cluster.yaml wants\n');
    expect(code).toBe(0);
  });

  test('and a deploy changes nothing but to write down who lives where', async () => {
    const before = await startedAt();
    await plane.deploy();
    const { plan } = await plane.deployControlPlane();
    expect(plan.hosts.flatMap(({ changes }) => changes)).toEqual([]);
    expect(await startedAt()).toEqual(before);
  });

  test('an object that somebody deleted or changed is seen', async () => {
    const [{ name }] = lab.hosts as [LabHost];
    await plane.kubectl(name, 'delete', 'clusterrolebinding', 'kbin:kubelet-bootstrap');
    const plan = await planOf();
    expect([plan.code, plan.empty]).toEqual([3, false]);
    expect(plan.objects).toMatchObject([
      { kind: 'object', action: 'create', target: 'ClusterRoleBinding/kbin:kubelet-bootstrap' },
    ]);
    const { stdout } = await plane.kbin('plan');
    expect(stdout).toContain('ClusterRoleBinding/kbin:kubelet-bootstrap');
    await plane.deployControlPlane();
    expect((await planOf()).empty).toBe(true);
  });

  test('an encryption.yaml that was edited stops everything, and is not shown', async () => {
    const [{ name }, other] = lab.hosts as [LabHost, LabHost];
    const file = '/etc/kubernetes/pki/kube-apiserver/encryption.yaml';
    await other.sh(`cp -a ${file} /root/kept && echo '# mine' >>${file}`);
    const plan = await planOf();
    expect(codes(plan)).toEqual([`stop encryption-edited@${other.name}`]);
    await expect(plane.deployControlPlane()).rejects.toThrow(
      /encryption\.yaml is not the one that kbin wrote/,
    );
    await other.sh(`cat /root/kept >${file}`);

    // Another key, as in a pki folder that was made anew: without the note that there was one.
    const key = join(plane.folder, 'pki/encryption-key');
    await rename(key, `${key}.away`);
    try {
      await succeed('rm', [`${key}-made`]);
      await plane.kbin('pki', 'init');
      expect(codes(await planOf())).toEqual(
        expect.arrayContaining([
          `stop encryption-key-lost@${name}`,
          `stop encryption-key-lost@${other.name}`,
        ]),
      );
    } finally {
      await succeed('rm', ['-rf', key]);
      await rename(`${key}.away`, key);
    }
    expect((await planOf()).empty).toBe(true);
  });

  test('what others could not read yet is not written; another provider and none are safe', async () => {
    const names = lab.hosts.map(({ name }) => name);
    const stops = (code: string) => names.map((name) => `stop ${code}@${name}`);
    await plane.change({ kubernetes: 'encryption: { resources: [secrets, configmaps] }' });
    expect(codes(await planOf())).toEqual(stops('encryption-in-steps'));
    await plane.change({ kubernetes: 'encryption: { resources: [configmaps] }' });
    expect(codes(await planOf())).toEqual([
      ...stops('encryption-resource-lost'),
      ...stops('encryption-in-steps'),
    ]);

    const [first, second] = names as [string, string];
    await plane.kubectl(first, 'create', 'secret', 'generic', 'kept', '--from-literal=word=first');
    const stopping = async () => codes(await planOf()).filter((code) => code.startsWith('stop'));
    await plane.change({ kubernetes: 'encryption: aesgcm' });
    expect(await stopping()).toEqual([]);
    for (const kubernetes of ['encryption: off', '']) {
      await plane.change({ kubernetes });
      expect(await stopping()).toEqual([]);
      await plane.deployControlPlane();
      for (const name of [first, second]) {
        const read = await plane.kubectl(name, 'get', 'secret', 'kept', '-o', 'jsonpath={.data.word}');
        expect(Buffer.from(read, 'base64').toString()).toBe('first');
      }
      await plane.kubectl(
        second,
        'patch',
        'secret',
        'kept',
        '-p',
        `{"metadata":{"labels":{"a":"${kubernetes.slice(12)}"}}}`,
      );
    }
    expect((await planOf()).empty).toBe(true);
  }, 300_000);

  test('steps between versions that Kubernetes does not support', async () => {
    const told = async (version: string) => {
      await plane.change({ kubernetes: `version: ${version}\nsource: ./not-there.tar.gz` });
      return codes(await planOf());
    };
    const on = (code: string) => lab.hosts.map(({ name }) => `${code}@${name}`);
    expect(await told('1.22.17')).toEqual([...on('stop skipped-minor'), 'warning binaries-unknown']);
    expect(await told('1.20.1')).toEqual([...on('warning older-patch'), 'warning binaries-unknown']);
    expect(await told('1.21.14')).toEqual(['warning binaries-unknown']);
    await plane.change({ kubernetes: '' });
    expect((await planOf()).empty).toBe(true);
  });

  test('a static pod of kubeadm stops it', async () => {
    const [host] = lab.hosts as [LabHost];
    const path = '/etc/kubernetes/manifests/kube-scheduler.yaml';
    await host.sh(`mkdir -p ${dirname(path)} && touch ${path}`);
    expect(codes(await planOf())).toEqual([`stop static-pod@${host.name}`]);
    await host.sh(`rm -r ${dirname(path)}`);
  });

  test('without the private keys it still compares, and says what it could not', async () => {
    const pki = join(plane.folder, 'pki');
    const keys = (await readdir(pki, { recursive: true })).filter((file) => file.endsWith('.key'));
    await Promise.all(keys.map((key) => rename(join(pki, key), join(pki, `${key}.away`))));
    try {
      const plan = await planOf();
      expect([plan.code, plan.empty, plan.complete]).toEqual([0, true, true]);
      expect(codes(plan)).toEqual([
        'warning secrets-not-compared',
        'warning etcd-not-asked',
        'warning apiservers-not-asked',
      ]);
    } finally {
      await Promise.all(keys.map((key) => rename(join(pki, `${key}.away`), join(pki, key))));
    }
  });

  test('an endpoint that no certificate has stops it until kbin pki init', async () => {
    const text = await readFile(plane.file, 'utf8');
    await writeFile(plane.file, `${text}\nendpoint: { address: api.example.org }\n`);
    const stopped = await planOf();
    expect(codes(stopped)).toEqual(['stop names-missing']);
    expect(stopped.findings[0]?.message).toContain('not good for api.example.org');
    await plane.kbinDoes('pki', 'init');
    const plan = await planOf();
    expect([codes(plan), plan.empty]).toEqual([[], false]);
    expect(
      plan.hosts.filter(({ disruption }) => disruption === 'restart').map(({ component }) => component),
    ).toEqual(lab.hosts.map(() => 'kube-apiserver'));
  });
});

const startedAt = () =>
  Promise.all(
    lab.hosts.map((host) =>
      host.sh(`for unit in ${components.join(' ')}; do systemctl show -p InvocationID "$unit"; done`),
    ),
  );

/** As a person would: copy the folder over, with the programs of the releases in it. */
async function bring(host: LabHost): Promise<void> {
  const folder = join(plane.folder, 'out', host.name);
  const ssh = ['ssh', ...sshOptions(lab), `root@${host.address}`].map((word) => `'${word}'`).join(' ');
  const programs = await kubernetesRelease();
  await succeed('sh', [
    '-euc',
    `tar -C '${folder}' -cf - . | ${ssh} 'mkdir /root/by-hand && tar -C /root/by-hand -xf -'
     ${ssh} 'tar -C /root/by-hand --strip-components=1 -xzf -' <'${inject('etcdTarballs')['3.5.16']}'
     tar -C '${programs}' -chf - ${components.join(' ')} kubectl | ${ssh} 'tar -C /root/by-hand -xf -'`,
  ]);
}

async function install(host: LabHost, component: string): Promise<void> {
  for (const title of ['Account', 'Folders', 'Programs', 'Files', 'Certificates', 'Start']) {
    await follow(host, component, title);
  }
}

function running(host: LabHost, component: string): Promise<unknown> {
  return until(`${component} on ${host.name} is ready`, async (saw) => {
    const { stdout } = await host.exec(['systemctl', 'is-active', component]);
    if (stdout === 'active\n') {
      if (component !== 'kube-apiserver') return true;
      const said = await host.sh(
        'kubectl --kubeconfig /etc/kubernetes/admin.conf get --raw /readyz 2>&1 || true',
      );
      return said === 'ok' || saw(said);
    }
    return saw(stdout + (await host.sh(`journalctl -u ${component} -n 5 --no-pager -o cat`)));
  });
}

/** Runs the commands of one step of INSTALL.md, as they stand there. */
async function follow(host: LabHost, component: string, title: string): Promise<string> {
  const guide = await readFile(join(plane.folder, 'out', host.name, 'INSTALL.md'), 'utf8');
  const part = guide.split(/^## /m).find((text) => text.startsWith(`${component}\n`));
  const step = part?.split(/^### \d+\. /m).find((text) => text.startsWith(`${title}\n`));
  const commands = /^```sh\n(.*?)^```$/ms.exec(step ?? '')?.[1];
  if (commands === undefined) throw new Error(`INSTALL.md has no step ${title} of ${component}`);
  return host.sh(`cd /root/by-hand\n{ ${commands} } 2>&1`);
}

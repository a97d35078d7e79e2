/** `kbin pki check` on a live etcd and control plane: pki/, the disks and the wire are told apart. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PkiCheck } from '../../src/cli/pki/check-report.ts';
import { programFolder } from '../cli/transcript.ts';
import type { LabHost } from '../lab/host.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { parseXml } from '../verify/xml.ts';
import { ControlPlane } from './control-plane.ts';
import { succeed } from './execute.ts';

let lab: Lab;
let plane: ControlPlane;
let node1: LabHost;
let node2: LabHost;
beforeAll(async () => {
  [lab] = await Promise.all([startHosts({ count: 2 }), programFolder()]);
  node1 = lab.host('node1');
  node2 = lab.host('node2');
  plane = await ControlPlane.create(lab, {
    roles: (host) => (host === 'node1' ? ['etcd', 'control-plane'] : ['etcd']),
  });
});
afterAll(async () => {
  await lab?.stop();
  await plane?.remove();
});

interface Looked {
  readonly code: number;
  readonly report: PkiCheck;
  /** `CODE NAME HOST` of every fault, `served` or `host` before it. */
  readonly faults: readonly string[];
}

async function check(...flags: string[]): Promise<Looked> {
  const { code, stdout, stderr } = await plane.kbin('pki', 'check', '--json', '--timeout', '20', ...flags);
  if (stdout === '') throw new Error(stderr);
  expect(`${stdout}${stderr}`).not.toMatch(/PRIVATE KEY/);
  const report = JSON.parse(stdout) as PkiCheck;
  const faults = [
    ...report.certificates.flatMap(({ findings, ...one }) =>
      findings.map((finding) => ({ ...one, ...finding })),
    ),
    ...report.others,
  ]
    .filter(({ severity }) => severity === 'fail')
    .map(({ seen = 'store', host, name, code: found }) =>
      [seen, found, name, host].filter(Boolean).join(' '),
    );
  return { code, report, faults };
}

/** The store's certificate and key, over what lies on a host, in place: owners and modes stay. */
async function putOnDisk(host: LabHost, id: string, path: string): Promise<void> {
  for (const ending of ['crt', 'key']) {
    const text = await readFile(join(plane.folder, 'pki', `${id}.${ending}`), 'utf8');
    await host.sh(`cat >${path}.${ending} <<'END'\n${text}END\n`);
  }
}

async function renewInStore(id: string): Promise<void> {
  await rm(join(plane.folder, 'pki', `${id}.crt`));
  await plane.kbinDoes('pki', 'init');
}

const server = 'etcd-ca/etcd-server@node2';

test('before anything is deployed there is only pki/ to look at, and that is no fault', async () => {
  const { code, report, faults } = await check();
  expect({ code, faults, gaps: report.gaps }).toEqual({ code: 0, faults: [], gaps: [] });
  expect(new Set(report.certificates.map(({ seen }) => seen))).toEqual(new Set(['store']));
  expect(report.notes).toContain("etcd was not brought to node2 yet: nothing of kbin's lies there");
});

describe('a cluster as it was deployed', () => {
  beforeAll(async () => {
    await plane.deploy();
    await plane.deployControlPlane();
  });

  test('is the same everywhere', async () => {
    const { code, report, faults } = await check('--junit', 'check.xml');
    expect({ code, faults, gaps: report.gaps, notes: report.notes }).toEqual({
      code: 0,
      faults: [],
      gaps: [],
      notes: [],
    });
    const served = report.certificates.filter(({ seen }) => seen === 'served');
    expect(served.map(({ name }) => name).sort()).toEqual([
      'apiserver@node1',
      'controller-manager-server@node1',
      'etcd-peer@node1',
      'etcd-peer@node2',
      'etcd-server@node1',
      'etcd-server@node2',
      'scheduler-server@node1',
    ]);
    expect(served.map(({ signedBy }) => signedBy)).toEqual(
      served.map(({ name = '' }) => (name.startsWith('etcd') ? 'etcd-ca' : 'kubernetes-ca')),
    );
    const embedded = report.certificates.filter(({ where }) => where === '/etc/kubernetes/admin.conf');
    expect(embedded.map(({ name, host }) => [name, host])).toEqual([
      ['admin', 'node1'],
      ['kubernetes-ca', 'node1'],
    ]);
    const junit = parseXml(await readFile(join(plane.folder, 'check.xml'), 'utf8'));
    expect(junit.children.map(({ attributes }) => [attributes.name, attributes.failures])).toEqual([
      ['store', '0'],
      ['host', '0'],
      ['served', '0'],
    ]);
    const table = await plane.kbinDoes('pki', 'check', '--timeout', '20');
    expect(table).toMatch(/^etcd-ca +CN=etcd-ca +etcd-ca +\S+ +\d+ +same on 2 +- +ok$/m);
    expect(table).toMatch(/^etcd-server@node2 +CN=node2 +etcd-ca +\S+ +\d+ +same +same +ok$/m);
    expect(table).toMatch(/^certificates of cluster lab: good: /m);
  });

  test('what ends within the time that is asked for is a fault wherever it is', async () => {
    const { code, faults } = await check('--within', '11y');
    expect(code).toBe(3);
    expect(faults).toContain('store expires-soon apiserver@node1');
    expect(faults).toContain('host expires-soon apiserver@node1 node1');
    expect(faults).toContain('served expires-soon apiserver@node1 node1');
    expect(faults.filter((fault) => fault.includes('-ca'))).toEqual([]);
  });

  test('a port that is closed to the operator is looked at through SSH', async () => {
    const closed = '-p tcp -m multiport --dports 2379,2380 ! -i lo -j REJECT --reject-with tcp-reset';
    await node2.sh(`iptables -A INPUT ${closed}`);
    try {
      const { faults, report } = await check();
      const served = report.certificates.filter(({ seen, host }) => seen === 'served' && host === 'node2');
      expect({ faults, served: served.length, gaps: report.gaps }).toEqual({
        faults: [],
        served: 2,
        gaps: [],
      });
    } finally {
      await node2.sh(`iptables -D INPUT ${closed}`);
    }
  });
});

describe('a renewal', () => {
  test('that was not deployed: the disk differs from pki/, and what is served is what lies there', async () => {
    await renewInStore(server);
    const { code, faults } = await check();
    expect({ code, faults }).toEqual({
      code: 3,
      faults: ['host disk-differs etcd-server@node2 node2', 'host key-differs etcd-server@node2 node2'],
    });
    const { stdout } = await plane.kbin('pki', 'check', '--timeout', '20');
    expect(stdout).toMatch(/^etcd-server@node2 .* differs on node2 +same +disk-differs$/m);
  });

  test('that etcd reads at the next handshake leaves nothing to complain of', async () => {
    await putOnDisk(node2, server, '/etc/etcd/pki/server');
    const { code, faults } = await check();
    expect({ code, faults }).toEqual({ code: 0, faults: [] });
  });

  test('that is on the disk and was not read: what is served differs from the disk, until the restart', async () => {
    // kube-scheduler looks at its files once a minute: another certificate each time, until that was not just now.
    let seen: Looked | undefined;
    for (let attempt = 0; attempt < 5 && (seen === undefined || seen.faults.length === 0); attempt++) {
      await renewInStore('kubernetes-ca/scheduler-server@node1');
      await putOnDisk(
        node1,
        'kubernetes-ca/scheduler-server@node1',
        '/etc/kubernetes/pki/kube-scheduler/server',
      );
      seen = await check();
    }
    expect(seen).toMatchObject({ code: 3, faults: ['served served-differs scheduler-server@node1 node1'] });
    const served = seen?.report.certificates.find(
      (one) => one.seen === 'served' && one.name === 'scheduler-server@node1',
    );
    expect(served?.findings[0]?.message).toMatch(
      /^kube-scheduler shows another certificate \(serial [0-9A-F]{40}, until [\d-]+\) than lies on its disk \(serial [0-9A-F]{40}, /,
    );
    expect(served?.findings[0]?.next).toContain('systemctl restart kube-scheduler');
    await node1.run('systemctl', 'restart', 'kube-scheduler');
    await expect.poll(async () => (await check()).faults, { timeout: 60_000 }).toEqual([]);
  });
});

describe('what does not belong there', () => {
  test('a certificate of another CA of the same name, on the disk and on the wire', async () => {
    const make = (...argv: string[]) => succeed('openssl', argv, { cwd: plane.folder });
    await make(
      ...['req', '-x509', '-newkey', 'rsa:1024', '-sha1', '-noenc', '-subj', '/CN=etcd-ca', '-days', '3'],
      ...['-keyout', 'foreign.key', '-out', 'foreign.crt', '-addext', 'subjectAltName=DNS:elsewhere'],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    );
    await node2.sh('cp -a /etc/etcd/pki/server.crt /etc/etcd/pki/server.key /root/');
    for (const ending of ['crt', 'key']) {
      const text = await readFile(join(plane.folder, `foreign.${ending}`), 'utf8');
      await node2.sh(`cat >/etc/etcd/pki/server.${ending} <<'END'\n${text}END\n`);
    }
    try {
      const { code, faults, report } = await check();
      expect(code).toBe(3);
      for (const seen of ['host', 'served']) {
        const codes = faults
          .filter((fault) => fault.startsWith(`${seen} `))
          .map((fault) => fault.split(' ')[1]);
        expect(codes).toEqual(
          expect.arrayContaining(['signature-wrong', 'weak-key', 'weak-signature', 'expires-soon']),
        );
        expect(codes).toEqual(
          expect.arrayContaining(seen === 'host' ? ['disk-differs', 'key-differs'] : ['wrong-address']),
        );
      }
      // What lies there is what is shown: only pki/ has another.
      expect(faults.filter((fault) => fault.includes('served-differs'))).toEqual([]);
      const served = report.certificates.find(
        (one) => one.seen === 'served' && one.name === 'etcd-server@node2',
      );
      expect(served?.signedBy).toBeUndefined();
    } finally {
      await node2.sh('cp -a /root/server.crt /root/server.key /etc/etcd/pki/');
    }
  });

  test('a key that others may read, a certificate that is gone, a kubeconfig of before', async () => {
    await node2.sh('chmod 644 /etc/etcd/pki/peer.key; mv /etc/etcd/pki/healthcheck-client.crt /root/');
    await renewInStore('kubernetes-ca/admin');
    try {
      const { code, faults } = await check();
      expect({ code, faults: [...faults].sort() }).toEqual({
        code: 3,
        faults: [
          'host disk-differs admin node1',
          'host disk-missing etcd-healthcheck-client node2',
          'host key-open etcd-peer@node2 node2',
        ],
      });
    } finally {
      await node2.sh('chmod 600 /etc/etcd/pki/peer.key; mv /root/healthcheck-client.crt /etc/etcd/pki/');
    }
  });
});

test('a host that is down: the rest is told all the same, and the exit code says that it is not all', async () => {
  await node2.kill();
  try {
    const { code, report } = await check();
    expect(code).toBe(1);
    expect(report.complete).toBe(false);
    expect(report.gaps.map(({ host, what }) => `${host}: ${what}`)).toContain('node2: the files on its disk');
    // Without a quorum controller-manager and scheduler lose their leases, and end.
    const served = report.certificates.filter(({ seen }) => seen === 'served').map(({ name }) => name);
    expect(served).toEqual(expect.arrayContaining(['etcd-server@node1', 'etcd-peer@node1']));
    expect(served.filter((name) => name?.endsWith('@node2'))).toEqual([]);
    const disks = report.certificates.filter(({ seen }) => seen === 'host').map(({ host }) => host);
    expect(new Set(disks)).toEqual(new Set(['node1']));
    expect((await check('--no-hosts')).code).toBe(0);
  } finally {
    await node2.start();
  }
});

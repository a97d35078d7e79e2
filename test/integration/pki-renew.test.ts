/** Renewed certificates on a live etcd of three, while clients write: what is right goes round, what is wrong comes back. */
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planIds } from '../../src/ca/observed-store.ts';
import { reconcileStore } from '../../src/ca/reconcile.ts';
import type { Renew } from '../../src/ca/renewal-diff.ts';
import { certificatePlan } from '../../src/desired/certificates.ts';
import { isEmpty } from '../../src/diff/changes.ts';
import { KbinError } from '../../src/errors.ts';
import { parseEndpoint } from '../../src/health/target.ts';
import { probeWire } from '../../src/health/wire.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { Deployment } from './deployment.ts';
import { execute } from './execute.ts';
import { InterruptedDeploy } from './interrupt.ts';

const names = ['node1', 'node2', 'node3'];
let lab: Lab;
let deployment: Deployment;
let interrupted: InterruptedDeploy;
beforeAll(async () => {
  lab = await startHosts({ names });
  deployment = await Deployment.create(lab);
  await deployment.deploy();
  interrupted = await InterruptedDeploy.create(deployment.folder, 'etcd');
});
afterAll(async () => {
  await deployment?.remove();
  await lab?.stop();
});

const plan = async () => certificatePlan(await deployment.cluster());
const renew = async (wanted: Renew) =>
  reconcileStore(await plan(), await deployment.store(), { now: new Date(), renew: wanted });
const leavesNewKey: Renew = (id) => (id.endsWith('-ca') ? undefined : 'new-key');

/** SHA-256 of what the store has, and of what is served, by `HOST server|peer`. */
async function issued(): Promise<Record<string, string | undefined>> {
  const view = (await deployment.store()).view();
  return fingerprints(async (name, kind) => {
    const pem = view.certificate(`etcd-${kind}@${name}`)?.pem ?? '';
    return new X509Certificate(pem).fingerprint256;
  });
}
async function served(): Promise<Record<string, string | undefined>> {
  const [targets, credentials] = [await deployment.targets(), await deployment.credentials()];
  return fingerprints(async (name, kind) => {
    const target = targets.find((one) => one.name === name);
    const url = kind === 'server' ? target?.endpoint : target?.expected?.peerUrls[0];
    const { chain } = await probeWire(parseEndpoint(url ?? ''), credentials, { deadlineMs: 5000 });
    return chain[0]?.fingerprint;
  });
}
async function fingerprints(
  of: (name: string, kind: 'server' | 'peer') => Promise<string | undefined>,
): Promise<Record<string, string | undefined>> {
  const found = names.flatMap((name) =>
    (['server', 'peer'] as const).map(async (kind) => [`${name} ${kind}`, await of(name, kind)] as const),
  );
  return Object.fromEntries(await Promise.all(found));
}

/** The folder of certificates on each host, and the process that runs. */
const folders = () => Promise.all(names.map((name) => lab.host(name).run('readlink', '/etc/etcd/pki')));
const processes = () =>
  Promise.all(names.map((name) => lab.host(name).run('systemctl', 'show', '-p', 'MainPID', 'etcd')));
const terms = async () =>
  (await deployment.health()).members.map(({ raftTerm }: { raftTerm?: string }) => raftTerm);

/** Something that must not be done; returns why it was not. */
async function refusal(): Promise<KbinError> {
  const error = await deployment.deploy().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof KbinError) return error;
  throw new Error(`no KbinError: ${error}`, { cause: error });
}

/**
 * Puts into the store, for the key that is there, a certificate that its CA did sign, with everything that the plan
 * asks for, and with an extension that no verifier may pass over and none knows.
 */
async function smuggle(
  id: string,
  extension = '1.2.3.4=critical,DER:05:00',
  usages = 'serverAuth,clientAuth',
): Promise<void> {
  const at = (path: string): string => join(deployment.folder, 'pki', 'etcd-ca', path);
  const former = new X509Certificate(await readFile(at(`${id}.crt`)));
  const sans = (former.subjectAltName ?? '').replaceAll('IP Address:', 'IP:').replaceAll(', ', ',');
  const extensions = ['keyUsage=critical,digitalSignature', `extendedKeyUsage=${usages}`];
  const lines = [...extensions, `subjectAltName=${sans}`, extension, ''];
  await writeFile(at('ext.cnf'), lines.join('\n'));
  const openssl = async (...argv: string[]) => {
    const { code, stderr } = await execute('openssl', argv, { cwd: deployment.folder });
    if (code !== 0) throw new Error(stderr);
  };
  const subject = `/${former.subject.split('\n').join('/')}`;
  await openssl('req', '-new', '-key', at(`${id}.key`), '-subj', subject, '-out', at('request.pem'));
  await openssl(
    ...['x509', '-req', '-in', at('request.pem'), '-CA', at('ca.crt'), '-CAkey', at('ca.key')],
    ...['-set_serial', '0x1234', '-days', '90', '-extfile', at('ext.cnf'), '-out', at(`${id}.crt`)],
  );
}

test('all leaves, each with a new key: nothing restarts, nobody is refused, and every port serves the new ones', async () => {
  const [formerProcesses, formerTerms, former] = [await processes(), await terms(), await served()];
  expect(former).toEqual(await issued());
  const writer = await deployment.writer();
  writer.start();
  const { applied } = await renew(leavesNewKey);
  expect(applied.map(({ id }) => id)).toEqual(
    planIds(await plan()).filter((id) => !/-ca$|^service-account$|^encryption-key$/.test(id)),
  );
  const { plan: done } = await deployment.deploy();
  await writer.stop();
  expect(done.hosts.map(({ host, disruption }) => [host, disruption])).toEqual(
    names.map((name) => [name, 'none']),
  );
  expect(await served()).toEqual(await issued());
  for (const [where, fingerprint] of Object.entries(await served()))
    expect(fingerprint).not.toBe(former[where]);
  expect(await processes()).toEqual(formerProcesses);
  expect(await terms()).toEqual(formerTerms);
  expect(writer.outages).toEqual([]);
  for (const target of await deployment.targets()) expect(await writer.lost(target)).toEqual([]);
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
});

test('a server certificate that clients refuse comes back on its host, and the others are untouched', async () => {
  await renew((id) => (id.startsWith('etcd-server@') ? 'new-key' : undefined));
  await smuggle('etcd-server@node1');
  const [formerFolders, formerProcesses, former] = [await folders(), await processes(), await served()];
  const writer = await deployment.writer();
  writer.start();
  const { message, details } = await refusal();
  await writer.stop();
  expect(message).toBe('etcd on node1 does not serve its new certificate');
  expect(details.host).toBe('node1');
  expect(details.why).toContain('clients refuse it');
  expect(details.why).toContain('its former files are back and it is healthy with them');
  expect(await folders()).toEqual(formerFolders);
  expect(await served()).toEqual(former);
  expect(await processes()).toEqual(formerProcesses);
  expect(writer.outages).toEqual([]);

  await renew((id) => (id === 'etcd-server@node1' ? 'new-key' : undefined));
  await deployment.deploy();
  expect(await served()).toEqual(await issued());
});

test('a peer certificate that the other members refuse is brought to no host', async () => {
  await renew((id) => (id.startsWith('etcd-peer@') ? 'new-key' : undefined));
  await smuggle('etcd-peer@node3');
  const formerFolders = await folders();
  const { message, details } = await refusal();
  expect(message).toBe('node1, node2 would not let etcd on node3 in with its new peer certificate');
  expect(details.host).toBe('node3');
  expect(await folders()).toEqual(formerFolders);
  await renew((id) => (id === 'etcd-peer@node3' ? 'new-key' : undefined));
  await deployment.deploy();
  expect(await served()).toEqual(await issued());
});

test('a run that is killed with a bad certificate in place: the next one proves that host first, and brings its former files back', async () => {
  await renew((id) => (id.startsWith('etcd-server@') ? 'new-key' : undefined));
  await smuggle('etcd-server@node2');
  const [formerFolders] = [await folders()];
  // node1's is good, node2's is bad, and the run ends before it has looked at that.
  const { signal } = await interrupted.run('node2: commit', 'after');
  expect(signal).toBe('SIGKILL');
  const halfway = await folders();
  expect(halfway.map((folder, index) => folder === formerFolders[index])).toEqual([false, false, true]);
  const { details } = await refusal();
  expect(details.host).toBe('node2');
  const after = await folders();
  expect(after[1]).toBe(formerFolders[1]);
  expect(after[2]).toBe(formerFolders[2]);

  await renew((id) => (id === 'etcd-server@node2' ? 'new-key' : undefined));
  await deployment.deploy();
  expect(await served()).toEqual(await issued());
  for (const host of lab.hosts) expect(await host.sh('find /etc -maxdepth 2 -name ".kbin-*"')).toBe('');
});

test.each([
  ['prepare', 'after'],
  ['upload small files', 'after'],
  ['commit', 'during'],
  ['clear up', 'before'],
] as const)(
  'killed at node2: %s (%s), the next run carries on, and the one after it has nothing to do',
  async (step, when) => {
    const writer = await deployment.writer();
    writer.start();
    await renew(leavesNewKey);
    const { signal, effects } = await interrupted.run(`node2: ${step}`, when);
    expect({ signal, reached: effects.includes(`node2: ${step}`) }).toEqual({
      signal: 'SIGKILL',
      reached: true,
    });
    await deployment.deploy();
    await writer.stop();
    expect(await served()).toEqual(await issued());
    expect(writer.outages).toEqual([]);
    expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
    for (const host of lab.hosts) expect(await host.sh('find /etc -maxdepth 2 -name ".kbin-*"')).toBe('');
  },
);

test('a key of another certificate is refused before anything is brought to a host', async () => {
  await renew((id) => (id.startsWith('etcd-peer@') ? 'new-key' : undefined));
  const at = (path: string): string => join(deployment.folder, 'pki', 'etcd-ca', path);
  const own = await readFile(at('etcd-peer@node3.key'));
  const formerFolders = await folders();
  await writeFile(at('etcd-peer@node3.key'), await readFile(at('etcd-peer@node1.key')));
  const { message } = await refusal();
  await writeFile(at('etcd-peer@node3.key'), own);
  expect(message).toBe('pki/etcd-ca/etcd-peer@node3.key is not the key of pki/etcd-ca/etcd-peer@node3.crt');
  expect(await folders()).toEqual(formerFolders);
  await deployment.deploy();
  expect(await served()).toEqual(await issued());
});

test('another CA, names that are not enough, or other usages are refused before anything is brought to a host', async () => {
  const at = (path: string): string => join(deployment.folder, 'pki', 'etcd-ca', path);
  const formerFolders = await folders();
  const elsewhere = await Deployment.create(lab);
  const foreign = await readFile(join(elsewhere.folder, 'pki/etcd-ca/etcd-server@node1.crt'));
  await elsewhere.remove();
  const good = await readFile(at('etcd-server@node1.crt'));
  const said: string[] = [];
  for (const spoil of [
    async () => writeFile(at('etcd-server@node1.crt'), await readFile(at('etcd-server@node2.crt'))),
    () => writeFile(at('etcd-server@node1.crt'), foreign),
    () => smuggle('etcd-server@node1', 'basicConstraints=CA:false', 'serverAuth'),
  ]) {
    await spoil();
    const { message, details } = await refusal();
    said.push([message, details.why, details.output].join(' '));
    await writeFile(at('etcd-server@node1.crt'), good);
  }
  expect(said[0]).toContain(`etcd-server@node1 of the store is not good for`);
  expect(said[1]).toContain('etcd-server@node1 of the store is not signed by its etcd-ca');
  expect(said[2]).toContain('etcd-server@node1 of the store is not meant for client auth');
  expect(await folders()).toEqual(formerFolders);
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
});

test('a new peer certificate without the address that connections of its host come from is refused before it is brought there', async () => {
  const [node1, node2, node3] = names.map((name) => lab.host(name));
  if (node1 === undefined || node2 === undefined || node3 === undefined) throw new Error('no hosts');
  const second = node1.address.replace(/\d+$/, '200');
  await deployment.change({ more: `pki: { reserve: [${second}] }` });
  await deployment.deploy();
  await node1.run('ip', 'address', 'add', `${second}/24`, 'dev', 'eth0');
  for (const { address } of [node2, node3]) {
    await node1.run('ip', 'route', 'replace', `${address}/32`, 'dev', 'eth0', 'src', second);
  }
  const [formerFolders, formerProcesses] = [await folders(), await processes()];
  await deployment.change({ more: '' });
  const { message, details } = await refusal();
  expect(message).toBe('node2, node3 would not let etcd on node1 in with its new peer certificate');
  expect(details.host).toBe('node1');
  expect(await folders()).toEqual(formerFolders);
  expect(await processes()).toEqual(formerProcesses);
  for (const { address } of [node2, node3]) await node1.run('ip', 'route', 'del', `${address}/32`);
  await node1.run('ip', 'address', 'del', `${second}/24`, 'dev', 'eth0');
  await deployment.deploy();
  expect(await served()).toEqual(await issued());
});

test('the CA with the key it has, and all leaves after it: members restart one at a time, and nobody notices', async () => {
  const writer = await deployment.writer();
  writer.start();
  const formerProcesses = await processes();
  await renew((id) => (id === 'etcd-ca' ? 'same-key' : undefined));
  const { plan: done } = await deployment.deploy();
  expect(done.hosts.map(({ disruption }) => disruption)).toEqual(['restart', 'restart', 'restart']);
  const [node1, node2, node3] = await processes();
  expect(formerProcesses.filter((one) => [node1, node2, node3].includes(one))).toEqual([]);
  await renew(leavesNewKey);
  await deployment.deploy();
  await writer.stop();
  expect(await served()).toEqual(await issued());
  expect(writer.outages).toEqual([]);
  for (const target of await deployment.targets()) expect(await writer.lost(target)).toEqual([]);
  expect(isEmpty((await deployment.deploy()).plan)).toBe(true);
});

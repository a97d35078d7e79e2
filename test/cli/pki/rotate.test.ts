import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectPem } from '../../../src/ca/inspect.ts';
import { recordIssued } from '../../../src/ca/issued.ts';
import { openStore, type Store } from '../../../src/ca/store.ts';
import { goingOn } from '../../../src/cli/pki/rotate.ts';
import { temporaryFolder } from '../../ca/stores.ts';
import { kbin } from '../in-process.ts';

/** No host has a control plane, so that pki/ is all that a rotation of kubernetes-ca changes. */
const cluster = `name: lab
hosts:
  - { name: n1, address: 10.0.0.1, roles: [etcd], ssh: { host: 127.0.0.1 } }
ssh: { port: 1, user: me, agent: false }
etcd: { version: 3.5.16, source: ./etcd.tar.gz, reach: ssh }
`;

const hour = 3_600_000;

/** Handed out an hour ago, by the CA in use then. */
async function handOut(store: Store): Promise<void> {
  const [ca] = inspectPem(store.view().certificate('kubernetes-ca')?.pem ?? '');
  await recordIssued(store, {
    authority: 'kubernetes-ca',
    ...(ca?.subjectKeyId === undefined ? {} : { authorityKeyId: ca.subjectKeyId }),
    serial: '4A11',
    subject: 'CN=jane',
    notAfter: new Date(Date.now() + 48 * hour),
    issuedAt: new Date(Date.now() - hour),
    purpose: 'kubeconfig',
  });
}

test('what is said of one gate is no answer to the other, with --all neither', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'cluster.yaml'), cluster);
  await kbin(folder, ['pki', 'init']);
  await handOut(await openStore(join(folder, 'pki')));
  const rotate = (...argv: string[]) => kbin(folder, ['pki', 'rotate', 'kubernetes-ca', ...argv]);
  const phases = () => ['next', 'previous'].map((one) => has(join(folder, 'pki', one, 'kubernetes-ca')));

  const unsaid = await rotate('--all');
  expect([unsaid.code, unsaid.err]).toEqual([1, expect.stringContaining('--drop-unexpired issue')]);
  expect(phases()).toEqual([true, false]);
  const other = await rotate('--all', '--drop-unexpired', 'end');
  expect([other.code, other.err]).toEqual([1, expect.stringContaining('--drop-unexpired issue')]);
  expect(phases()).toEqual([true, false]);

  const first = await rotate('--all', '--drop-unexpired', 'issue');
  expect([first.code, first.err]).toEqual([1, expect.stringContaining('--drop-unexpired end')]);
  expect(first.err).toContain('CN=jane');
  expect(phases()).toEqual([false, true]);
  // The same command once more, as after a lost link.
  expect((await rotate('--drop-unexpired', 'issue')).code).toBe(1);
  expect(phases()).toEqual([false, true]);

  expect((await rotate('--drop-unexpired', 'end')).code).toBe(0);
  expect(phases()).toEqual([false, false]);
});

const has = (folder: string): boolean => {
  try {
    return readdirSync(folder).includes('ca.crt');
  } catch {
    return false;
  }
};

test.each(['--nodes-ready', '--drop-unexpired'])('%s says for which phase', async (option) => {
  const { code, err } = await kbin(temporaryFolder(), ['pki', 'rotate', 'kubernetes-ca', option, 'trust']);
  expect([code, err]).toEqual([2, expect.stringContaining('Allowed choices are issue, end')]);
});

test('a run that has the new service-account key begin to sign never drops the tokens of the old one', () => {
  expect(goingOn({ wait: '1', all: true, dropTokens: true })).toEqual({
    wait: '1',
    all: true,
    dropTokens: false,
  });
});

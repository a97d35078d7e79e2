import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { issuedBy, issuedFrom, recordIssued } from '../../src/ca/issued.ts';
import { issueOneOff } from '../../src/ca/one-off.ts';
import { diskFiles } from '../../src/ca/store-files.ts';
import { filledStore } from './stores.ts';

const day = 86_400_000;
const now = new Date('2027-01-01T00:00:00Z');
const line = {
  authority: 'kubernetes-ca',
  authorityKeyId: 'ab'.repeat(20),
  serial: '4A01',
  subject: 'O=developers, CN=jane',
  sans: ['dns:jane.example.net'],
  notAfter: new Date(now.getTime() + day),
  purpose: 'kubeconfig',
  issuedAt: now,
};

test('lines are added, each read as it was written; those of other CAs are on other records', async () => {
  const store = await filledStore();
  const files = diskFiles(store.folder);
  expect(issuedBy(files, 'kubernetes-ca')).toEqual([]);
  const second = { ...line, serial: '4A02', sans: [], purpose: 'pki sign' };
  await recordIssued(store, line);
  await recordIssued(store, second);
  await recordIssued(store, { ...line, authority: 'etcd-ca' });
  expect(issuedBy(files, 'kubernetes-ca')).toEqual([line, second]);
  expect(issuedBy(files, 'etcd-ca')).toEqual([{ ...line, authority: 'etcd-ca' }]);
});

test('two at once: both are on the record', async () => {
  const store = await filledStore();
  const serials = ['4A01', '4A02', '4A03', '4A04'];
  await Promise.all(serials.map((serial) => recordIssued(store, { ...line, serial })));
  const found = issuedBy(diskFiles(store.folder), 'kubernetes-ca').map(({ serial }) => serial);
  expect(found.sort()).toEqual(serials);
});

test('a line is forgotten 90 days after its certificate has ended, and not before', async () => {
  const store = await filledStore();
  await recordIssued(store, line);
  const at = (days: number) => new Date(line.notAfter.getTime() + days * day);
  await recordIssued(store, { ...line, serial: '4A02', notAfter: at(400), issuedAt: at(89) });
  expect(issuedBy(diskFiles(store.folder), 'kubernetes-ca')).toHaveLength(2);
  await recordIssued(store, { ...line, serial: '4A03', notAfter: at(400), issuedAt: at(90) });
  const left = issuedBy(diskFiles(store.folder), 'kubernetes-ca').map(({ serial }) => serial);
  expect(left).toEqual(['4A02', '4A03']);
});

test('a record that is damaged is told with its line, and never written over', async () => {
  const store = await filledStore();
  await recordIssued(store, line);
  const file = join(store.folder, 'kubernetes-ca/issued');
  const good = readFileSync(file, 'utf8');
  const damaged = [
    'nonsense',
    '{"serial":"4A02"}',
    '[]',
    'null',
    good.trim().replace('4A01', '4a01'),
    good.trim().replace('4A01', '4'),
    good.trim().slice(0, -9),
    good.trim().replace('2027', 'the year 2027'),
  ];
  for (const text of damaged) {
    writeFileSync(file, `${good}\n${text}\n`);
    expect(() => issuedBy(diskFiles(store.folder), 'kubernetes-ca'), text).toThrow(`${file} cannot be read`);
    await expect(recordIssued(store, { ...line, serial: '4A03' })).rejects.toThrow(`${file} cannot be read`);
    expect(readFileSync(file, 'utf8')).toBe(`${good}\n${text}\n`);
  }
});

test('what the record says of a certificate is what stands in it', async () => {
  const store = await filledStore();
  const { pem, notAfter } = await issueOneOff(store, 'kubernetes-ca', {
    subject: [{ type: 'CN', value: 'jane' }],
    usages: ['client auth'],
    validityHours: 8,
    key: 'ecdsa-p256',
    now: new Date(),
  });
  expect(issuedFrom(pem)).toMatchObject({
    subject: 'CN=jane',
    sans: [],
    notAfter,
    serial: expect.stringMatching(/^[0-9A-F]{40}$/),
    authorityKeyId: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
});

import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../ca/stores.ts';
import { kbin } from '../in-process.ts';

test('certificates of several CAs are revoked together, or none of them', async () => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'cluster.yaml'),
    'name: prod\nhosts: [{ name: m1, address: 10.0.0.1, roles: [etcd, control-plane] }]\netcd: { version: 3.5.16 }\nkubernetes: { version: 1.20.2 }\n',
  );
  await kbin(folder, ['pki', 'init']);
  const at = (file: string): string => join(folder, file);
  const revoke = () => kbin(folder, ['pki', 'revoke', 'etcd-healthcheck-client', 'apiserver@m1']);
  renameSync(at('pki/kubernetes-ca/ca.key'), at('kept.key'));
  const { code, out, err } = await revoke();
  expect([code, out, err]).toEqual([1, '', expect.stringContaining('nothing was changed')]);
  expect(existsSync(at('pki/etcd-ca/revoked'))).toBe(false);
  renameSync(at('kept.key'), at('pki/kubernetes-ca/ca.key'));
  const whole = await revoke();
  expect([whole.code, whole.out]).toEqual([
    0,
    expect.stringMatching(/etcd-healthcheck-client[\s\S]*apiserver@m1/),
  ]);
  expect([existsSync(at('pki/etcd-ca/revoked')), existsSync(at('pki/kubernetes-ca/revoked'))]).toEqual([
    true,
    true,
  ]);
});

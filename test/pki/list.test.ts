import { describe, expect, test } from 'vitest';
import { authorities, findEntry, keyPairs, keyRings } from '../../pki/index.ts';
import { type Profile, profiles } from '../../pki/profiles.ts';
import { extendedUsageOids, keyUsageBits } from '../../pki/usages.ts';

const leaves = authorities.flatMap((authority) => authority.leaves.map((leaf) => ({ authority, leaf })));
const profileOf = (name: keyof typeof profiles): Profile => profiles[name];
const servers = leaves.filter(({ leaf }) => profileOf(leaf.profile).usages.includes('server auth'));

describe('the shipped list of certificates', () => {
  test('has exactly what a cluster of plain binaries needs', () => {
    const names = authorities.map(({ id, leaves: below }) => [id, below.map((leaf) => leaf.id)]);
    expect(Object.fromEntries(names)).toEqual({
      'etcd-ca': ['etcd-server', 'etcd-peer', 'etcd-healthcheck-client', 'apiserver-etcd-client'],
      'kubernetes-ca': [
        'apiserver',
        'apiserver-kubelet-client',
        'controller-manager',
        'controller-manager-server',
        'scheduler',
        'scheduler-server',
        'admin',
        'kube-proxy',
      ],
      'front-proxy-ca': ['front-proxy-client'],
    });
    expect(keyPairs.map(({ id }) => id)).toEqual(['service-account']);
    expect(keyRings.map(({ id }) => id)).toEqual(['encryption-key']);
  });

  test('every id is unique, fit for a file name, and found again', () => {
    const ids = [
      ...authorities.map(({ id }) => id),
      ...leaves.map(({ leaf }) => leaf.id),
      ...[...keyPairs, ...keyRings].map(({ id }) => id),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9-]*[a-z0-9]$/);
    for (const { authority, leaf } of leaves) {
      expect(findEntry(leaf.id)).toEqual({ authority, leaf });
      expect(findEntry(`${leaf.id}@host-1.example`)).toEqual({ authority, leaf });
    }
    for (const authority of authorities) expect(findEntry(authority.id)).toEqual({ authority });
    expect(findEntry('nobody')).toBeUndefined();
    expect(findEntry('etcd-ca@host')).toBeUndefined();
  });

  test('every CA signs something, says what for, and only CAs may sign', () => {
    for (const authority of authorities) {
      expect(authority.leaves.length, authority.id).toBeGreaterThan(0);
      expect(profileOf(authority.profile)).toMatchObject({ isCa: true, expiry: 'ca' });
      expect(profileOf(authority.profile).usages).toContain('cert sign');
    }
    for (const { leaf } of leaves) {
      expect(profileOf(leaf.profile).isCa, leaf.id).toBeUndefined();
      expect(profileOf(leaf.profile).usages, leaf.id).not.toContain('cert sign');
      expect(leaf.purpose, leaf.id).not.toBe('');
    }
  });

  test('every usage of a profile is one that can be encoded', () => {
    for (const profile of Object.values(profiles)) {
      for (const usage of profile.usages)
        expect(usage in keyUsageBits || usage in extendedUsageOids).toBe(true);
    }
  });

  test('every server is made per host and is reachable by host name, localhost, address and 127.0.0.1', () => {
    expect(servers.map(({ leaf }) => leaf.id)).toEqual([
      'etcd-server',
      'etcd-peer',
      'apiserver',
      'controller-manager-server',
      'scheduler-server',
    ]);
    for (const { leaf } of servers) {
      expect(leaf.per, leaf.id).not.toBe('cluster');
      for (const source of ['host-name', 'localhost', 'host-address', '127.0.0.1', 'extra']) {
        expect(leaf.sans, leaf.id).toContain(source);
      }
    }
  });

  test('what shows no server certificate has no names of hosts in it', () => {
    for (const { leaf } of leaves.filter((entry) => !servers.includes(entry))) {
      expect(leaf.per, leaf.id).toBe('cluster');
      expect(leaf.sans, leaf.id).toEqual(['extra']);
      expect(profileOf(leaf.profile).usages, leaf.id).toContain('client auth');
      expect(typeof leaf.commonName, leaf.id).toBe('string');
    }
  });

  test('every etcd server is a client too, since the gateway dials its own server', () => {
    for (const id of ['etcd-server', 'etcd-peer']) {
      const profile = findEntry(id)?.leaf?.profile ?? 'server';
      expect(profileOf(profile).usages).toEqual(expect.arrayContaining(['server auth', 'client auth']));
    }
  });

  test("the requestheader CA is not the CA of clients, nor is etcd's", () => {
    const signer = (id: string): string | undefined => findEntry(id)?.authority.id;
    expect(signer('front-proxy-client')).not.toBe(signer('admin'));
    expect(signer('front-proxy-client')).not.toBe(signer('apiserver-etcd-client'));
    expect(signer('apiserver-etcd-client')).not.toBe(signer('admin'));
    const names = authorities.map(({ commonName }) => commonName);
    expect(new Set(names).size).toBe(names.length);
  });

  test('groups of Kubernetes go to the identities that need them and to no other', () => {
    const groups = leaves.flatMap(({ leaf }) =>
      leaf.organization === undefined ? [] : [[leaf.id, leaf.organization]],
    );
    expect(Object.fromEntries(groups)).toEqual({
      'controller-manager': 'system:kube-controller-manager',
      scheduler: 'system:kube-scheduler',
      admin: 'system:masters',
      'kube-proxy': 'system:node-proxier',
    });
  });
});

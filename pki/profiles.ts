import type { Usage } from './usages.ts';

/** As in cfssl's ca-config.json; `expiry` names the setting of cluster.yaml's `pki.validity` that says how long. */
export interface Profile {
  readonly usages: readonly Usage[];
  readonly expiry: 'ca' | 'leaf';
  readonly isCa?: boolean;
}

export const profiles = {
  authority: { usages: ['cert sign', 'crl sign'], expiry: 'ca', isCa: true },
  server: { usages: ['signing', 'key encipherment', 'server auth'], expiry: 'leaf' },
  client: { usages: ['signing', 'key encipherment', 'client auth'], expiry: 'leaf' },
  /** Both ends of a connection: etcd's members among themselves, and its gateway, which dials its own server. */
  peer: { usages: ['signing', 'key encipherment', 'server auth', 'client auth'], expiry: 'leaf' },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;

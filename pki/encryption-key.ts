import type { KeyRingEntry } from './entry.ts';

/** The same on every kube-apiserver. Without it, what was encrypted in etcd and its snapshots cannot be read again. */
export const encryptionKey = {
  id: 'encryption-key',
  purpose: 'encrypts Secrets in etcd',
} as const satisfies KeyRingEntry;

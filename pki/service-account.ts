import type { KeyPairEntry } from './entry.ts';

/** Not a certificate: kube-controller-manager signs tokens with it, every kube-apiserver verifies them. */
export const serviceAccount = {
  id: 'service-account',
  purpose: 'signs and verifies service-account tokens',
} as const satisfies KeyPairEntry;

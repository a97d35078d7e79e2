import type { AuthorityEntry } from './entry.ts';

/**
 * A CA of its own, never the one of the clients: whoever holds a certificate of this one may tell an extension
 * apiserver any user name it likes.
 */
export const frontProxyCa = {
  id: 'front-proxy-ca',
  purpose: 'kube-apiserver to extension apiservers (requestheader)',
  commonName: 'front-proxy-ca',
  profile: 'authority',
  everyClient:
    'is any user and group that it names, to each apiserver that does not insist on the name front-proxy-client',
  leaves: [
    {
      id: 'front-proxy-client',
      purpose: 'kube-apiserver to extension apiservers',
      per: 'cluster',
      commonName: 'front-proxy-client',
      profile: 'client',
      // --requestheader-allowed-names
      identifiedBy: 'CN',
      sans: ['extra'],
    },
  ],
} as const satisfies AuthorityEntry;

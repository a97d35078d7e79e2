import type { CertificateInfo } from './inspect.ts';

/** Where a certificate is good by the standards, and yet too little to rely on. */
export interface Weakness {
  readonly id: string;
  readonly severity: 'fail' | 'warn';
  /** What is taken for strong enough, in a clause. */
  readonly says: string;
  /** What is weak, in a clause; undefined: it is not. */
  readonly find: (certificate: CertificateInfo) => string | undefined;
}

/** Days that are more than anybody asks for on purpose: `pki.validity` is 10 and 20 years unless it says otherwise. */
const longest = { leaf: 10 * 366, authority: 30 * 366 };

export const weaknesses: readonly Weakness[] = [
  {
    id: 'weak-key',
    severity: 'fail',
    says: 'RSA keys have 2048 bits or more, elliptic curves are P-256, P-384, P-521 or Ed25519',
    find: ({ key }) => {
      const bits = /^rsa-(\d+)$/.exec(key)?.[1];
      if (bits !== undefined) return Number(bits) < 2048 ? `its RSA key has ${bits} bits` : undefined;
      return ['ecdsa-p256', 'ecdsa-p384', 'ecdsa-p521', 'ed25519'].includes(key)
        ? undefined
        : `its key is ${key}, which TLS of Kubernetes and etcd does not take`;
    },
  },
  {
    id: 'weak-signature',
    severity: 'fail',
    says: 'it is not signed with SHA-1 or MD5, which Kubernetes and etcd refuse since Go 1.18',
    // Nobody looks at the signature of a root.
    find: ({ signature, subject, issuer, isCa }) =>
      /sha1$|md[245]$/.test(signature) && !(isCa && subject === issuer)
        ? `it is signed with ${signature}`
        : undefined,
  },
  {
    id: 'long-life',
    severity: 'warn',
    says: 'a leaf lasts at most 10 years, a CA 30',
    find: ({ notBefore, notAfter, isCa }) => {
      const days = Math.round((notAfter.getTime() - notBefore.getTime()) / 86_400_000);
      const most = isCa ? longest.authority : longest.leaf;
      return days > most ? `it is valid for ${Math.round(days / 365)} years` : undefined;
    },
  },
];

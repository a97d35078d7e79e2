import { children } from './der-read.ts';
import type { LintRule } from './lint.ts';
import {
  basicConstraints,
  extensionElement,
  extensionOf,
  isAuthority,
  isSelfIssued,
  keyUsageBitsOf,
  type LintCertificate,
} from './lint-certificate.ts';

const keyCertSign = 5;

/** Who may sign, and which key signed: sections 4.2.1.1, 4.2.1.2, 4.2.1.9 and 4.2.1.10. */
export const authorityRules: readonly LintRule[] = [
  {
    id: 'authority-unmarked',
    source: 'RFC 5280 section 4.2.1.9',
    severity: 'fail',
    says: 'a CA says in its basicConstraints that it is one',
    find: (certificate, { roles }) => {
      if (!roles.includes('ca') || isAuthority(certificate)) return [];
      return basicConstraints(certificate) === undefined
        ? ['it is used as a CA and has no basicConstraints']
        : ['it is used as a CA, and its basicConstraints say that it is none'];
    },
  },
  {
    id: 'leaf-is-authority',
    source: 'RFC 5280 section 4.2.1.9',
    severity: 'fail',
    says: 'what is no CA does not say that it is one',
    find: (certificate, { roles }) =>
      roles.length > 0 && !roles.includes('ca') && isAuthority(certificate)
        ? ['it is a CA, though it is used by a server or client']
        : [],
  },
  {
    id: 'constraints-encoding',
    source: 'X.690 section 11.5',
    severity: 'fail',
    says: 'basicConstraints leave out what is the default: no CA',
    find: (certificate) => {
      const { flag } = basicConstraints(certificate) ?? {};
      return flag === undefined || flag.content[0] === 0xff
        ? []
        : [
            flag.content[0] === 0
              ? 'its basicConstraints spell out that it is no CA'
              : 'its basicConstraints hold a BOOLEAN that DER does not have',
          ];
    },
  },
  {
    id: 'path-length',
    source: 'RFC 5280 section 4.2.1.9',
    severity: 'fail',
    says: 'only a CA that signs certificates has a path length, and it is not negative',
    find: (certificate) => {
      const { pathLength, authority } = basicConstraints(certificate) ?? {};
      if (pathLength === undefined) return [];
      if (((pathLength.content[0] ?? 0) & 0x80) !== 0) return ['its path length is negative'];
      const signs = keyUsageBitsOf(certificate)?.includes(keyCertSign) ?? true;
      return authority === true && signs ? [] : ['it has a path length, and signs no certificates'];
    },
  },
  {
    id: 'authority-key-id-missing',
    source: 'RFC 5280 section 4.2.1.1',
    severity: 'fail',
    says: 'what a CA signed says with which key (authorityKeyIdentifier)',
    find: (certificate) =>
      isSelfIssued(certificate) || authorityKeyId(certificate) !== undefined
        ? []
        : [
            extensionOf(certificate, '2.5.29.35') === undefined
              ? 'it has no authorityKeyIdentifier'
              : 'its authorityKeyIdentifier has no key identifier',
          ],
  },
  {
    id: 'authority-key-id-form',
    source: 'RFC 5280 section 4.2.1.1, Appendix A.2',
    severity: 'fail',
    says: 'an authorityKeyIdentifier has issuer and serial number both, or neither',
    find: (certificate) => {
      const parts = authorityKeyParts(certificate);
      const [issuer, serial] = [0xa1, 0x82].map((tag) => parts.some((part) => part.tag === tag));
      return issuer === serial ? [] : ['its authorityKeyIdentifier has only one of issuer and serial number'];
    },
  },
  {
    id: 'authority-key-id-match',
    source: 'RFC 5280 section 4.2.1.1',
    severity: 'fail',
    says: 'its authorityKeyIdentifier is the subjectKeyIdentifier of the CA that signed it',
    find: (certificate, { issuer }) => {
      const signer = issuer ?? (isSelfIssued(certificate) ? certificate : undefined);
      const own = authorityKeyId(certificate);
      const theirs = signer && subjectKeyId(signer);
      return own === undefined || theirs === undefined || own.equals(theirs)
        ? []
        : [
            `its authorityKeyIdentifier is ${own.toString('hex')}, its CA’s key identifier ${theirs.toString('hex')}`,
          ];
    },
  },
  {
    id: 'issuer-match',
    source: 'RFC 5280 sections 4.1.2.4 and 7.1',
    severity: 'fail',
    says: 'its issuer is the subject of the CA that signed it, octet by octet',
    find: (certificate, { issuer }) =>
      issuer === undefined || issuer.subject.whole.equals(certificate.issuer.whole)
        ? []
        : ['its issuer is written in other octets than the subject of its CA'],
  },
  {
    id: 'subject-key-id-missing',
    source: 'RFC 5280 section 4.2.1.2',
    severity: 'fail',
    says: 'a CA has a subjectKeyIdentifier',
    find: (certificate) =>
      isAuthority(certificate) && subjectKeyId(certificate) === undefined
        ? ['it is a CA without subjectKeyIdentifier']
        : [],
  },
  {
    id: 'subject-key-id-advised',
    source: 'RFC 5280 section 4.2.1.2',
    severity: 'warn',
    says: 'servers and clients have a subjectKeyIdentifier too',
    find: (certificate) =>
      !isAuthority(certificate) && subjectKeyId(certificate) === undefined
        ? ['it has no subjectKeyIdentifier']
        : [],
  },
  {
    id: 'subject-key-id-empty',
    source: 'RFC 5280 section 4.2.1.2',
    severity: 'fail',
    says: 'a subjectKeyIdentifier is not empty',
    find: (certificate) =>
      subjectKeyId(certificate)?.length === 0 ? ['its subjectKeyIdentifier is empty'] : [],
  },
  {
    id: 'name-constraints',
    source: 'RFC 5280 section 4.2.1.10',
    severity: 'fail',
    says: 'only a CA has nameConstraints',
    find: (certificate) =>
      extensionOf(certificate, '2.5.29.30') !== undefined && !isAuthority(certificate)
        ? ['it has nameConstraints, and is no CA']
        : [],
  },
];

function subjectKeyId(certificate: LintCertificate): Buffer | undefined {
  return extensionElement(certificate, '2.5.29.14', 0x04)?.content;
}

function authorityKeyParts(certificate: LintCertificate) {
  const element = extensionElement(certificate, '2.5.29.35', 0x30);
  return element === undefined ? [] : children(element.content);
}

function authorityKeyId(certificate: LintCertificate): Buffer | undefined {
  return authorityKeyParts(certificate).find(({ tag }) => tag === 0x80)?.content;
}

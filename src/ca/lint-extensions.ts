import { children } from './der-read.ts';
import type { LintRule } from './lint.ts';
import { extensionElement, isAuthority, type LintExtension } from './lint-certificate.ts';

interface Known {
  readonly name: string;
  readonly section: string;
  /** What is said of its criticality; undefined: it may be either. */
  readonly critical?: 'must' | 'must-not' | 'should' | 'should-not';
}

/** The extensions of RFC 5280 sections 4.2.1 and 4.2.2. */
const known: Readonly<Record<string, Known>> = {
  '2.5.29.35': { name: 'authorityKeyIdentifier', section: '4.2.1.1', critical: 'must-not' },
  '2.5.29.14': { name: 'subjectKeyIdentifier', section: '4.2.1.2', critical: 'must-not' },
  '2.5.29.15': { name: 'keyUsage', section: '4.2.1.3', critical: 'should' },
  '2.5.29.32': { name: 'certificatePolicies', section: '4.2.1.4' },
  '2.5.29.33': { name: 'policyMappings', section: '4.2.1.5', critical: 'should' },
  '2.5.29.17': { name: 'subjectAltName', section: '4.2.1.6' },
  '2.5.29.18': { name: 'issuerAltName', section: '4.2.1.7', critical: 'should-not' },
  '2.5.29.9': { name: 'subjectDirectoryAttributes', section: '4.2.1.8', critical: 'must-not' },
  '2.5.29.19': { name: 'basicConstraints', section: '4.2.1.9' },
  '2.5.29.30': { name: 'nameConstraints', section: '4.2.1.10', critical: 'must' },
  '2.5.29.36': { name: 'policyConstraints', section: '4.2.1.11', critical: 'must' },
  '2.5.29.37': { name: 'extendedKeyUsage', section: '4.2.1.12' },
  '2.5.29.31': { name: 'cRLDistributionPoints', section: '4.2.1.13', critical: 'should-not' },
  '2.5.29.54': { name: 'inhibitAnyPolicy', section: '4.2.1.14', critical: 'must' },
  '2.5.29.46': { name: 'freshestCRL', section: '4.2.1.15', critical: 'must-not' },
  '1.3.6.1.5.5.7.1.1': { name: 'authorityInfoAccess', section: '4.2.2.1', critical: 'must-not' },
  '1.3.6.1.5.5.7.1.11': { name: 'subjectInfoAccess', section: '4.2.2.2', critical: 'must-not' },
};

/** Those whose value is a SEQUENCE OF that must hold something. */
const neverEmpty = ['2.5.29.32', '2.5.29.33', '2.5.29.18', '2.5.29.9', '2.5.29.30', '2.5.29.36', '2.5.29.31'];

export const extensionRules: readonly LintRule[] = [
  {
    id: 'extensions-empty',
    source: 'RFC 5280 section 4.1.2.9',
    severity: 'fail',
    says: 'the field of extensions is not empty',
    find: ({ extensions }) => (extensions?.length === 0 ? ['its field of extensions is empty'] : []),
  },
  {
    id: 'extension-twice',
    source: 'RFC 5280 section 4.2',
    severity: 'fail',
    says: 'no extension is there twice',
    find: ({ extensions = [] }) => {
      const oids = extensions.map(({ oid }) => oid);
      return [...new Set(oids.filter((oid, index) => oids.indexOf(oid) !== index))].map(
        (oid) => `it has ${nameOf(oid)} more than once`,
      );
    },
  },
  {
    id: 'criticality-encoding',
    source: 'RFC 5280 section 4.1, X.690 sections 11.1 and 11.5',
    severity: 'fail',
    says: 'critical is encoded as FF, and left out where it is not',
    find: ({ extensions = [] }) =>
      extensions.flatMap(({ oid, criticality }) =>
        criticality === undefined || (criticality.content.length === 1 && criticality.content[0] === 0xff)
          ? []
          : [
              `${nameOf(oid)} spells out that it is${criticality.content[0] === 0 ? ' not' : ''} critical, in a way that DER does not have`,
            ],
      ),
  },
  {
    id: 'criticality',
    source: 'RFC 5280 section 4.2.1',
    severity: 'fail',
    says: 'extensions that must be critical are, and those that must not be are not',
    find: ({ extensions = [] }) => criticality(extensions, 'must', 'must-not'),
  },
  {
    id: 'criticality-advised',
    source: 'RFC 5280 section 4.2.1',
    severity: 'warn',
    says: 'extensions that should be critical are (keyUsage), and those that should not be are not',
    find: ({ extensions = [] }) => criticality(extensions, 'should', 'should-not'),
  },
  {
    id: 'authority-criticality',
    source: 'RFC 5280 section 4.2.1.9',
    severity: 'fail',
    says: 'the basicConstraints of a CA are critical',
    find: (certificate) => {
      const constraints = certificate.extensions?.find(({ oid }) => oid === '2.5.29.19');
      return isAuthority(certificate) && constraints?.critical === false
        ? ['it is a CA, and its basicConstraints are not critical']
        : [];
    },
  },
  {
    id: 'extension-unknown',
    source: 'RFC 5280 section 4.2',
    severity: 'fail',
    says: 'no critical extension is one that verifiers do not know, and so refuse',
    find: ({ extensions = [] }) =>
      extensions
        .filter(({ oid, critical }) => critical && known[oid] === undefined)
        .map(({ oid }) => `its extension ${oid} is critical, and not one of RFC 5280`),
  },
  {
    id: 'extension-value-empty',
    source: 'RFC 5280 section 4.2.1',
    severity: 'fail',
    says: 'lists in extensions are not empty (policies, distribution points, constraints)',
    find: (certificate) =>
      neverEmpty.flatMap((oid) => {
        const element = extensionElement(certificate, oid, 0x30);
        return element !== undefined && children(element.content).length === 0
          ? [`its ${nameOf(oid)} is empty`]
          : [];
      }),
  },
];

function criticality(
  extensions: readonly LintExtension[],
  yes: Known['critical'],
  no: Known['critical'],
): string[] {
  return extensions.flatMap(({ oid, critical }) => {
    const said = known[oid];
    if (said?.critical === undefined || (said.critical !== yes && said.critical !== no)) return [];
    if (critical === (said.critical === yes)) return [];
    return [`${said.name} is ${critical ? '' : 'not '}critical (section ${said.section})`];
  });
}

function nameOf(oid: string): string {
  return known[oid]?.name ?? `the extension ${oid}`;
}

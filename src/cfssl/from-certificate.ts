import { type CertificateParts, extensionValue, readBasicConstraints } from '../ca/certificate-parts.ts';
import { extensionOids } from '../ca/extensions.ts';
import { readName } from '../ca/name-read.ts';
import { readSans } from '../ca/san-read.ts';
import type { CertificateRequest } from './certificate-request.ts';
import { readable } from './readable.ts';
import type { RawName } from './subject.ts';

const fields = { C: '2.5.4.6', ST: '2.5.4.8', L: '2.5.4.7', O: '2.5.4.10', OU: '2.5.4.11' } as const;

/** What would have to be asked for to get such a certificate again, as far as cfssl asks for it. */
export function requestFromCertificate(parts: CertificateParts): CertificateRequest {
  return readable('the certificate', () => {
    const attributes = readName(parts.subject).flat();
    const values = (type: string): string[] =>
      attributes.filter(({ oid }) => oid === type).map(({ value }) => value);
    const names = Object.entries(fields).flatMap(([key, type]): RawName[] =>
      values(type).map((value) => ({ [key]: value })),
    );
    const authority = readBasicConstraints(extensionValue(parts, extensionOids.basicConstraints));
    const { pathLength } = authority ?? {};
    return {
      CN: values('2.5.4.3').at(-1) ?? '',
      names,
      serialnumber: values('2.5.4.5').at(-1) ?? '',
      hosts: readSans(extensionValue(parts, extensionOids.subjectAltName)).map(({ value }) => value),
      ...(authority === undefined
        ? {}
        : { ca: pathLength === undefined ? {} : { pathlen: pathLength, pathlenzero: pathLength === 0 } }),
    };
  });
}

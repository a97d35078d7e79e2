import type { KeyObject } from 'node:crypto';
import type { San } from '../../pki/san.ts';
import type { RawExtension } from '../ca/certificate-parts.ts';
import type { Der } from '../ca/der.ts';
import { basicConstraints, encodeExtension, encodeSans, extensionOids } from '../ca/extensions.ts';
import { pemText } from '../ca/pem.ts';
import { encodeRequest } from '../ca/request.ts';
import { readSans } from '../ca/san-read.ts';
import { exitCode, KbinError } from '../errors.ts';
import { type CaSettings, type CertificateRequest, requestedExtensions } from './certificate-request.ts';
import { hostSans } from './hosts.ts';
import type { Remarks } from './json.ts';
import { spkiOf } from './key.ts';
import { encodeSubject, requestedSubject, type Subject } from './subject.ts';

/** What is asked for: of a request that was made here, or of one that was read. */
export interface Asked {
  readonly subject: Subject;
  readonly sans: readonly San[];
  readonly spki: Buffer;
  /** Of basicConstraints; undefined: it does not ask to be a CA. */
  readonly authority?: { readonly pathLength?: number };
  /** All that it asks for, as it stands in the request. */
  readonly extensions: readonly RawExtension[];
}

/** Delegated credentials (RFC 9345 section 4.2). */
const delegation = { oid: '1.3.6.1.4.1.44363.44', critical: false, value: Buffer.from([5, 0]) };

/** A request for what a CSR file says, signed with `key`, and the names of its `hosts`. `source` names the file in remarks and errors. */
export function makeRequest(
  request: CertificateRequest,
  key: KeyObject,
  source: string,
  remarks: Remarks,
): { asked: Asked; hosts: readonly San[]; pem: string } {
  const subject = requestedSubject(request);
  const hosts = hostSans(request.hosts ?? [], `${source}: hosts`, remarks);
  const own = requestedExtensions(request, source);
  const authority = request.ca === undefined ? undefined : pathLimit(request.ca, source, remarks);
  const further = [...(request.delegation_enabled ? [delegation] : []), ...own];
  const ownNames = own.find(({ oid }) => oid === extensionOids.subjectAltName);
  const names =
    hosts.length === 0 || ownNames !== undefined
      ? []
      : [{ oid: extensionOids.subjectAltName, critical: false, value: encodeSans(hosts) }];
  const extensions = [
    ...names.map(encoded),
    ...(authority === undefined ? [] : [basicConstraints(authority)]),
    ...further.map(encoded),
  ];
  const spki = spkiOf(key);
  const der = encodeRequest({ subject: encodeSubject(subject), spki, extensions }, key);
  const asked = {
    subject,
    sans: ownNames === undefined ? hosts : namesOf(ownNames, source),
    spki,
    extensions: [...names, ...further],
    ...(authority === undefined ? {} : { authority }),
  };
  return { asked, hosts, pem: pemText('CERTIFICATE REQUEST', der) };
}

const encoded = ({ oid, critical, value }: RawExtension): Der => encodeExtension(oid, critical, value);

function namesOf({ value }: RawExtension, source: string): San[] {
  try {
    return readSans(value);
  } catch (cause) {
    throw new KbinError(`${source}: extensions has a subjectAltName that cannot be read`, {
      next: 'write the names as "hosts"',
      exit: exitCode.usage,
      cause,
    });
  }
}

/** A `pathlen` of 0 means no limit, unless `pathlenzero` says otherwise. */
export function pathLimit(
  { pathlen = 0, pathlenzero = false }: CaSettings,
  source: string,
  remarks: Remarks,
): { pathLength?: number } {
  if (pathlen < 0) remarks.push(`${source}: ca.pathlen is negative, which is taken for no limit`);
  if (pathlen > 0 && pathlenzero) {
    remarks.push(`${source}: ca.pathlenzero is passed over, since ca.pathlen is ${pathlen}`);
  }
  if (pathlen > 0) return { pathLength: pathlen };
  return pathlen === 0 && pathlenzero ? { pathLength: 0 } : {};
}

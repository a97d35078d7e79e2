import { extensionOids } from '../ca/extensions.ts';
import { exitCode, KbinError } from '../errors.ts';
import { anything, boolean, integer, list, map, object, type Remarks, readJson, string } from './json.ts';
import type { KeyRequest } from './key.ts';
import type { RawName } from './subject.ts';

/** A CSR file (ca-csr.json, server-csr.json, …) as cfssl reads it. */
export interface CertificateRequest {
  readonly CN?: string;
  readonly names?: readonly RawName[];
  readonly hosts?: readonly string[];
  readonly key?: KeyRequest;
  readonly ca?: CaSettings;
  readonly serialnumber?: string;
  readonly delegation_enabled?: boolean;
  readonly extensions?: readonly RawRequestExtension[];
  readonly crl_url?: string;
}

export interface CaSettings {
  readonly pathlen?: number;
  readonly pathlenzero?: boolean;
  /** Go durations. */
  readonly expiry?: string;
  readonly backdate?: string;
}

/** As Go reads a pkix.Extension: arcs, and base64. */
interface RawRequestExtension {
  readonly Id?: readonly number[];
  readonly Critical?: boolean;
  readonly Value?: string;
}

const atTheTop = '; it belongs to the top of the file';

const nameShape = object(
  {
    C: string,
    ST: string,
    L: string,
    O: string,
    OU: string,
    E: string,
    SerialNumber: string,
    OID: map(string),
  },
  { CN: atTheTop, hosts: atTheTop },
);

const inCa = '; it belongs into "ca"';

const requestShape = object(
  {
    CN: string,
    names: list(nameShape),
    hosts: list(string),
    key: object({ algo: string, size: integer }),
    ca: object({ pathlen: integer, pathlenzero: boolean, expiry: string, backdate: string }),
    serialnumber: string,
    delegation_enabled: boolean,
    extensions: list(object({ Id: list(integer), Critical: boolean, Value: string })),
    crl_url: string,
  },
  {
    expiry: inCa,
    pathlen: inCa,
    pathlenzero: inCa,
    ...Object.fromEntries(['C', 'ST', 'L', 'O', 'OU'].map((key) => [key, '; it belongs into "names"'])),
    algo: '; it belongs into "key"',
    size: '; it belongs into "key"',
  },
);

export function readCertificateRequest(text: string, source: string, remarks: Remarks): CertificateRequest {
  const request = readJson<CertificateRequest>(text, requestShape, source, remarks);
  for (const [index, name] of (request.names ?? []).entries()) {
    if ((name as { SerialNumber?: string }).SerialNumber) {
      remarks.push(
        `${source}: names[${index}].SerialNumber is not used by cfssl; write "serialnumber" at the top`,
      );
    }
  }
  return request;
}

/** The file that `cfssl sign` takes as its last word. */
export interface SubjectFile {
  readonly CN?: string;
  readonly names?: readonly RawName[];
  readonly SerialNumber?: string;
}

export function readSubjectFile(text: string, source: string, remarks: Remarks): SubjectFile {
  const shape = object({
    CN: string,
    names: list(nameShape),
    SerialNumber: string,
    whitelist: anything,
  });
  return readJson<SubjectFile>(text, shape, source, remarks);
}

/** As they go into the request. Throws KbinError where one is malformed. */
export function requestedExtensions(
  { extensions = [] }: CertificateRequest,
  source: string,
): { oid: string; critical: boolean; value: Buffer }[] {
  return extensions.map((extension, index) => {
    const { Id = [], Critical = false, Value = '' } = extension;
    const value = Buffer.from(Value, 'base64');
    const [first = 9, second = 0] = Id;
    const sound = Id.length > 1 && Id.every((arc) => arc >= 0 && arc < 2 ** 31) && first < 3;
    if (!sound || (first < 2 && second > 39) || value.toString('base64') !== Value) {
      throw new KbinError(`${source}: extensions[${index}] is not an extension`, {
        next: 'write it as {"Id": [1, 2, 3, 4], "Critical": false, "Value": "base64 of its DER"}',
        exit: exitCode.usage,
      });
    }
    if (Id.join('.') === extensionOids.basicConstraints) {
      throw new KbinError(`${source}: extensions[${index}] would be a second basicConstraints`, {
        next: 'write "ca" for a CA',
        exit: exitCode.usage,
      });
    }
    return { oid: Id.join('.'), critical: Critical, value };
  });
}

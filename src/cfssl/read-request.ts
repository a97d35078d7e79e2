import { extensionValue, readBasicConstraints } from '../ca/certificate-parts.ts';
import { extensionOids } from '../ca/extensions.ts';
import { readName } from '../ca/name-read.ts';
import { readRequest } from '../ca/request.ts';
import { readSans } from '../ca/san-read.ts';
import { hostMistake } from './hosts.ts';
import type { Remarks } from './json.ts';
import type { Asked } from './make-request.ts';
import { readable } from './readable.ts';

/** What a request from elsewhere asks for; its signature is verified. */
export async function readAsked(pem: string, source: string, remarks: Remarks): Promise<Asked> {
  const request = readRequest(pem, source);
  const asked = readable(source, (): Asked => {
    const authority = readBasicConstraints(extensionValue(request, extensionOids.basicConstraints));
    return {
      subject: readName(request.subject),
      sans: readSans(extensionValue(request, extensionOids.subjectAltName)),
      spki: request.spki,
      extensions: request.extensions,
      ...(authority === undefined ? {} : { authority }),
    };
  });
  for (const san of asked.sans) {
    const mistake = hostMistake(san);
    if (mistake !== undefined) remarks.push(`${source}: the name "${san.value}" ${mistake}`);
  }
  return asked;
}

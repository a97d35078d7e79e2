import { extensionValue, readBasicConstraints } from '../ca/certificate-parts.ts';
import { extensionOids } from '../ca/extensions.ts';
import { readName } from '../ca/name-read.ts';
import { readRequest } from '../ca/request.ts';
import { readSans } from '../ca/san-read.ts';
import { KbinError } from '../errors.ts';
import { hostMistake } from './hosts.ts';
import type { Remarks } from './json.ts';
import type { Asked } from './make-request.ts';

/** What a request from elsewhere asks for; its signature is verified. */
export async function readAsked(pem: string, source: string, remarks: Remarks): Promise<Asked> {
  const request = await readRequest(pem, source);
  let asked: Asked;
  try {
    const authority = readBasicConstraints(extensionValue(request, extensionOids.basicConstraints));
    asked = {
      subject: readName(request.subject),
      sans: readSans(extensionValue(request, extensionOids.subjectAltName)),
      spki: request.spki,
      extensions: request.extensions,
      ...(authority === undefined ? {} : { authority }),
    };
  } catch (cause) {
    throw new KbinError(`${source} asks for something that cannot be read`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'make the request anew, or look at it with "openssl req -text"',
      cause,
    });
  }
  for (const san of asked.sans) {
    const mistake = hostMistake(san);
    if (mistake !== undefined) remarks.push(`${source}: the name "${san.value}" ${mistake}`);
  }
  return asked;
}

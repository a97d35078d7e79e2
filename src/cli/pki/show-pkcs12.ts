import { type Item, readContents } from '../../ca/contents.ts';
import { readPkcs12 } from '../../ca/pkcs12-read.ts';
import { KbinError } from '../../errors.ts';

/** The certificates of a PKCS #12 file; whether a key is in it is not looked at. */
export function openPkcs12(
  { where, der }: Extract<Item, { kind: 'pkcs12' }>,
  password: string,
): readonly Item[] {
  const { certificates } = opened(where, der, password);
  return certificates.flatMap(
    (certificate, index) =>
      readContents(certificate, certificates.length === 1 ? where : `${where}, certificate ${index + 1}`) ??
      [],
  );
}

function opened(where: string, der: Buffer, password: string): { readonly certificates: readonly Buffer[] } {
  let reading: ReturnType<typeof readPkcs12>;
  try {
    reading = readPkcs12(der, password);
  } catch (cause) {
    throw new KbinError(`${where} cannot be read`, {
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'look at it with "openssl pkcs12 -info"',
      cause,
    });
  }
  if (reading.state === 'read') return reading;
  throw new KbinError(`the password does not open ${where}`, {
    why: 'it is not the password of this file, or the file is damaged',
    next: 'give it with --password-file or $KBIN_PKCS12_PASSWORD, or type it',
  });
}

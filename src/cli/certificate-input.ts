import { pemText } from '../ca/pem.ts';

/** Of a certificate's file, PEM or DER: PEM. DER begins with a SEQUENCE, which no text does. */
export function certificateText(content: Buffer): string {
  return content[0] === 0x30 && content[1] !== 0x0a
    ? pemText('CERTIFICATE', content)
    : content.toString('utf8');
}

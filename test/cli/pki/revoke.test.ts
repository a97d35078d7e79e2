import { join } from 'node:path';
import { test } from 'vitest';
import { expectTranscript } from '../transcript.ts';

/** Dates move on, and keys are different each time. */
const replace = [
  [/\b20\d\d-\d\d-\d\dT[0-9:.]+Z/g, 'YYYY-MM-DDThh:mm:ss.000Z'],
  [/\b20\d\d-\d\d-\d\d\b/g, 'YYYY-MM-DD'],
  [/\b[0-9A-F]{2}(:[0-9A-F]{2}){19,31}\b/g, 'FI:NG:ER:PR:IN:TS'],
  [/\b[0-9A-F]{40}\b/g, 'SERIAL'],
  [/\b[0-9a-f]{40}\b/g, 'keyid'],
  [/\b1\d{9}\b/g, 'NUMBER'],
] as const;

test('revoking, looking at certificates, handing them on', { timeout: 120_000 }, async () => {
  await expectTranscript(join(import.meta.dirname, 'revoke-show-export.txt'), { replace });
});

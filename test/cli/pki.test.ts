import { join } from 'node:path';
import { test } from 'vitest';
import { expectTranscript } from './transcript.ts';

/** Dates move on, and keys are different each time. */
const replace = [
  [/\b20\d\d-\d\d-\d\dT[0-9:.]+Z/g, 'YYYY-MM-DDThh:mm:ss.000Z'],
  [/\b20\d\d-\d\d-\d\d\b/g, 'YYYY-MM-DD'],
  [/\b[0-9A-F]{2}(:[0-9A-F]{2}){19,31}\b/g, 'FI:NG:ER:PR:IN:TS'],
  [/\b[0-9A-F]{40}\b/g, 'SERIAL'],
  [/\b[0-9a-f]{40}\b/g, 'keyid'],
  [/\b[0-9a-f]{64}\b/g, 'sha256'],
  [/ (7299|3649) /g, ' DAYS '],
  [/(days left +)\d+/g, '$1DAYS'],
  [/process \d+ of \S+ on \S+, since \S+\)/g, 'process PID of USER on HOST, since THEN)'],
] as const;

test('the life of a certificate store', { timeout: 60_000 }, async () => {
  await expectTranscript(join(import.meta.dirname, 'pki/init-list-show.txt'), { replace });
});

test('what stops kbin pki init', { timeout: 60_000 }, async () => {
  await expectTranscript(join(import.meta.dirname, 'pki/problems.txt'), { replace });
});

test('CA keys with a passphrase', { timeout: 60_000 }, async () => {
  await expectTranscript(join(import.meta.dirname, 'pki/passphrase.txt'), { replace });
});

test('kbin pki check, of a store and of files', { timeout: 120_000 }, async () => {
  await expectTranscript(join(import.meta.dirname, 'pki/check.txt'), { replace });
});

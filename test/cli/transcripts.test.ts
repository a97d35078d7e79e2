import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { expectTranscript } from './transcript.ts';

/** Every file of transcripts/ is a session; commands that need more (hosts, fixed digests) have tests of their own. */
const folder = join(import.meta.dirname, 'transcripts');

describe('a terminal session with kbin', () => {
  it.each(readdirSync(folder))('%s', { timeout: 60_000 }, async (name) => {
    await expectTranscript(join(folder, name));
  });
});

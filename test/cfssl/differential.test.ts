import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorities, type Case, cases } from './corpus.ts';
import { beginning, certificateFacts, requestFacts } from './facts.ts';
import { cfssl, inTurn, kbin, needCfssl, put, type Said } from './side-by-side.ts';

/** Another corpus for those who want one. */
const seed = Number(process.env.KBIN_CFSSL_SEED ?? 20_260_101);
const count = Number(process.env.KBIN_CFSSL_CASES ?? 140);
const corpus = fc.sample(cases, { numRuns: count, seed });
const caCorpus = fc.sample(authorities, { numRuns: Math.ceil(count / 2), seed });

interface Files {
  readonly cert: string;
  readonly csr: string;
  readonly key?: string;
}

/** What docs/cfssl.md says that kbin refuses and cfssl makes. */
const refusedOnPurpose = /would end before it begins|is no time at all|would end after the year|is not ASCII/;

function madeBy(said: Said): Files | undefined {
  return said.failed === undefined ? (JSON.parse(said.out) as Files) : undefined;
}

/** What is different between the two, with the case it is about. */
async function differences(theirs: Said, ours: Said, about: string): Promise<string[]> {
  const [a, b] = [madeBy(theirs), madeBy(ours)];
  if (a === undefined || b === undefined) {
    if (a === b || refusedOnPurpose.test(ours.failed ?? '')) return [];
    return [`${about}\n  cfssl: ${theirs.failed ?? 'made'}\n  kbin: ${ours.failed ?? 'made'}`];
  }
  made += 1;
  const late = Math.abs(beginning(a.cert) - beginning(b.cert));
  // Where a minute ends between the two, only one that ends at a given time tells.
  const facts = (pem: string): object => ({
    ...certificateFacts(pem),
    ...(late === 0 ? {} : { seconds: 0 }),
  });
  const pairs = [
    [facts(a.cert), facts(b.cert)],
    [await requestFacts(a.csr), await requestFacts(b.csr)],
    [keyLabel(a.key), keyLabel(b.key)],
    [true, late <= 120_000],
  ];
  const different = pairs.flatMap(([one, other]) => (isDeepStrictEqual(one, other) ? [] : apart(one, other)));
  return different.length === 0 ? [] : [`${about}${different.join('')}`];
}

/** Only what is not equal, line by line. */
function apart(one: unknown, other: unknown): string[] {
  const lines = (value: unknown): string[] => JSON.stringify(value, null, 1).split('\n');
  const [a, b] = [lines(one), lines(other)];
  return [
    ...a.filter((line) => !b.includes(line)).map((line) => `\n  cfssl: ${line.trim()}`),
    ...b.filter((line) => !a.includes(line)).map((line) => `\n  kbin:  ${line.trim()}`),
  ];
}

/** cfssl has a label of its own for Ed25519, which nothing else reads. */
function keyLabel(key: string | undefined): string | undefined {
  return key?.split('\n')[0]?.replace('Ed25519 PRIVATE', 'PRIVATE');
}

/** How many both made: the corpus has a good deal that both refuse. */
let made = 0;

describe('the same files through cfssl and kbin', { timeout: 300_000 }, () => {
  let folder = '';

  beforeAll(async () => {
    needCfssl();
    folder = mkdtempSync(join(tmpdir(), 'kbin-cfssl-'));
    for (const [name, key] of [
      ['ec', { algo: 'ecdsa', size: 256 }],
      ['rsa', { algo: 'rsa', size: 2048 }],
    ] as const) {
      put(folder, {
        'ca.json': { CN: `${name} ca`, names: [{ O: 'Example', C: 'AT' }], key, ca: { expiry: '900000h' } },
      });
      const made = JSON.parse(
        (await cfssl(folder, ['gencert', '-initca', 'ca.json'])).out,
      ) as Required<Files>;
      put(folder, { [`${name}.pem`]: made.cert, [`${name}-key.pem`]: made.key });
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function gencertWords(one: Case, ca: string): string[] {
    return [
      ...['gencert', '-ca', join(folder, `${ca}.pem`), '-ca-key', join(folder, `${ca}-key.pem`)],
      ...(one.config === undefined ? [] : ['-config', 'config.json']),
      ...(one.profile === undefined ? [] : ['-profile', one.profile]),
      ...(one.hostname === undefined ? [] : [`-hostname=${one.hostname}`]),
      ...(one.cn === undefined ? [] : [`-cn=${one.cn}`]),
      'csr.json',
    ];
  }

  test(`${count} leaves agree field by field, their requests too, and each signs the other's alike`, async () => {
    made = 0;
    const found: string[] = [];
    await inTurn(corpus, 3, async (one, index) => {
      const own = join(folder, `case-${index}`);
      mkdirSync(own);
      put(own, {
        'csr.json': one.request,
        ...(one.config === undefined ? {} : { 'config.json': one.config }),
      });
      const words = gencertWords(one, index % 4 === 0 ? 'rsa' : 'ec');
      const about = JSON.stringify([words.slice(5), one.request, one.config]);
      const theirs = await cfssl(own, words);
      found.push(...(await differences(theirs, await kbin(own, words), about)));
      // Their request once more, as one from elsewhere.
      const files = madeBy(theirs);
      if (files === undefined) return;
      put(own, { 'their.csr': files.csr });
      const flags = words.slice(1, -1).filter((word) => !word.startsWith('-cn='));
      const signed = await kbin(own, ['sign', ...flags, 'their.csr']);
      if (refusedOnPurpose.test(signed.failed ?? '')) return;
      found.push(...(await differences({ ...theirs, out: withoutKey(theirs.out) }, signed, `sign ${about}`)));
    });
    expect(found.join('\n\n')).toBe('');
    expect(made).toBeGreaterThan(count / 2);
  });

  test(`${caCorpus.length} CAs agree field by field`, async () => {
    made = 0;
    const found: string[] = [];
    await inTurn(caCorpus, 3, async (request, index) => {
      const file = `ca-${index}.json`;
      put(folder, { [file]: request });
      const words = ['gencert', '-initca', file];
      found.push(
        ...(await differences(
          await cfssl(folder, words),
          await kbin(folder, words),
          JSON.stringify(request),
        )),
      );
    });
    expect(found.join('\n\n')).toBe('');
    expect(made).toBeGreaterThan(caCorpus.length / 3);
  });
});

function withoutKey(out: string): string {
  const { key: _, ...rest } = JSON.parse(out) as Files;
  return JSON.stringify(rest);
}

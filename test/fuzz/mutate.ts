import { pemBlocks, pemText } from '../../src/ca/pem.ts';

/** mulberry32: the same seed, the same inputs. */
export function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** A whole number from 0 on, below that one. */
export type Below = (below: number) => number;

export function mutateBytes(bytes: Buffer, below: Below): Buffer {
  let out = Buffer.from(bytes);
  for (let turns = 1 + below(3); turns > 0 && out.length > 0; turns--) {
    const at = below(out.length);
    const kind = below(7);
    if (kind === 0) out[at] = below(256);
    else if (kind === 1) out[at] = (out[at] ?? 0) ^ (1 << below(8));
    else if (kind === 2) out = out.subarray(0, at);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + below(8))]);
    else if (kind === 4)
      out = Buffer.concat([out.subarray(0, at), Buffer.from([below(256)]), out.subarray(at)]);
    else if (kind === 5) {
      const part = out.subarray(at, at + below(40));
      out = Buffer.concat([out.subarray(0, at), part, out.subarray(at)]);
    } else out[at] = [0x80, 0xff, 0x00, 0x30, 0x84][below(5)] ?? 0;
  }
  return out;
}

/** Another type, another key, another number: what byte mutations seldom reach through the syntax. */
const odd: readonly unknown[] = [
  ...[
    null,
    true,
    0,
    -1,
    1.5,
    1e300,
    '',
    ' ',
    '1h',
    '-1h',
    '999999999h',
    'ü\u0000',
    '__proto__',
    '*',
    '@',
    '::',
    '%',
    '(',
    '(?i)a',
  ],
  ...[
    [],
    {},
    [null],
    [[]],
    { a: [] },
    'x'.repeat(5000),
    '9'.repeat(400),
    '1.'.repeat(300),
    '[::',
    'a@'.repeat(200),
    'http://[',
  ],
];

export function mutateJson(text: string, below: Below): string {
  if (below(3) === 0) return mutateBytes(Buffer.from(text), below).toString('utf8');
  const whole = JSON.parse(text);
  for (let turns = 1 + below(2); turns > 0; turns--) {
    let place = whole;
    for (let depth = below(6); depth > 0; depth--) {
      const inner = Object.values(place).filter((value) => typeof value === 'object' && value !== null);
      if (inner.length === 0) break;
      place = inner[below(inner.length)];
    }
    const keys = Object.keys(place);
    const name = keys[below(keys.length)] ?? 'x';
    const value = structuredClone(odd[below(odd.length)]);
    const kind = below(3);
    if (kind === 0) delete place[name];
    else if (kind === 1) place[name] = value;
    else if (!Array.isArray(place)) place[below(2) === 0 ? name.toUpperCase() : '__proto__x'] = value;
  }
  return JSON.stringify(whole);
}

export function mutatePem(pem: string, below: Below): string {
  if (below(3) === 0) return mutateBytes(Buffer.from(pem), below).toString('latin1');
  const [block] = pemBlocks(pem, 'the seed');
  return block === undefined ? pem : pemText(block.label, mutateBytes(block.der, below));
}

/** Reads one mutated input. Throws KbinError, or what shows that something was taken that must not be. */
export type Target = (below: Below) => Promise<void> | void;

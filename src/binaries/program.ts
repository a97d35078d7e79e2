import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Architecture } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';

/** e_machine of an ELF header (elf.h): the values of the architectures that kbin knows, and of those often met. */
const machines: Readonly<Record<number, string>> = {
  3: '386',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  21: 'ppc64le',
  22: 's390x',
  243: 'riscv64',
};

/** Throws KbinError unless the file is a Linux program for the architecture. */
export async function requireArchitecture(path: string, wanted: Architecture): Promise<void> {
  const header = Buffer.alloc(20);
  const file = await open(path, 'r');
  try {
    await file.read(header, 0, header.length, 0);
  } finally {
    await file.close();
  }
  const isElf = header.subarray(0, 4).equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
  const bigEndian = header[5] === 2;
  const machine = bigEndian ? header.readUInt16BE(18) : header.readUInt16LE(18);
  const found = isElf ? (machines[machine] ?? `machine type ${machine}`) : undefined;
  if (found === wanted) return;
  throw new KbinError(`${path} does not run on ${wanted} hosts`, {
    step: 'look at the binaries',
    why: found === undefined ? 'it is not a Linux program (no ELF header)' : `it was built for ${found}`,
    next: `Give the release for linux-${wanted}, or correct the host's \`architecture\` in cluster.yaml.`,
  });
}

/**
 * Whether a program has its version's text in it. Go keeps the version as a string constant, so a program without the
 * text is of another version; with it, it most likely is of this one.
 */
export async function mentions(path: string, version: string): Promise<boolean> {
  const wanted = Buffer.from(version);
  let tail = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = Buffer.concat([tail, chunk as Buffer]);
    if (bytes.includes(wanted)) return true;
    tail = bytes.subarray(-wanted.length);
  }
  return false;
}

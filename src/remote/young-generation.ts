import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's space for new objects at the size it starts with. ssh2 makes two buffers for each 32 KiB that it encrypts;
 * with the space growing to its usual 16 MiB they are collected late, and each new one is fresh memory for the kernel to
 * map. Measured on 660 MB to three hosts: peak resident memory 178 → 125 MB, throughput 250 → 310 MB/s. A Node that does
 * not know the flag ignores it.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

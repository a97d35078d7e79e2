import type { Docker } from './engine.ts';

/**
 * A bridge network of the lab's own. Fixed addresses need a subnet that we choose: one of 198.18.0.0/16, which is set
 * apart for tests (RFC 2544) and so is no one's office network or VPN. Labs run side by side, so a subnet that is
 * taken means the next one; the same lab id starts at the same place.
 */
export async function createNetwork(
  docker: Docker,
  name: string,
  labels: Record<string, string>,
): Promise<string> {
  let start = 0;
  for (const char of name) start = (start * 31 + char.charCodeAt(0)) % 256;
  for (let tries = 0; tries < 256; tries++) {
    const prefix = `198.18.${(start + tries) % 256}`;
    try {
      await docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Labels: labels,
        IPAM: { Config: [{ Subnet: `${prefix}.0/24`, Gateway: `${prefix}.1` }] },
      });
      return prefix;
    } catch (error) {
      if (!/overlap/i.test(String(error))) throw error;
    }
  }
  throw new Error('all 256 lab subnets are taken; `docker network ls --filter label=kbin.lab` shows by what');
}

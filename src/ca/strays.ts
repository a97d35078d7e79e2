import type { CertificatePlan } from '../desired/certificate-plan.ts';
import { type CertificateInfo, inspectPem } from './inspect.ts';
import { isInUse, pathsOf } from './layout.ts';
import { idsWithPaths } from './observed-store.ts';
import { readConsistently } from './store-files.ts';

export interface Stray {
  /** File name without its ending, which was its id once. */
  readonly id: string;
  /** Path below pki/. */
  readonly file: string;
  /** undefined when it is no certificate that can be read. */
  readonly info: CertificateInfo | undefined;
  /** Its private key lies beside it. */
  readonly keyIsHere: boolean;
}

/** Certificates in the store that the plan does not want (any more): of a host that left cluster.yaml. Never removed. */
export function strayCertificates(plan: CertificatePlan, folder: string): Stray[] {
  const wanted = new Set(idsWithPaths(plan).map((id) => pathsOf(id).certificate));
  return readConsistently(folder, (files) =>
    files
      .list()
      .filter((path) => path.endsWith('.crt') && isInUse(path) && !wanted.has(path))
      .map((file) => {
        const reading = files.read(file);
        const stem = file.slice(0, -'.crt'.length);
        return {
          id: stem.slice(stem.lastIndexOf('/') + 1),
          file,
          info: reading.state === 'read' ? firstOf(reading.content) : undefined,
          keyIsHere: files.read(`${stem}.key`).state !== 'absent',
        };
      }),
  );
}

function firstOf(content: Buffer): CertificateInfo | undefined {
  try {
    return inspectPem(content.toString('utf8'))[0];
  } catch {
    return undefined;
  }
}

import type { Architecture, BinarySource } from '../cluster/cluster.ts';
import type { BinaryComponent } from './releases.ts';

export interface BinaryRequest {
  readonly component: BinaryComponent;
  /** major.minor.patch without `v`. */
  readonly version: string;
  readonly architecture: Architecture;
  readonly source: BinarySource;
  /** For the cache's place. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

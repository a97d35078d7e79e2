/** What the apiserver of one host answered when it was asked (src/health's ApiReading fits), or that it did not. */
export interface ApiserverReading {
  /** Name of the host, as in cluster.yaml. */
  readonly host: string;
  /** It answered over TLS that verifies. */
  readonly reachable: boolean;
  /** /readyz says yes. undefined: not known. */
  readonly ready?: boolean;
  /** major.minor.patch without `v`, and what a build adds. */
  readonly version?: string;
}

import { kubeCauseOf } from './api-causes.ts';
import type { ApiClient } from './api-client.ts';
import type { Cause } from './causes.ts';
import type { ListeningComponent } from './component-target.ts';
import { plainText } from './plain-text.ts';

/** Who leads, as the lease in kube-system says. */
export interface LeaseReading {
  /** As it calls itself: `k8s-master1_9e29c1f4-…`; undefined where nobody holds the lease. */
  readonly holder?: string;
  /** Seconds since it was renewed, by the apiserver's clock. */
  readonly ageSeconds?: number;
  /** Seconds after which another may take it. */
  readonly durationSeconds?: number;
  /** It was asked for, and is not there: nobody has ever led. */
  readonly absent?: true;
  readonly failure?: Cause;
}

interface Lease {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
  };
}

/** Never rejects. */
export async function readLease(client: ApiClient, component: ListeningComponent): Promise<LeaseReading> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${component}`;
  try {
    const answer = await client.get(path);
    if (answer.status === 404) return { absent: true };
    const { spec } =
      answer.status === 200 ? (JSON.parse(answer.text) as Lease) : await client.getJson<Lease>(path);
    const renewed = new Date(spec?.renewTime ?? '').getTime();
    const now = (answer.date ?? new Date()).getTime();
    return {
      ...(spec?.holderIdentity ? { holder: plainText(spec.holderIdentity) } : {}),
      ...(Number.isNaN(renewed) ? {} : { ageSeconds: Math.max(0, (now - renewed) / 1000) }),
      ...(spec?.leaseDurationSeconds === undefined ? {} : { durationSeconds: spec.leaseDurationSeconds }),
    };
  } catch (error) {
    return { failure: kubeCauseOf(error, 'kube-apiserver') };
  }
}

/** The name of the machine that a holder runs on: client-go puts it before an underscore and a UUID. */
export function machineOf(holder: string): string {
  const end = holder.lastIndexOf('_');
  return (end < 0 ? holder : holder.slice(0, end)).toLowerCase();
}

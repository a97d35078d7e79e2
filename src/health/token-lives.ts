import type { ApiClient } from './api-client.ts';
import { pagesOf } from './api-pages.ts';

/** What decides how long a token of the TokenRequest API lives; in seconds. */
export interface TokenSettings {
  /** --service-account-extend-token-expiration: tokens of Pods that were not asked for otherwise live a year. */
  readonly extended: boolean;
  /** --service-account-max-token-expiration: what is asked for beyond it is cut to it. Not what is extended. */
  readonly most?: number;
  /** The longest that a Pod asks for. */
  readonly asked?: number;
}

/** Seconds, and in a clause why. pkg/registry/core/serviceaccount/storage/token.go, 1.20 to 1.36. */
export function longestLife({ extended, most, asked = 0 }: TokenSettings): {
  readonly seconds: number;
  readonly why: string;
} {
  const whenAsked =
    most === undefined
      ? asked > unasked
        ? { seconds: asked, why: `a Pod asks for tokens of ${spanOf(asked)}` }
        : { seconds: unasked, why: 'tokens live an hour unless somebody asks for longer' }
      : { seconds: most, why: `--service-account-max-token-expiration is ${spanOf(most)}` };
  if (!extended || whenAsked.seconds >= year) return withLeeway(whenAsked);
  return withLeeway({
    seconds: year,
    why: 'the apiservers sign tokens of Pods for a year (--service-account-extend-token-expiration)',
  });
}

/** When nobody says how long: TokenRequest, and a projected volume. */
const unasked = 3600;
const year = 365 * 24 * 3600;
/** Clocks differ, and Kubernetes itself forgives a minute. */
const leeway = 600;

const withLeeway = ({ seconds, why }: { seconds: number; why: string }) => ({
  seconds: seconds + leeway,
  why,
});

function spanOf(seconds: number): string {
  const hours = Math.ceil(seconds / 3600);
  return hours < 48 ? `${hours} h` : `${Math.ceil(hours / 24)} days`;
}

interface Pod {
  readonly spec?: {
    readonly volumes?: readonly {
      readonly projected?: {
        readonly sources?: readonly {
          readonly serviceAccountToken?: { readonly expirationSeconds?: number };
        }[];
      };
    }[];
  };
}

/** The longest time (seconds) that a Pod that there is asks a token for; 0 where none does. Rejects with an ApiError. */
export async function longestAskedFor(client: ApiClient): Promise<number> {
  let longest = 0;
  for await (const pods of pagesOf<Pod>(client, { path: '/api/v1/pods', size: 100 })) {
    const sources = pods.flatMap(({ spec }) =>
      (spec?.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []),
    );
    longest = Math.max(
      longest,
      ...sources.map(({ serviceAccountToken }) => serviceAccountToken?.expirationSeconds ?? 0),
    );
  }
  return longest;
}

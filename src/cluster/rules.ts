import type { Problem } from './mistake.ts';
import { etcdRules } from './rules-etcd.ts';
import { hostRules } from './rules-hosts.ts';
import { networkRules } from './rules-network.ts';
import { pathRules } from './rules-paths.ts';
import type { Draft } from './schema.ts';

/** What no single value can tell. A rule looks at a draft, which may have holes, and says nothing about a hole. */
export type Rule = (draft: Draft) => Iterable<Problem>;

export const rules: readonly Rule[] = [...hostRules, ...etcdRules, ...networkRules, ...pathRules];

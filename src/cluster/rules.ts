import type { Problem } from './mistake.ts';
import { endpointRules } from './rules-endpoint.ts';
import { etcdRules } from './rules-etcd.ts';
import { hostRules } from './rules-hosts.ts';
import { kubernetesRules } from './rules-kubernetes.ts';
import { pathRules } from './rules-paths.ts';
import { pkiRules } from './rules-pki.ts';
import { portRules } from './rules-ports.ts';
import { sourceRules } from './rules-source.ts';
import { subnetRules } from './rules-subnets.ts';
import type { Draft } from './schema.ts';

/** What no single value can tell. A rule looks at a draft, which may have holes, and says nothing about a hole. */
export type Rule = (draft: Draft) => Iterable<Problem>;

export const rules: readonly Rule[] = [
  ...hostRules,
  ...etcdRules,
  ...kubernetesRules,
  ...sourceRules,
  ...portRules,
  ...subnetRules,
  ...endpointRules,
  ...pkiRules,
  ...pathRules,
];

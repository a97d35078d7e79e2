import type { FlagLife } from './kube-flags.ts';
import {
  delegatedLives,
  leaderElectionLives,
  loggingLives,
  servingLives,
} from './kube-flags-of-every-component.ts';

/** kube-scheduler: cmd/kube-scheduler/app/options. */
export const schedulerLives: readonly FlagLife[] = [
  ...loggingLives,
  ...servingLives,
  ...delegatedLives,
  ...leaderElectionLives,
  {
    flags: `config contention-profiling kube-api-burst kube-api-content-type kube-api-qps kubeconfig master profiling
      write-config-to`,
  },
  { until: '1.21', flags: 'algorithm-provider' },
  {
    until: '1.22',
    flags: `hard-pod-affinity-symmetric-weight policy-config-file policy-configmap policy-configmap-namespace
      scheduler-name use-legacy-policy-config`,
  },
  { until: '1.23', flags: 'address port' },
  { since: '1.24', flags: 'pod-max-in-unschedulable-pods-duration' },
  { until: '1.27', flags: 'lock-object-name lock-object-namespace' },
  { since: '1.32', flags: 'emulated-version' },
];

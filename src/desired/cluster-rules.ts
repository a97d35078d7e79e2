import { componentKeys } from '../cluster/defaults.ts';
import type { FurtherRule } from '../cluster/load.ts';
import { error } from '../cluster/mistake.ts';
import { checkEtcdEnvironment } from './components/etcd-environment.ts';
import { checkKubernetesFlags } from './components/kube-overrides.ts';

/** What only shows against the components' own data; told with its line by the loader (src/cluster/load.ts). */
export const desiredRules: readonly FurtherRule[] = [
  function* environment({ etcd }) {
    for (const { variable, why } of checkEtcdEnvironment(etcd).refused) {
      yield error(['etcd', 'environment', variable], `cannot be set here: ${why}`);
    }
  },

  function* flags(cluster) {
    for (const { component, flag, why } of checkKubernetesFlags(cluster).refused) {
      const path = ['kubernetes', componentKeys[component], 'flags', flag];
      yield error(path, `cannot be set here: ${why}`);
    }
  },
];

import { bundlePath, schedulerConfigPath } from './kube-paths.ts';
import type { KubeSetting } from './kube-setting.ts';
import { clientSettings, servingSettings } from './kube-tls-settings.ts';

const apiserver = 'it talks to the apiserver of its own host with kbin’s certificate';

/** What kbin sets, in the order of the unit; the rest is in units/kube-scheduler/config.yaml, which would overrule it. */
export const schedulerSettings: readonly KubeSetting[] = [
  {
    flag: 'config',
    value: ({ cluster }) => schedulerConfigPath(cluster),
    wiring: 'kbin writes the scheduler’s configuration, in the version that the release reads',
  },
  { flag: 'authentication-kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  { flag: 'authorization-kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  // Probes and metrics: nobody but this host asks, unless cluster.yaml says so.
  { flag: 'bind-address', value: () => '127.0.0.1' },
  { flag: 'secure-port', value: () => '10259' },
  // In plain text on every address otherwise, up to the release that took it away.
  { flag: 'port', value: () => '0', until: '1.23', wiring: 'the plaintext port stays shut' },
  ...servingSettings('kube-scheduler'),
  ...clientSettings('kube-scheduler'),
];

function inBundle(file: string): KubeSetting['value'] {
  return ({ cluster }) => `${bundlePath(cluster, 'kube-scheduler')}/${file}`;
}

import { bundlePath, schedulerConfigPath } from './kube-paths.ts';
import type { KubeSetting } from './kube-setting.ts';
import { clientSettings, servingSettings } from './kube-tls-settings.ts';

/** The first minor that gets its settings as a file. */
export const configuredSince = '1.23';

const alone = 'two of them at work would place the same pods; there may be another on any host';
const apiserver = 'it talks to the apiserver of its own host with kbin’s certificate';

/**
 * What kbin sets, in the order of the unit; from 1.23 on the rest is in units/kube-scheduler/config.yaml, which would overrule
 * it. Before, a configuration file opens the plaintext port 10251 on every address, whatever it and --port say.
 */
export const schedulerSettings: readonly KubeSetting[] = [
  {
    flag: 'config',
    since: configuredSince,
    value: ({ cluster }) => schedulerConfigPath(cluster),
    wiring: 'kbin writes the scheduler’s configuration, in the version that the release reads',
  },
  { flag: 'kubeconfig', value: inBundle('kubeconfig'), until: '1.22', wiring: apiserver },
  { flag: 'leader-elect', value: () => 'true', until: '1.22', wiring: alone },
  { flag: 'profiling', value: () => 'false', until: '1.22' },
  { flag: 'authentication-kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  { flag: 'authorization-kubeconfig', value: inBundle('kubeconfig'), wiring: apiserver },
  // Probes and metrics: nobody but this host asks, unless cluster.yaml says so.
  { flag: 'bind-address', value: () => '127.0.0.1' },
  { flag: 'secure-port', value: () => '10259' },
  // In plain text on every address otherwise; 1.23 took it away and still knows the flag.
  { flag: 'port', value: () => '0', until: '1.23', wiring: 'the plaintext port stays shut' },
  ...servingSettings('kube-scheduler'),
  ...clientSettings('kube-scheduler'),
];

function inBundle(file: string): KubeSetting['value'] {
  return ({ cluster }) => `${bundlePath(cluster, 'kube-scheduler')}/${file}`;
}

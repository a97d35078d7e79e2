import config from '../../../units/kube-scheduler/config.yaml?raw';
import service from '../../../units/kube-scheduler/kube-scheduler.service?raw';
import type { Cluster } from '../../cluster/cluster.ts';
import { compareMinors, type Version, versionOf } from '../../cluster/version.ts';
import type { DesiredFile } from '../desired.ts';
import { textContent } from '../digest.ts';
import { renderTemplate, yamlString } from '../template.ts';
import { kubeComponent, plain } from './kube-component.ts';
import { bundleFiles, ownKubeconfig } from './kube-files.ts';
import { bundlePath, schedulerConfigPath } from './kube-paths.ts';
import { configuredSince, schedulerSettings } from './kube-scheduler-settings.ts';

/** Name of the unit on every control-plane host. */
export const kubeSchedulerUnit = 'kube-scheduler.service';

export const kubeScheduler = kubeComponent({
  name: 'kube-scheduler',
  settings: schedulerSettings,
  service,
  stopSeconds: () => 30,
  needs: (_cluster, host) => [
    { id: 'kubernetes-ca', what: 'certificate' },
    { id: `scheduler-server@${host.name}`, what: 'leaf' },
    { id: 'front-proxy-ca', what: 'certificate' },
    { id: 'scheduler', what: 'leaf' },
  ],
  bundle: (placed, account) => {
    const { trusted, leaf, secret } = bundleFiles(placed, account);
    return [
      trusted('ca.crt', 'kubernetes-ca', 'restart'),
      ...leaf('server', `scheduler-server@${placed.host.name}`, 'restart'),
      trusted('front-proxy-ca.crt', 'front-proxy-ca', 'restart'),
      secret('kubeconfig', ownKubeconfig(placed, 'system:kube-scheduler', 'scheduler'), 'restart'),
    ];
  },
  files: ({ cluster, version }) => (isConfigured(version) ? [configuration(cluster, version)] : []),
});

function isConfigured(version: Version): boolean {
  return compareMinors(version, versionOf(`${configuredSince}.0`)) >= 0;
}

function configuration(cluster: Cluster, version: Version): DesiredFile {
  const kubeconfig = `${bundlePath(cluster, 'kube-scheduler')}/kubeconfig`;
  const view = { apiVersion: configVersion(version), kubeconfig };
  return {
    path: schedulerConfigPath(cluster),
    ...plain,
    content: textContent(renderTemplate(config, view, yamlString)),
    effect: 'restart',
  };
}

/** The newest version of KubeSchedulerConfiguration that the release reads; the fields that kbin sets are in all of them. */
function configVersion(version: Version): string {
  return compareMinors(version, { major: 1, minor: 25 }) >= 0 ? 'v1' : 'v1beta2';
}

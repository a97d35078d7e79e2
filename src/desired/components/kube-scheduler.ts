import config from '../../../units/kube-scheduler/config.yaml?raw';
import service from '../../../units/kube-scheduler/kube-scheduler.service?raw';
import { compareMinors, type Version } from '../../cluster/version.ts';
import { textContent } from '../digest.ts';
import { renderTemplate, yamlString } from '../template.ts';
import { kubeComponent, plain } from './kube-component.ts';
import { bundleFiles, ownKubeconfig } from './kube-files.ts';
import { bundlePath, schedulerConfigPath } from './kube-paths.ts';
import { schedulerSettings } from './kube-scheduler-settings.ts';

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
    const { certificate, leaf, secret } = bundleFiles(placed, account);
    return [
      certificate('ca.crt', 'kubernetes-ca', 'restart'),
      ...leaf('server', `scheduler-server@${placed.host.name}`, 'restart'),
      certificate('front-proxy-ca.crt', 'front-proxy-ca', 'restart'),
      secret('kubeconfig', ownKubeconfig(placed, 'system:kube-scheduler', 'scheduler'), 'restart'),
    ];
  },
  files: ({ cluster, version }) => [
    {
      path: schedulerConfigPath(cluster),
      ...plain,
      content: textContent(
        renderTemplate(
          config,
          {
            apiVersion: configVersion(version),
            kubeconfig: `${bundlePath(cluster, 'kube-scheduler')}/kubeconfig`,
          },
          yamlString,
        ),
      ),
      effect: 'restart',
    },
  ],
});

/** The newest version of KubeSchedulerConfiguration that the release reads, as the fields that kbin sets are in all of them. */
function configVersion(version: Version): string {
  if (compareMinors(version, { major: 1, minor: 25 }) >= 0) return 'v1';
  return compareMinors(version, { major: 1, minor: 22 }) >= 0 ? 'v1beta2' : 'v1beta1';
}

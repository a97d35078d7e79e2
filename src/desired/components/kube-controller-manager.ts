import service from '../../../units/kube-controller-manager/kube-controller-manager.service?raw';
import { signsNodes } from '../from-store.ts';
import { kubeComponent } from './kube-component.ts';
import { controllerManagerSettings } from './kube-controller-manager-settings.ts';
import { bundleFiles, ownKubeconfig } from './kube-files.ts';

/** Name of the unit on every control-plane host. */
export const kubeControllerManagerUnit = 'kube-controller-manager.service';

export const kubeControllerManager = kubeComponent({
  name: 'kube-controller-manager',
  settings: controllerManagerSettings,
  service,
  stopSeconds: () => 30,
  needs: (_cluster, host) => [
    // Its key too, where signsNodes().
    { id: 'kubernetes-ca', what: 'certificate' },
    { id: `controller-manager-server@${host.name}`, what: 'leaf' },
    { id: 'front-proxy-ca', what: 'certificate' },
    { id: 'controller-manager', what: 'leaf' },
    { id: 'service-account', what: 'key' },
  ],
  bundle: (placed, account) => {
    const { trusted, key, leaf, secret } = bundleFiles(placed, account);
    return [
      trusted('ca.crt', 'kubernetes-ca', 'restart'),
      // It signs what kubelets ask for, and takes a file with one certificate only.
      ...(signsNodes(placed.cluster, placed.store) ? leaf('signing-ca', 'kubernetes-ca', 'restart') : []),
      ...leaf('server', `controller-manager-server@${placed.host.name}`, 'restart'),
      trusted('front-proxy-ca.crt', 'front-proxy-ca', 'restart'),
      key('service-account.key', 'service-account', 'restart'),
      secret(
        'kubeconfig',
        ownKubeconfig(placed, 'system:kube-controller-manager', 'controller-manager'),
        'restart',
      ),
    ];
  },
  files: () => [],
});

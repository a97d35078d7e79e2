import auditPolicy from '../../../units/kube-apiserver/audit-policy.yaml?raw';
import authentication from '../../../units/kube-apiserver/authentication.yaml?raw';
import service from '../../../units/kube-apiserver/kube-apiserver.service?raw';
import { compareMinors } from '../../cluster/version.ts';
import { composedContent } from '../compose.ts';
import type { Account, DesiredFile } from '../desired.ts';
import { textContent } from '../digest.ts';
import { renderTemplate, yamlString } from '../template.ts';
import { apiserverSettings, hasAuthentication } from './kube-apiserver-settings.ts';
import { kubeComponent, plain, root } from './kube-component.ts';
import {
  encryptionFingerprints,
  encryptionNote,
  encryptionParts,
  isEncryptionConfigured,
} from './kube-encryption.ts';
import { bundleFiles, ownKubeconfig } from './kube-files.ts';
import {
  adminKubeconfigPath,
  auditPolicyPath,
  authenticationPath,
  encryptionNotePath,
} from './kube-paths.ts';
import type { Placed } from './kube-setting.ts';

/** Name of the unit on every control-plane host. */
export const kubeApiserverUnit = 'kube-apiserver.service';

export { encryptionFingerprints };

export const kubeApiserver = kubeComponent({
  name: 'kube-apiserver',
  settings: apiserverSettings,
  service,
  // Beyond the delay it waits up to --request-timeout, a minute, for requests that it has already.
  stopSeconds: ({ kubernetes }) => kubernetes.shutdownDelay + 75,
  alsoBrings: ['kubectl'],
  needs: (cluster, host) => [
    { id: 'kubernetes-ca', what: 'certificate' },
    { id: `apiserver@${host.name}`, what: 'leaf' },
    { id: 'etcd-ca', what: 'certificate' },
    { id: 'apiserver-etcd-client', what: 'leaf' },
    { id: 'apiserver-kubelet-client', what: 'leaf' },
    { id: 'front-proxy-ca', what: 'certificate' },
    { id: 'front-proxy-client', what: 'leaf' },
    { id: 'admin', what: 'leaf' },
    { id: 'service-account', what: 'key' },
    ...(cluster.kubernetes.encryption === undefined
      ? []
      : [{ id: 'encryption-key', what: 'encryption' } as const]),
  ],
  bundle: (placed, account) => apiserverBundle(placed, account),
  files: apiserverFiles,
  directories: ({ cluster: { kubernetes, paths } }, { user, group }) =>
    kubernetes.audit === undefined ? [] : [{ path: paths.kubernetes.audit, mode: 0o700, owner: user, group }],
});

/**
 * By itself the apiserver looks at its serving certificate and the front proxy's once a minute, at the one for kubelets
 * every five, and shows etcd another one only when it connects anew; etcd's CA and the keys of service accounts it reads
 * when it starts (1.20: apiserver's dynamiccertificates, client-go's transport/cert_rotation.go, storagebackend/factory;
 * kubernetes/kubernetes#79285, #90360). So nobody could tell when a renewed one is in force, and one that etcd refuses
 * would show when a connection breaks. A restart behind /readyz has all of it in force at a moment that can be told,
 * which is what verify then looks at.
 */
function apiserverBundle(placed: Placed, account: Account): DesiredFile[] {
  const { cluster, host, store } = placed;
  const { trusted, key, leaf, text, secret } = bundleFiles(placed, account);
  return [
    trusted('ca.crt', 'kubernetes-ca', 'restart'),
    ...leaf('server', `apiserver@${host.name}`, 'restart'),
    trusted('etcd-ca.crt', 'etcd-ca', 'restart'),
    ...leaf('etcd-client', 'apiserver-etcd-client', 'restart'),
    ...leaf('kubelet-client', 'apiserver-kubelet-client', 'restart'),
    trusted('front-proxy-ca.crt', 'front-proxy-ca', 'restart'),
    ...leaf('front-proxy-client', 'front-proxy-client', 'restart'),
    text(
      'service-account.pub',
      store
        .serviceAccountKeys()
        .map(({ pem }) => pem)
        .join(''),
      'restart',
    ),
    key('service-account.key', 'service-account', 'restart'),
    ...(isEncryptionConfigured(store)
      ? [secret('encryption.yaml', composedContent(store, encryptionParts(cluster, store)), 'restart')]
      : []),
  ];
}

function apiserverFiles(placed: Placed): DesiredFile[] {
  const { cluster, store, version } = placed;
  const { audit } = cluster.kubernetes;
  const text = (path: string, content: string, effect: DesiredFile['effect']): DesiredFile => ({
    path,
    ...plain,
    content: textContent(content),
    effect,
  });
  const minor = (wanted: number) => compareMinors(version, { major: 1, minor: wanted }) >= 0;
  return [
    ...(audit === undefined ? [] : [text(auditPolicyPath(cluster), audit.policy ?? auditPolicy, 'restart')]),
    ...(minor(32) && hasAuthentication(cluster)
      ? [
          text(
            authenticationPath(cluster),
            renderTemplate(authentication, { apiVersion: minor(34) ? 'v1' : 'v1beta1' }, yamlString),
            'restart',
          ),
        ]
      : []),
    // For kbin plan, which compares hosts and must not see secrets.
    ...(isEncryptionConfigured(store)
      ? [text(encryptionNotePath(cluster), encryptionNote(cluster, store), 'none')]
      : []),
    {
      path: adminKubeconfigPath(cluster),
      mode: 0o600,
      ...root,
      content: ownKubeconfig(placed, 'kubernetes-admin', 'admin'),
      effect: 'none',
    },
  ];
}

import type { ControlPlaneComponent } from '../../cluster/cluster.ts';
import { bundlePath } from './kube-paths.ts';
import type { KubeSetting } from './kube-setting.ts';
import { modernSuites } from './tls-suites.ts';

export const ownCertificates = 'kbin makes, checks and renews this certificate, and clients count on it';
const ownAuthority = 'the program would trust others than the certificates of this cluster';
const frontProxy = 'who holds such a certificate may take any name: kbin’s front-proxy certificate alone';

/** What each of the three shows to its clients. */
export function servingSettings(component: ControlPlaneComponent): readonly KubeSetting[] {
  return [
    {
      flag: 'tls-cert-file',
      value: ({ cluster }) => `${bundlePath(cluster, component)}/server.crt`,
      wiring: ownCertificates,
    },
    {
      flag: 'tls-private-key-file',
      value: ({ cluster }) => `${bundlePath(cluster, component)}/server.key`,
      wiring: ownCertificates,
    },
    { flag: 'tls-min-version', value: () => 'VersionTLS12', wiring: oldVersion },
    { flag: 'tls-cipher-suites', value: () => modernSuites.join(',') },
  ];
}

/** Whom each of the three believes. */
export function clientSettings(component: ControlPlaneComponent): readonly KubeSetting[] {
  return [
    {
      flag: 'client-ca-file',
      value: ({ cluster }) => `${bundlePath(cluster, component)}/ca.crt`,
      wiring: ownAuthority,
    },
    {
      flag: 'requestheader-client-ca-file',
      value: ({ cluster }) => `${bundlePath(cluster, component)}/front-proxy-ca.crt`,
      wiring: frontProxy,
    },
    { flag: 'requestheader-allowed-names', value: () => 'front-proxy-client', wiring: frontProxy },
  ];
}

function oldVersion(values: readonly string[]): string | undefined {
  return values.some((value) => /^VersionTLS1[01]$/.test(value))
    ? 'TLS before 1.2 is broken, and kbin’s clients do not speak it'
    : undefined;
}

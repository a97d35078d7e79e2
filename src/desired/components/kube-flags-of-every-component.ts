import type { FlagLife } from './kube-flags.ts';

// What k8s.io/component-base and k8s.io/apiserver give to all three components.

/** Logging, metrics, version (component-base), feature gates; the sources stand beside each group. */
export const loggingLives: readonly FlagLife[] = [
  {
    flags:
      'feature-gates help log-flush-frequency logging-format show-hidden-metrics-for-version v version vmodule',
  },
  // KEP-2845: deprecated in 1.23, gone in 1.26 (facts of CHANGELOG-1.26, "klog flags").
  {
    until: '1.25',
    flags: `add-dir-header alsologtostderr log-backtrace-at log-dir log-file log-file-max-size logtostderr one-output
      skip-headers skip-log-headers stderrthreshold`,
  },
  // KEP-1753, kubernetes#107207: "removed in the 1.24 release".
  { until: '1.23', flags: 'experimental-logging-sanitization' },
  // kubernetes#104873, merged in October 2021.
  { since: '1.23', flags: 'log-json-info-buffer-size log-json-split-stream' },
  { since: '1.31', flags: 'log-text-info-buffer-size log-text-split-stream' },
  // KEP-2305 (kubernetes#99385, website#27069 for 1.21); the manifest with its beta (kubernetes#118299, July 2023).
  { since: '1.21', flags: 'allow-metric-labels disabled-metrics' },
  { since: '1.28', flags: 'allow-metric-labels-manifest' },
  // kubernetes#133980, release notes of 1.35.
  { since: '1.35', flags: 'min-compatibility-version' },
];

/** k8s.io/apiserver, pkg/server/options/serving.go. */
export const servingLives: readonly FlagLife[] = [
  {
    flags: `bind-address cert-dir http2-max-streams-per-connection permit-port-sharing secure-port tls-cert-file
      tls-cipher-suites tls-min-version tls-private-key-file tls-sni-cert-key`,
  },
  { since: '1.21', flags: 'permit-address-sharing' },
  // kubernetes#122176, in the release notes of 1.31.
  { since: '1.31', flags: 'disable-http2-serving' },
  // CHANGELOG-1.36 (kubernetes#137115).
  { since: '1.36', flags: 'tls-curve-preferences' },
];

/** k8s.io/apiserver, pkg/server/options/{authentication,authorization}.go, as the other two have them. */
export const delegatedLives: readonly FlagLife[] = [
  {
    flags: `authentication-kubeconfig authentication-skip-lookup authentication-token-webhook-cache-ttl
      authentication-tolerate-lookup-failure authorization-always-allow-paths authorization-kubeconfig
      authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl client-ca-file
      requestheader-allowed-names requestheader-client-ca-file requestheader-extra-headers-prefix
      requestheader-group-headers requestheader-username-headers`,
  },
  // CHANGELOG-1.32, #115834.
  { since: '1.32', flags: 'requestheader-uid-headers' },
];

/** component-base, config/options/leaderelectionconfig.go. */
export const leaderElectionLives: readonly FlagLife[] = [
  {
    flags: `leader-elect leader-elect-lease-duration leader-elect-renew-deadline leader-elect-resource-lock
      leader-elect-resource-name leader-elect-resource-namespace leader-elect-retry-period`,
  },
];

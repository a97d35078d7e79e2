import type { FlagLife } from './kube-flags.ts';
import { loggingLives, servingLives } from './kube-flags-of-every-component.ts';

/** kube-apiserver: cmd/kube-apiserver/app/options, pkg/kubeapiserver/options, k8s.io/apiserver/pkg/server/options. */
export const apiserverLives: readonly FlagLife[] = [
  ...loggingLives,
  ...servingLives,
  {
    flags: `admission-control admission-control-config-file advertise-address allow-privileged anonymous-auth
      api-audiences apiserver-count audit-log-batch-buffer-size audit-log-batch-max-size audit-log-batch-max-wait
      audit-log-batch-throttle-burst audit-log-batch-throttle-enable audit-log-batch-throttle-qps audit-log-compress
      audit-log-format audit-log-maxage audit-log-maxbackup audit-log-maxsize audit-log-mode audit-log-path
      audit-log-truncate-enabled audit-log-truncate-max-batch-size audit-log-truncate-max-event-size audit-log-version
      audit-policy-file audit-webhook-batch-buffer-size audit-webhook-batch-initial-backoff
      audit-webhook-batch-max-size audit-webhook-batch-max-wait audit-webhook-batch-throttle-burst
      audit-webhook-batch-throttle-enable audit-webhook-batch-throttle-qps audit-webhook-config-file
      audit-webhook-initial-backoff audit-webhook-mode audit-webhook-truncate-enabled
      audit-webhook-truncate-max-batch-size audit-webhook-truncate-max-event-size audit-webhook-version
      authentication-token-webhook-cache-ttl authentication-token-webhook-config-file
      authentication-token-webhook-version authorization-mode authorization-policy-file
      authorization-webhook-cache-authorized-ttl authorization-webhook-cache-unauthorized-ttl
      authorization-webhook-config-file authorization-webhook-version client-ca-file contention-profiling
      cors-allowed-origins default-not-ready-toleration-seconds default-unreachable-toleration-seconds
      default-watch-cache-size delete-collection-workers disable-admission-plugins egress-selector-config-file
      enable-admission-plugins enable-aggregator-routing enable-bootstrap-token-auth enable-garbage-collector
      enable-logs-handler enable-priority-and-fairness encryption-provider-config endpoint-reconciler-type etcd-cafile
      etcd-certfile etcd-compaction-interval etcd-count-metric-poll-period etcd-db-metric-poll-interval
      etcd-healthcheck-timeout etcd-keyfile etcd-prefix etcd-servers etcd-servers-overrides event-ttl external-hostname
      goaway-chance kubelet-certificate-authority kubelet-client-certificate kubelet-client-key kubelet-port
      kubelet-preferred-address-types kubelet-read-only-port kubelet-timeout kubernetes-service-node-port
      livez-grace-period max-connection-bytes-per-sec max-mutating-requests-inflight max-requests-inflight
      min-request-timeout oidc-ca-file oidc-client-id oidc-groups-claim oidc-groups-prefix oidc-issuer-url
      oidc-required-claim oidc-signing-algs oidc-username-claim oidc-username-prefix profiling proxy-client-cert-file
      proxy-client-key-file request-timeout requestheader-allowed-names requestheader-client-ca-file
      requestheader-extra-headers-prefix requestheader-group-headers requestheader-username-headers runtime-config
      service-account-extend-token-expiration service-account-issuer service-account-jwks-uri service-account-key-file
      service-account-lookup service-account-max-token-expiration service-account-signing-key-file
      service-cluster-ip-range service-node-port-range shutdown-delay-duration storage-backend storage-media-type
      token-auth-file watch-cache watch-cache-sizes`,
  },
  { until: '1.21', flags: 'kubelet-https ssh-keyfile ssh-user' },
  // kubernetes#108423, #108448, #108457 and CHANGELOG-1.24 (insecure serving).
  {
    until: '1.23',
    flags: `address deserialization-cache-size enable-swagger-ui experimental-encryption-provider-config
      insecure-bind-address insecure-port port target-ram-mb`,
  },
  { until: '1.24', flags: 'service-account-api-audiences' },
  // kubernetes#114446, January 2023.
  { until: '1.26', flags: 'master-service-namespace' },
  // kubernetes#113629 (APIServerIdentity to beta, 1.26).
  { until: '1.25', flags: 'identity-lease-duration-seconds identity-lease-renew-interval-seconds' },
  { until: '1.30', flags: 'cloud-provider-gce-l7lb-src-cidrs cloud-provider-gce-lb-src-cidrs' },
  { until: '1.32', flags: 'cloud-config cloud-provider' },
  // Up to the next comment: 1.33 has them (kubernetes/apiserver v0.33.4, kubeapiserver/options) and 1.20 has not; the minor
  // in between is the one of the KEP or release that brought each, not read off that release's own source.
  { since: '1.21', flags: 'lease-reuse-duration-seconds strict-transport-security-directives' },
  { since: '1.22', flags: 'tracing-config-file' },
  { since: '1.23', flags: 'aggregator-reject-forwarding-redirect' },
  { since: '1.24', flags: 'shutdown-send-retry-after' },
  {
    since: '1.26',
    flags: 'debug-socket-path encryption-provider-config-automatic-reload etcd-readycheck-timeout',
  },
  { since: '1.27', flags: 'shutdown-watch-termination-grace-period' },
  { since: '1.28', flags: 'peer-advertise-ip peer-advertise-port peer-ca-file' },
  { since: '1.29', flags: 'authentication-config authorization-config' },
  { since: '1.31', flags: 'emulated-version storage-initialization-timeout' },
  // CHANGELOG-1.32 (kubernetes#115834, #128190).
  { since: '1.32', flags: 'requestheader-uid-headers service-account-signing-endpoint' },
  // coordinated-*: pkg/controlplane/apiserver/options/options.go has them in 1.33 and not in 1.32 (kcp-dev/kubernetes,
  // c854db84).
  {
    since: '1.33',
    flags: `coordinated-leadership-lease-duration coordinated-leadership-renew-deadline
      coordinated-leadership-retry-period emulation-forward-compatible runtime-config-emulation-forward-compatible`,
  },
];

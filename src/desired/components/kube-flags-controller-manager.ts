import type { FlagLife } from './kube-flags.ts';
import {
  delegatedLives,
  leaderElectionLives,
  loggingLives,
  servingLives,
} from './kube-flags-of-every-component.ts';

/** kube-controller-manager: cmd/kube-controller-manager/app/options, k8s.io/cloud-provider/options, k8s.io/controller-manager. */
export const controllerManagerLives: readonly FlagLife[] = [
  ...loggingLives,
  ...servingLives,
  ...delegatedLives,
  ...leaderElectionLives,
  {
    flags: `allocate-node-cidrs attach-detach-reconcile-sync-period cidr-allocator-type cloud-config cloud-provider
      cluster-cidr cluster-name cluster-signing-cert-file cluster-signing-duration cluster-signing-key-file
      cluster-signing-kube-apiserver-client-cert-file cluster-signing-kube-apiserver-client-key-file
      cluster-signing-kubelet-client-cert-file cluster-signing-kubelet-client-key-file
      cluster-signing-kubelet-serving-cert-file cluster-signing-kubelet-serving-key-file
      cluster-signing-legacy-unknown-cert-file cluster-signing-legacy-unknown-key-file
      concurrent-deployment-syncs concurrent-endpoint-syncs concurrent-gc-syncs concurrent-namespace-syncs
      concurrent-replicaset-syncs concurrent-resource-quota-syncs concurrent-service-endpoint-syncs
      concurrent-service-syncs concurrent-serviceaccount-token-syncs concurrent-statefulset-syncs
      concurrent-ttl-after-finished-syncs concurrent_rc_syncs configure-cloud-routes contention-profiling
      controller-start-interval controllers disable-attach-detach-reconcile-sync enable-dynamic-provisioning
      enable-garbage-collector enable-hostpath-provisioner endpoint-updates-batch-period
      endpointslice-updates-batch-period external-cloud-volume-plugin flex-volume-plugin-dir
      horizontal-pod-autoscaler-cpu-initialization-period horizontal-pod-autoscaler-downscale-stabilization
      horizontal-pod-autoscaler-initial-readiness-delay horizontal-pod-autoscaler-sync-period
      horizontal-pod-autoscaler-tolerance kube-api-burst kube-api-content-type kube-api-qps kubeconfig
      large-cluster-size-threshold master max-endpoints-per-slice min-resync-period
      mirroring-concurrent-service-endpoint-syncs mirroring-endpointslice-updates-batch-period
      mirroring-max-endpoints-per-subset namespace-sync-period node-cidr-mask-size node-cidr-mask-size-ipv4
      node-cidr-mask-size-ipv6 node-eviction-rate node-monitor-grace-period node-monitor-period
      node-startup-grace-period profiling pv-recycler-increment-timeout-nfs pv-recycler-minimum-timeout-hostpath
      pv-recycler-minimum-timeout-nfs pv-recycler-pod-template-filepath-hostpath
      pv-recycler-pod-template-filepath-nfs pv-recycler-timeout-increment-hostpath pvclaimbinder-sync-period
      resource-quota-sync-period root-ca-file route-reconciliation-period secondary-node-eviction-rate
      service-account-private-key-file service-cluster-ip-range terminated-pod-gc-threshold
      unhealthy-zone-threshold use-service-account-credentials`,
  },
  { until: '1.21', flags: 'horizontal-pod-autoscaler-use-rest-clients' },
  { until: '1.23', flags: 'address port' },
  // kubernetes#109612, milestone 1.25.
  { until: '1.24', flags: 'deleting-pods-burst deleting-pods-qps register-retry-count' },
  { until: '1.24', flags: 'experimental-cluster-signing-duration' },
  { until: '1.26', flags: 'enable-taint-manager pod-eviction-timeout' },
  // kubernetes#124948, release notes of 1.31.
  {
    until: '1.30',
    flags: 'horizontal-pod-autoscaler-downscale-delay horizontal-pod-autoscaler-upscale-delay',
  },
  { flags: 'allow-untagged-cloud node-sync-period' },
  { until: '1.30', flags: 'cloud-provider-gce-lb-src-cidrs' },
  // kubernetes#107178, CHANGELOG-1.24.
  { until: '1.23', flags: 'deployment-controller-sync-period' },
  // kubernetes#124017.
  { until: '1.30', flags: 'volume-host-allow-local-loopback volume-host-cidr-denylist' },
  // Up to the next comment: 1.28 has them (but enable-leader-migration and leader-migration-config, not looked up there) and
  // 1.20 has not; the minor in between is the one of the KEP or release that brought each.
  { since: '1.21', flags: 'enable-leader-migration leader-migration-config' },
  { since: '1.23', flags: 'concurrent-ephemeralvolume-syncs' },
  { since: '1.26', flags: 'concurrent-horizontal-pod-autoscaler-syncs' },
  { since: '1.27', flags: 'concurrent-cron-job-syncs concurrent-job-syncs' },
  {
    since: '1.28',
    flags: 'concurrent-validating-admission-policy-status-syncs legacy-service-account-token-clean-up-period',
  },
  // kubernetes#120344, website#45119 for 1.30.
  { since: '1.30', flags: 'disable-force-detach-on-timeout' },
  // CHANGELOG-1.32 (kubernetes#128444).
  { since: '1.32', flags: 'concurrent-daemonset-syncs emulated-version' },
  // cmd/kube-controller-manager/app/options/devicetaintevictioncontroller.go, 008b3652; website#53927 for 1.35.
  { since: '1.35', flags: 'concurrent-device-taint-eviction-syncs' },
  // The reference page of 1.35 has it; earlier ones were not looked up.
  { since: '1.35', flags: 'controller-shutdown-timeout' },
  // cli/run.go of component-base takes `_` for `-` since then; before, concurrent_rc_syncs is the one name.
  { since: '1.23', flags: 'concurrent-rc-syncs' },
  // kubernetes#134701, CHANGELOG-1.36, resourceclaimcontroller.go (10cd7f60).
  { since: '1.36', flags: 'concurrent-resourceclaim-syncs' },
];

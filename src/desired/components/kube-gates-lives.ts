/** What is known of some feature gates: where nothing is said, nothing is known. */
export interface GateLife {
  /** First minor that has them. Without `since` and `from`: 1.20 has them. */
  readonly since?: string;
  /** A minor that has them, where it is not known whether earlier ones had. */
  readonly from?: string;
  /** The last minor that surely has them. */
  readonly seen: string;
  /** A minor that surely has them no longer, nor any later one. */
  readonly gone?: string;
  readonly gates: string;
}

export const gateLives: readonly GateLife[] = [
  // The source of 1.20.2 (pkg/features, apiserver/pkg/features; every one tried with the real binaries): complete.
  {
    seen: '1.20',
    gates: `APIListChunking APIPriorityAndFairness AnyVolumeDataSource AppArmor CPUManager CSIMigrationAzureFile
      CustomCPUCFSQuotaPeriod EfficientWatchResumption ExecProbeTimeout
      ExperimentalHostUserNamespaceDefaulting GracefulNodeShutdown HPAScaleToZero
      KubeletPodResources LocalStorageCapacityIsolationFSQuotaMonitoring ProcMountType QOSReserved
      RemainingItemCount RemoveSelfLink RotateKubeletServerCertificate SizeMemoryBackedVolumes
      WatchBookmark WinDSR WinOverlay`,
  },
  { seen: '1.36', gates: 'AllAlpha AllBeta' },
  // The documentation's page of removed gates, as it was for 1.29 (kubernetes/website, feature-gates-removed/index.md,
  // 27b6d148). Its last column is the last minor that has a gate for some and the first without it for others (1.20.2
  // knows WindowsGMSA and not ServiceLoadBalancerFinalizer, both with 1.20): that one minor stays open here.
  {
    seen: '1.20',
    gone: '1.22',
    gates: `AttachVolumeLimit BlockVolume CSIBlockVolume CSIDriverRegistry CSIMigrationAWSComplete
      CSIMigrationAzureDiskComplete CSIMigrationAzureFileComplete CSIMigrationGCEComplete
      CSIMigrationOpenStackComplete EvenPodsSpread RotateKubeletClientCertificate TokenRequest
      TokenRequestProjection VolumePVCDataSource`,
  },
  { seen: '1.20', gone: '1.21', gates: 'HyperVContainer WindowsGMSA WindowsRunAsUserName' },
  {
    seen: '1.21',
    gone: '1.23',
    gates: `BalanceAttachedNodeVolumes CRIContainerLogRotation CSIMigrationvSphereComplete CSINodeInfo
      ExternalPolicyForExternalIP LegacyNodeRoleBehavior NodeDisruptionExclusion RootCAConfigMap
      RunAsGroup SCTPSupport ServiceAppProtocol ServiceNodeExclusion ServiceTopology Sysctls
      VolumeSnapshotDataSource`,
  },
  {
    seen: '1.22',
    gone: '1.24',
    gates: `BoundServiceAccountTokenVolume CronJobControllerV2 NodeLease ServiceAccountIssuerDiscovery
      StartupProbe SupportNodePidsLimit SupportPodPidsLimit`,
  },
  { since: '1.21', seen: '1.22', gone: '1.24', gates: 'NamespaceDefaultLabelName' },
  {
    seen: '1.23',
    gone: '1.25',
    gates: `CSIServiceAccountToken EndpointSlice EndpointSliceNodeName EndpointSliceProxying
      GenericEphemeralVolume HugePageStorageMediumSize IPv6DualStack ImmutableEphemeralVolumes
      RuntimeClass SetHostnameAsFQDN StorageObjectInUseProtection StreamingProxyRedirects
      TTLAfterFinished ValidateProxyRedirects VolumeSubpath WarningHeaders
      WindowsEndpointSliceProxying`,
  },
  { since: '1.21', seen: '1.23', gone: '1.25', gates: 'IngressClassNamespacedParams' },
  {
    seen: '1.24',
    gone: '1.26',
    gates: `AllowInsecureBackendProxy CSIMigrationOpenStack CSIVolumeFSGroupPolicy ConfigurableFSGroupPolicy
      DefaultPodTopologySpread DynamicKubeletConfig NonPreemptingPriority PodDisruptionBudget
      PodOverhead SelectorIndex ServiceLBNodePortControl`,
  },
  {
    since: '1.21',
    seen: '1.24',
    gone: '1.26',
    gates: `IndexedJob PodAffinityNamespaceSelector PreferNominatedNode ServiceLoadBalancerClass SuspendJob`,
  },
  { since: '1.22', seen: '1.24', gone: '1.26', gates: 'CSRDuration' },
  {
    seen: '1.25',
    gone: '1.27',
    gates: `CSIInlineVolume CSIMigration CSIMigrationAWS CSIMigrationAzureDisk EphemeralContainers
      ExpandCSIVolumes ExpandInUsePersistentVolumes ExpandPersistentVolumes
      LocalStorageCapacityIsolation`,
  },
  {
    since: '1.21',
    seen: '1.25',
    gone: '1.27',
    gates: `ControllerManagerLeaderMigration NetworkPolicyEndPort`,
  },
  { since: '1.22', seen: '1.25', gone: '1.27', gates: 'StatefulSetMinReadySeconds' },
  { since: '1.23', seen: '1.25', gone: '1.27', gates: 'IdentifyPodOS' },
  {
    seen: '1.26',
    gone: '1.28',
    gates: `AdvancedAuditing CSIMigrationGCE CSIStorageCapacity DevicePlugins DisableAcceleratorUsageMetrics
      DryRun EndpointSliceTerminatingCondition MixedProtocolLBService`,
  },
  { since: '1.21', seen: '1.26', gone: '1.28', gates: 'ServiceInternalTrafficPolicy' },
  {
    since: '1.22',
    seen: '1.26',
    gone: '1.28',
    gates: `DelegateFSGroupToCSIDriver PodSecurity WindowsHostProcessContainers`,
  },
  { since: '1.24', seen: '1.26', gone: '1.28', gates: 'NetworkPolicyStatus ServiceIPStaticSubrange' },
  {
    since: '1.25',
    seen: '1.26',
    gone: '1.28',
    gates: `PodHasNetworkCondition UserNamespacesStatelessPodsSupport`,
  },
  {
    seen: '1.27',
    gone: '1.29',
    gates: `CSIMigrationvSphere DownwardAPIHugePages KubeletCredentialProviders TopologyManager`,
  },
  { since: '1.21', seen: '1.27', gone: '1.29', gates: 'DaemonSetUpdateSurge ProbeTerminationGracePeriod' },
  { since: '1.22', seen: '1.27', gone: '1.29', gates: 'JobTrackingWithFinalizers SeccompDefault' },
  {
    since: '1.23',
    seen: '1.27',
    gone: '1.29',
    gates: `GRPCContainerProbe JobMutableNodeSchedulingDirectives OpenAPIV3`,
  },
  {
    since: '1.24',
    seen: '1.27',
    gone: '1.29',
    gates: `CronJobTimeZone LegacyServiceAccountTokenNoAutoGeneration`,
  },
  {
    since: '1.25',
    seen: '1.27',
    gone: '1.29',
    gates: `MultiCIDRRangeAllocator RetroactiveDefaultStorageClass`,
  },
  // CHANGELOG-1.32.md: removed there.
  { seen: '1.31', gone: '1.32', gates: 'HPAContainerMetrics ServerSideApply' },
  {
    from: '1.31',
    seen: '1.31',
    gone: '1.32',
    gates: `AllowServiceLBStatusOnNonLB CloudDualStackNodeIPs ComponentSLIs DRAControlPlaneController KMSv2
      KMSv2KDF LegacyServiceAccountTokenCleanUp MinDomainsInPodTopologySpread
      NewVolumeManagerReconstruction NodeOutOfServiceVolumeDetach ServerSideFieldValidation
      StableLoadBalancerNodeSet ValidatingAdmissionPolicy`,
  },
  // The source of 1.33 (kubernetes/apiserver v0.33.4, pkg/features/kube_features.go, with the minors of each gate).
  { seen: '1.33', gates: 'APIResponseCompression APIServerIdentity StorageVersionAPI StorageVersionHash' },
  { since: '1.22', seen: '1.33', gates: 'APIServerTracing' },
  { since: '1.23', seen: '1.33', gates: 'OpenAPIEnums' },
  { since: '1.25', seen: '1.33', gates: 'UnauthenticatedHTTP2DOSMitigation' },
  { since: '1.27', seen: '1.33', gates: 'WatchFromStorageWithoutResourceVersion WatchList' },
  { since: '1.28', seen: '1.33', gates: 'ConsistentListFromCache SeparateCacheWatchRPC' },
  {
    since: '1.29',
    seen: '1.33',
    gates: `StructuredAuthenticationConfiguration StructuredAuthorizationConfiguration`,
  },
  {
    since: '1.30',
    seen: '1.33',
    gates: `APIServingWithRoutine RetryGenerateName StrictCostEnforcementForVAP StrictCostEnforcementForWebhooks`,
  },
  {
    since: '1.31',
    seen: '1.33',
    gates: `AnonymousAuthConfigurableEndpoints AuthorizeWithSelectors ConcurrentWatchObjectDecode
      CoordinatedLeaderElection ResilientWatchCacheInitialization
      WatchCacheInitializationPostStartHook`,
  },
  {
    since: '1.32',
    seen: '1.33',
    gates: `AllowUnsafeMalformedObjectDeletion BtreeWatchCache CBORServingAndStorage MutatingAdmissionPolicy
      RemoteRequestHeaderUID`,
  },
  {
    since: '1.33',
    seen: '1.33',
    gates: `AllowParsingUserUIDFromCertAuth ListFromCacheSnapshot StreamingCollectionEncodingToJSON
      StreamingCollectionEncodingToProtobuf`,
  },
];

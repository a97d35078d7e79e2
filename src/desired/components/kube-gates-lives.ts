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
      ExperimentalHostUserNamespaceDefaulting 
      KubeletPodResources ProcMountType 
      RemainingItemCount RemoveSelfLink SizeMemoryBackedVolumes
      WatchBookmark WinDSR WinOverlay`,
  },
  {
    seen: '1.36',
    gates: `AllAlpha AllBeta GracefulNodeShutdown HPAScaleToZero
      LocalStorageCapacityIsolationFSQuotaMonitoring QOSReserved RotateKubeletServerCertificate`,
  },
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
  // The source of 1.36 (kubernetes/apiserver, component-base and apiextensions-apiserver v0.36.4: their features' files, with
  // the minors of each gate), and of 1.33 (kubernetes/apiserver v0.33.4) for those that 1.36 has no longer.
  {
    seen: '1.36',
    gates: `APIResponseCompression APIServerIdentity StorageVersionAPI StorageVersionHash`,
  },
  {
    since: '1.22',
    seen: '1.36',
    gates: `APIServerTracing`,
  },
  {
    since: '1.23',
    seen: '1.36',
    gates: `OpenAPIEnums`,
  },
  {
    since: '1.24',
    seen: '1.36',
    gates: `ContextualLogging LoggingAlphaOptions LoggingBetaOptions`,
  },
  {
    since: '1.25',
    seen: '1.36',
    gates: `UnauthenticatedHTTP2DOSMitigation`,
  },
  {
    since: '1.27',
    seen: '1.36',
    gates: `WatchList`,
  },
  {
    since: '1.28',
    seen: '1.36',
    gates: `CRDValidationRatcheting ConsistentListFromCache SeparateCacheWatchRPC
      UnknownVersionInteroperabilityProxy`,
  },
  {
    since: '1.29',
    seen: '1.36',
    gates: `StructuredAuthenticationConfiguration`,
  },
  {
    since: '1.30',
    seen: '1.36',
    gates: `APIServingWithRoutine CustomResourceFieldSelectors RetryGenerateName`,
  },
  {
    since: '1.31',
    seen: '1.36',
    gates: `AnonymousAuthConfigurableEndpoints AuthorizeWithSelectors ConcurrentWatchObjectDecode
      CoordinatedLeaderElection ResilientWatchCacheInitialization
      WatchCacheInitializationPostStartHook`,
  },
  {
    since: '1.32',
    seen: '1.36',
    gates: `AllowUnsafeMalformedObjectDeletion BtreeWatchCache CBORServingAndStorage ComponentFlagz
      ComponentStatusz MutatingAdmissionPolicy RemoteRequestHeaderUID`,
  },
  {
    since: '1.33',
    seen: '1.36',
    gates: `AllowParsingUserUIDFromCertAuth DeclarativeValidation DeclarativeValidationTakeover
      ListFromCacheSnapshot StreamingCollectionEncodingToJSON StreamingCollectionEncodingToProtobuf`,
  },
  {
    since: '1.34',
    seen: '1.36',
    gates: `DetectCacheInconsistency SizeBasedListCostEstimate
      StructuredAuthenticationConfigurationEgressSelector TokenRequestServiceAccountUIDValidation`,
  },
  {
    since: '1.35',
    seen: '1.36',
    gates: `ConstrainedImpersonation StructuredAuthenticationConfigurationJWKSMetrics`,
  },
  {
    since: '1.36',
    seen: '1.36',
    gates: `DeclarativeValidationBeta ManifestBasedAdmissionControlConfig NativeHistograms
      ShardedListAndWatch`,
  },
  {
    since: '1.27',
    seen: '1.33',
    gone: '1.36',
    gates: `WatchFromStorageWithoutResourceVersion`,
  },
  {
    since: '1.29',
    seen: '1.33',
    gone: '1.36',
    gates: `StructuredAuthorizationConfiguration`,
  },
  {
    since: '1.30',
    seen: '1.33',
    gone: '1.36',
    gates: `StrictCostEnforcementForVAP StrictCostEnforcementForWebhooks`,
  },
  // The reference page of 1.36's kube-scheduler, which shows the gates that are alpha or beta: when they came is not said.
  {
    from: '1.36',
    seen: '1.36',
    gates: `AggregatedDiscoveryRemoveBetaType AtomicFIFO AuthorizePodWebsocketUpgradeCreatePermission
      CPUManagerPolicyAlphaOptions CPUManagerPolicyBetaOptions CRDObservedGenerationTracking
      CRIListStreaming CSIVolumeHealth ClearingNominatedNodeNameAfterBinding ClientsAllowCARotation
      ClientsAllowCBOR ClientsAllowTLSCacheGC ClientsPreferCBOR
      CloudControllerManagerWatchBasedRoutesReconciliation CloudControllerManagerWebhook
      ClusterTrustBundle ClusterTrustBundleProjection ContainerCheckpoint ContainerRestartRules
      ContainerStopSignals ControllerManagerReleaseLeaderElectionLockOnExit
      CrossNamespaceVolumeDataSource DRAConsumableCapacity DRADeviceBindingConditions
      DRADeviceTaintRules DRADeviceTaints DRAExtendedResource DRAListTypeAttributes
      DRANodeAllocatableResources DRAPartitionableDevices DRAResourceClaimDeviceStatus
      DRAResourceClaimGranularStatusAuthorization DRAResourcePoolStatus DRASchedulerFilterTimeout
      DRAWorkloadResourceClaims DeploymentReplicaSetTerminatingReplicas EnvFiles EventedPLEG
      ExtendWebSocketsToKubelet GangScheduling GenericWorkload GracefulNodeShutdownBasedOnPodPriority
      HPAConfigurableTolerance HostnameOverride ImageVolumeWithDigest InOrderInformersBatchProcess
      InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScalingExclusiveCPUs
      InPlacePodVerticalScalingExclusiveMemory InPlacePodVerticalScalingInitContainers KMSv1
      KubeletCrashLoopBackOffMax KubeletEnsureSecretPulledImages KubeletInUserNamespace
      KubeletSeparateDiskGC KubeletServiceAccountTokenForCredentialProviders
      MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge
      MaxUnavailableStatefulSet MemoryQoS MutablePVNodeAffinity MutablePodResourcesForSuspendedJobs
      MutableSchedulingDirectivesForSuspendedJobs NodeDeclaredFeatures NominatedNodeNameForExpectation
      OpportunisticBatching PLEGOnDemandRelist PersistentVolumeClaimUnusedSinceTime
      PodAndContainerStatsFromCRI PodCertificateRequest PodDeletionCost PodLevelResourceManagers
      PodLevelResources PodLogsQuerySplitStreams PodReadyToStartContainersCondition
      PodTopologyLabelsAdmission PodsAPI PortForwardWebsockets PreventStaticPodAPIReferences
      ReduceDefaultCrashLoopBackOffDecay RelaxedServiceNameValidation ReloadKubeletClientCAFile
      ReloadKubeletServerCertificateFile ResourceHealthStatus ResourceHealthStatusMessage
      RestartAllContainersOnContainerExits RuntimeClassInImageCriApi SELinuxMount
      SchedulerAsyncAPICalls SchedulerAsyncPreemption SchedulerPopFromBackoffQ
      ServiceAccountNodeAudienceRestriction StaleControllerConsistencyDaemonSet
      StaleControllerConsistencyJob StaleControllerConsistencyReplicaSet
      StaleControllerConsistencyStatefulSet StatefulSetSemanticRevisionComparison
      StorageCapacityScoring StorageVersionMigrator StrictIPCIDRValidation
      TaintTolerationComparisonOperators TopologyAwareWorkloadScheduling
      TopologyManagerPolicyAlphaOptions TopologyManagerPolicyBetaOptions
      TranslateStreamCloseWebsocketRequests UnlockWhileProcessingFIFO UserNamespacesHostNetworkSupport
      VolumeLimitScaling WatchListClient WindowsCPUAndMemoryAffinity WindowsGracefulNodeShutdown
      WorkloadAwarePreemption WorkloadWithJob`,
  },
];

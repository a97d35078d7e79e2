import { compareMinors, type Version, versionOf } from '../../cluster/version.ts';
import { type GateLife, gateLives } from './kube-gates-lives.ts';

/** Whether a release has it. An unknown feature gate or admission plugin stops the component. */
export type Known = true | false | 'unsure';

const gates: ReadonlyMap<string, GateLife> = new Map(
  gateLives.flatMap((life) => life.gates.split(/\s+/).map((gate) => [gate, life] as const)),
);

/**
 * Admission plugins of kube-apiserver that exist in some minors only. `since` is the first minor with it, `until` the
 * last. 1.20: the real binary's --help. Removals: facts of CHANGELOG-1.21, -1.25, -1.30, -1.31. DenyServiceExternalIPs:
 * CHANGELOG-1.21 (CVE-2020-8554); PodSecurity: kubernetes#103099; ValidatingAdmissionPolicy: KEP-3488;
 * ClusterTrustBundleAttest: KEP-3257; MutatingAdmissionPolicy: KEP-3962; PodTopologyLabels: KEP-4742;
 * NodeDeclaredFeatureValidator: kubernetes#133389, the reference page of 1.35; PodGroupWorkloadExists: CHANGELOG-1.36,
 * kubernetes#139008.
 */
const plugins: ReadonlyMap<string, { readonly since?: string; readonly until?: string }> = new Map(
  (
    [
      [
        {},
        `AlwaysAdmit AlwaysDeny AlwaysPullImages CertificateApproval CertificateSigning CertificateSubjectRestriction
        DefaultIngressClass DefaultStorageClass DefaultTolerationSeconds EventRateLimit ExtendedResourceToleration
        ImagePolicyWebhook LimitPodHardAntiAffinityTopology LimitRanger MutatingAdmissionWebhook NamespaceAutoProvision
        NamespaceExists NamespaceLifecycle NodeRestriction OwnerReferencesPermissionEnforcement
        PersistentVolumeClaimResize PodNodeSelector PodTolerationRestriction Priority ResourceQuota RuntimeClass
        ServiceAccount StorageObjectInUseProtection TaintNodesByCondition ValidatingAdmissionWebhook`,
      ],
      [{ until: '1.20' }, 'DenyEscalatingExec DenyExecOnPrivileged'],
      [{ until: '1.24' }, 'PodSecurityPolicy'],
      [{ until: '1.29' }, 'SecurityContextDeny'],
      [{ until: '1.30' }, 'PersistentVolumeLabel'],
      [{ since: '1.21' }, 'DenyServiceExternalIPs'],
      [{ since: '1.22' }, 'PodSecurity'],
      [{ since: '1.26' }, 'ValidatingAdmissionPolicy'],
      [{ since: '1.27' }, 'ClusterTrustBundleAttest'],
      [{ since: '1.32' }, 'MutatingAdmissionPolicy'],
      [{ since: '1.33' }, 'PodTopologyLabels'],
      [{ since: '1.35' }, 'NodeDeclaredFeatureValidator'],
      [{ since: '1.36', until: '1.36' }, 'PodGroupWorkloadExists'],
    ] as const
  ).flatMap(([life, names]) => names.split(/\s+/).map((name) => [name, life] as const)),
);

/** The same gates for all three components. `unsure` where no source at hand says it. */
export function knownGate(name: string, version: Version): Known {
  const life = gates.get(name);
  if (life === undefined) return unheardOf(version);
  if (life.since !== undefined && isBefore(version, life.since)) return false;
  if (life.gone !== undefined && !isBefore(version, life.gone)) return false;
  if (life.from !== undefined && isBefore(version, life.from)) return unheardOf(version);
  return isBefore(life.seen, version) ? 'unsure' : true;
}

/** Whether that release's kube-apiserver has the admission plugin. */
export function knownAdmissionPlugin(name: string, version: Version): Known {
  const life = plugins.get(name);
  if (life === undefined) return unheardOf(version);
  if (life.since !== undefined && isBefore(version, life.since)) return false;
  return life.until === undefined || !isBefore(life.until, version);
}

/** Everything of 1.20 is in the tables. Later minors have what the tables may lack. */
function unheardOf(version: Version): Known {
  return isBefore('1.20', version) ? 'unsure' : false;
}

/** By minors; for the lists, where one side is text. */
function isBefore(one: Version | string, other: Version | string): boolean {
  return compareMinors(minor(one), minor(other)) < 0;
}

function minor(version: Version | string): Version {
  return typeof version === 'string' ? versionOf(`${version}.0`) : version;
}

/** All gates that a release surely has, for the tests that hold this table against real binaries. */
export function gatesOf(version: Version): string[] {
  return [...gates.keys()].filter((gate) => knownGate(gate, version) === true);
}

/** All admission plugins that a release surely has, sorted; for the tests too. */
export function admissionPluginsOf(version: Version): string[] {
  return [...plugins.keys()].filter((plugin) => knownAdmissionPlugin(plugin, version) === true).sort();
}

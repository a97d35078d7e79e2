import type { ControlPlaneComponent } from '../cluster/cluster.ts';
import { flagsOf, flagValues } from '../desired/flag-values.ts';
import type { PlanFinding } from './changes.ts';
import { type Former, wantedArgv } from './former.ts';
import type { HostSides } from './preflight.ts';

/** Where cluster.yaml has a component's flags. */
const sections: Readonly<Record<ControlPlaneComponent, string>> = {
  'kube-apiserver': 'apiserver.flags` and `kubernetes.audit',
  'kube-controller-manager': 'controllerManager.flags',
  'kube-scheduler': 'scheduler.flags',
};

/** Where its log goes is the journal's business; whom the front proxy is, kbin's; the others have rules of their own. */
const passedOver =
  /^(v|vmodule|logtostderr|alsologtostderr|stderrthreshold|log-.*|add-dir-header|one-output|skip-.*headers|requestheader-allowed-names|etcd-servers|etcd-servers-overrides|etcd-prefix|service-cluster-ip-range|service-account-issuer|cluster-cidr)$/;

/** On in every release that kbin knows, whether they are named or not. */
const usualPlugins = new Set(
  (
    'CertificateApproval CertificateSigning CertificateSubjectRestriction DefaultIngressClass DefaultStorageClass ' +
    'DefaultTolerationSeconds LimitRanger MutatingAdmissionWebhook NamespaceLifecycle PersistentVolumeClaimResize ' +
    'Priority ResourceQuota RuntimeClass ServiceAccount StorageObjectInUseProtection TaintNodesByCondition ' +
    'ValidatingAdmissionWebhook'
  ).split(' '),
);

/** Flags of a former component that kbin's does not have, or has with another value: said once for all hosts. */
export function formerSettings(
  all: readonly { readonly side: HostSides; readonly former: Former }[],
): PlanFinding[] {
  const said = all.flatMap(({ side: { host, desired }, former: { component, argv = [] } }) => {
    const { gone, changed } = differences(argv, wantedArgv(desired, component), host.address);
    const parts = [
      ...(gone.length > 0 ? [`${gone.join(' ')} would be gone`] : []),
      ...(changed.length > 0 ? [changed.join(', ')] : []),
    ];
    return parts.length === 0 ? [] : [{ host: host.name, component, text: parts.join('; ') }];
  });
  const alike = Map.groupBy(said, ({ component, text }) => `${component}: ${text}`);
  return [...alike].map(([message, places]): PlanFinding => {
    const section = sections[places[0]?.component ?? 'kube-apiserver'];
    const hosts = places.map(({ host }) => host).join(', ');
    return {
      severity: 'warning',
      code: 'take-over-settings',
      message: `${message} (as it runs on ${hosts})`,
      next: `set what is needed under \`kubernetes.${section}\` in cluster.yaml`,
    };
  });
}

function differences(argv: readonly string[], wanted: readonly string[], address: string) {
  const flags = [...new Set(flagsOf(argv).map(([flag]) => flag))].filter((flag) => !passedOver.test(flag));
  const pairs = flags.map((flag) => ({ flag, had: flagValues(argv, flag), gets: flagValues(wanted, flag) }));
  return {
    gone: pairs
      .filter(({ gets }) => gets.length === 0)
      // kbin's listen there too.
      .filter(({ flag, had }) => !(flag === 'bind-address' && had.at(-1) === address))
      .map(({ flag, had }) => `--${flag}=${had.join(',')}`),
    changed: pairs
      .filter(({ flag, had, gets }) => gets.length > 0 && !isSame(flag, had, gets))
      .map(({ flag, had, gets }) => `--${flag}=${had.join(',')} becomes ${gets.join(',')}`),
  };
}

/** Lists in whatever order; and of files kbin has its own. */
function isSame(flag: string, had: readonly string[], gets: readonly string[]): boolean {
  const words = (values: readonly string[]) =>
    [...new Set(values.flatMap((value) => value.split(',')))].sort();
  if (flag === 'enable-admission-plugins') {
    return words(had).every((plugin) => usualPlugins.has(plugin) || words(gets).includes(plugin));
  }
  const areFiles = [...had, ...gets].every((value) => value.startsWith('/'));
  return areFiles || words(had).join() === words(gets).join();
}

import { type Cluster, type ControlPlaneComponent, controlPlaneComponents } from '../../cluster/cluster.ts';
import { type Version, versionOf } from '../../cluster/version.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { apiserverSettings } from './kube-apiserver-settings.ts';
import { controllerManagerSettings } from './kube-controller-manager-settings.ts';
import { knowsFlag, lifeText } from './kube-flags.ts';
import { knownAdmissionPlugin, knownGate } from './kube-gates.ts';
import { schedulerSettings } from './kube-scheduler-settings.ts';
import type { KubeSetting } from './kube-setting.ts';

export interface FlagMistake {
  readonly component: ControlPlaneComponent;
  readonly flag: string;
  readonly why: string;
}

export interface FlagCheck {
  /** These would break kbin's wiring, or the component would not start: nothing is deployed with them. */
  readonly refused: readonly FlagMistake[];
  /** The chosen release does not have these: they are left out. */
  readonly unknown: readonly FlagMistake[];
}

const settings: Readonly<Record<ControlPlaneComponent, readonly KubeSetting[]>> = {
  'kube-apiserver': apiserverSettings,
  'kube-controller-manager': controllerManagerSettings,
  'kube-scheduler': schedulerSettings,
};

type Wiring = NonNullable<KubeSetting['wiring']>;

const noStart = 'the program would do that and end, instead of starting';
const otherApiserver = 'it talks to the apiserver of its own host, and would talk to another';
const plaintext: Wiring = (values) =>
  values.every((value) => value === '0')
    ? undefined
    : 'it would let anybody on the host do everything, in plain text';

/** What would break any of the three, whether kbin sets it or not. */
const ofAll: Readonly<Record<string, Wiring>> = {
  help: noStart,
  version: noStart,
  'secure-port': (values) =>
    values.includes('0') ? 'without its port nobody can tell whether it is well' : undefined,
};

/** What kbin does not set itself and what would break it all the same. */
const further: Readonly<Record<ControlPlaneComponent, Readonly<Record<string, Wiring>>>> = {
  'kube-apiserver': {
    'bind-address': (values) =>
      values.some((value) => /^(127\.|::1$)/.test(value))
        ? 'the other components, kbin and everybody else reach it at the host’s address'
        : undefined,
    'insecure-port': plaintext,
    port: plaintext,
  },
  'kube-controller-manager': { master: otherApiserver },
  'kube-scheduler': { master: otherApiserver, 'write-config-to': noStart },
};

/** Looks at the `flags` of cluster.yaml. Pure; src/diff makes findings of it, desire() refuses. */
export function checkKubernetesFlags(cluster: Cluster): FlagCheck {
  const { version, components } = cluster.kubernetes;
  const release = version === undefined ? undefined : versionOf(version);
  const given = controlPlaneComponents.flatMap((component) =>
    Object.entries(components[component].flags).map(([flag, values]) => ({ component, flag, values })),
  );
  const refused = given.flatMap(({ component, flag, values }) => {
    const why = wiringMistake(component, flag, values) ?? (release && valueMistake(flag, values, release));
    return why === undefined ? [] : [{ component, flag, why }];
  });
  if (release === undefined) return { refused, unknown: [] };
  const unknown = given
    .filter(({ component, flag }) => !knowsFlag(component, flag, release))
    .filter((given) => !refused.some((mistake) => isSameFlag(mistake, given)))
    .map(({ component, flag }) => ({ component, flag, why: unknownText(component, flag, release) }));
  return { refused, unknown };
}

function wiringMistake(
  component: ControlPlaneComponent,
  flag: string,
  values: readonly string[],
): string | undefined {
  const wiring =
    settings[component].find((setting) => setting.flag === flag)?.wiring ??
    further[component][flag] ??
    ofAll[flag];
  return typeof wiring === 'function' ? wiring(values) : wiring;
}

/** Names within a value that surely no such release has: the component would not start. */
function valueMistake(flag: string, values: readonly string[], release: Version): string | undefined {
  const words = values.flatMap((value) => value.split(',')).map((word) => word.trim());
  if (flag === 'feature-gates') {
    // `kube:` before the name from 1.31 on.
    const gates = words.map((word) => word.replace(/=.*$/, '').replace(/^kube:/, ''));
    const foreign = gates.find((gate) => /^\w+$/.test(gate) && knownGate(gate, release) === false);
    return foreign && `${releaseText(release)} has no feature gate ${foreign}, and would not start`;
  }
  if (flag !== 'enable-admission-plugins' && flag !== 'disable-admission-plugins') return undefined;
  const foreign = words.find((word) => word !== '' && knownAdmissionPlugin(word, release) === false);
  return foreign && `${releaseText(release)} has no admission plugin ${foreign}, and would not start`;
}

function unknownText(component: ControlPlaneComponent, flag: string, release: Version): string {
  const life = lifeText(component, flag);
  return life === undefined
    ? `no ${component} has a flag of this name`
    : `${component} ${release.major}.${release.minor} does not have it (it exists ${life})`;
}

function releaseText({ major, minor }: Version): string {
  return `Kubernetes ${major}.${minor}`;
}

function isSameFlag(one: { component: string; flag: string }, other: { component: string; flag: string }) {
  return one.component === other.component && one.flag === other.flag;
}

/** Throws KbinError with all that one component's flags may not be. */
export function refuseFlags(cluster: Cluster, component: ControlPlaneComponent): void {
  const refused = checkKubernetesFlags(cluster).refused.filter((mistake) => mistake.component === component);
  if (refused.length === 0) return;
  throw new KbinError(
    `the flags of ${component} set what kbin cannot let them set\n${refused.map(({ flag, why }) => `${flag}: ${why}`).join('\n')}`,
    { step: `${component}.service`, next: 'take these out of cluster.yaml', exit: exitCode.usage },
  );
}

import { type ControlPlaneComponent, controlPlaneComponents } from '../cluster/cluster.ts';
import type { DesiredHost } from '../desired/desired.ts';
import { flagValues } from '../desired/flag-values.ts';
import type { KeyFile, Observed } from '../observe/observed.ts';
import type { EncryptionText } from './encryption-text.ts';
import { isForeign } from './foreign.ts';
import { isRunning } from './unit.ts';

/** A component of the control plane that runs on a host, or is installed there, and is not kbin's. */
export interface Former {
  readonly component: ControlPlaneComponent;
  /** What it was started with. undefined: it does not run, or something else runs in its unit that starts it. */
  readonly argv?: readonly string[];
}

/** Which keys lie in the files that the former components of a host name. */
export interface FormerReading {
  readonly host: string;
  readonly files: ReadonlyMap<string, KeyFile>;
}

/** `units`: the folder of kbin's unit files. */
export function formersOn(observed: Observed, units: string): readonly Former[] {
  return controlPlaneComponents.flatMap((component) => {
    const name = `${component}.service`;
    if (!isForeign(observed, name, `${units}/${name}`)) return [];
    const unit = observed.units.get(name);
    const argv = isRunning(unit) ? (unit?.process?.argv ?? []) : [];
    return [argv[0]?.split('/').at(-1) === component ? { component, argv } : { component }];
  });
}

/** Which files tell whom they believe, and what they encrypt with. */
export function filesOf(formers: readonly Former[]): {
  readonly keys: readonly string[];
  readonly encryption: readonly string[];
} {
  const all = formers.flatMap(({ argv = [] }) => [
    clientAuthority(argv),
    rootAuthority(argv),
    ...tokenKeys(argv),
  ]);
  return {
    keys: [...new Set(all.filter((path) => path !== undefined))],
    encryption: [...new Set(formers.flatMap(({ argv = [] }) => encryptionConfiguration(argv) ?? []))],
  };
}

/** What kbin's component in its place would be started with. */
export function wantedArgv({ components }: DesiredHost, component: ControlPlaneComponent): readonly string[] {
  const { process: wanted } = components.find(({ name }) => name === component)?.unit ?? {};
  return wanted?.argv ?? [];
}

/** Whose certificates let clients in. */
export const clientAuthority = (argv: readonly string[]): string | undefined =>
  flagValues(argv, 'client-ca-file').at(-1);

/** By what pods know the apiserver. */
export const rootAuthority = (argv: readonly string[]): string | undefined =>
  flagValues(argv, 'root-ca-file').at(-1);

/** What an apiserver verifies tokens of service accounts with; without the flag by its own key. */
export function tokenKeys(argv: readonly string[]): readonly string[] {
  if (argv[0]?.endsWith('kube-apiserver') !== true) return [];
  const named = flagValues(argv, 'service-account-key-file');
  return named.length > 0 ? named : flagValues(argv, 'tls-private-key-file').slice(-1);
}

export const encryptionConfiguration = (argv: readonly string[]): string | undefined =>
  flagValues(argv, 'encryption-provider-config').at(-1);

/** What an apiserver of somebody else encrypts with; undefined where kbin cannot go on with it. */
export function formerEncryption(file: KeyFile | undefined): EncryptionText | undefined {
  if (file?.kind !== 'encryption' || file.lists !== 1 || file.providers.includes('kms')) return undefined;
  return { providers: file.providers, resources: file.resources, retired: [] };
}

import type { Check } from '../../check.ts';
import { listing } from '../main-cluster.ts';
import type { ControlPlaneJudgement } from './index.ts';

export const apiserverVersion: ControlPlaneJudgement = ({ hosts, subject }) =>
  hosts.map(({ host, api }) => {
    const base = { id: 'apiserver-version', target: host.name } as const;
    if (api.version === undefined)
      return { ...base, status: 'skip', message: api.failure?.message ?? 'it does not tell its version' };
    // What a build adds (`+k3s1`, `-dirty`) is not in cluster.yaml.
    if (plain(api.version) === subject.version)
      return { ...base, status: 'pass', message: `runs ${api.version}` };
    return {
      ...base,
      status: 'fail',
      message: `runs ${api.version}; cluster.yaml says ${subject.version}`,
      next: 'run `kbin control-plane deploy`, or correct kubernetes.version',
    };
  });

/**
 * What Kubernetes supports: apiservers at most one minor apart; controller-managers and schedulers no newer than any
 * apiserver, and at most one minor older. https://kubernetes.io/releases/version-skew-policy/
 */
export const versionSkew: ControlPlaneJudgement = ({ hosts }) => {
  const apis = hosts.flatMap(({ host, api }) => of(host.name, 'kube-apiserver', api.version));
  const others = hosts.flatMap(({ host, components }) =>
    components.flatMap(({ target, version }) => of(host.name, target.component, version)),
  );
  if (apis.length === 0) return [];
  const minors = apis.map(({ minor }) => minor);
  const [lowest, highest] = [Math.min(...minors), Math.max(...minors)];
  const problems: Check[] = [];
  if (highest - lowest > 1)
    problems.push(failed(`apiservers are more than one minor version apart: ${shown(apis)}`));
  const newer = others.filter(({ minor }) => minor > lowest);
  if (newer.length > 0) problems.push(failed(`${shown(newer)}, newer than an apiserver (${shown(apis)})`));
  const older = others.filter(({ minor }) => minor < highest - 1);
  if (older.length > 0)
    problems.push(
      failed(`${shown(older)}, more than one minor version older than an apiserver (${shown(apis)})`),
    );
  if (problems.length > 0) return problems;
  const all = [...apis, ...others];
  const versions = [...new Set(all.map(({ version }) => version))];
  if (versions.length === 1)
    return [{ id: 'version-skew', status: 'pass', message: `all that tell run ${versions[0]}` }];
  return [
    {
      id: 'version-skew',
      status: 'warn',
      message: `not all run the same version: ${shown(all)}`,
      next: 'fine during an upgrade; otherwise finish it',
    },
  ];
};

interface Versioned {
  readonly host: string;
  readonly program: string;
  readonly version: string;
  readonly minor: number;
}

function of(host: string, program: string, version: string | undefined): readonly Versioned[] {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  return version === undefined || minor === undefined
    ? []
    : [{ host, program, version, minor: Number(major) * 1000 + Number(minor) }];
}

function shown(all: readonly Versioned[]): string {
  const groups = Map.groupBy(all, ({ program, version }) => `${program} ${version}`);
  return [...groups].map(([what, on]) => `${what} on ${listing(on.map(({ host }) => host))}`).join(', ');
}

function failed(message: string): Check {
  return {
    id: 'version-skew',
    status: 'fail',
    message,
    next: 'Kubernetes does not support that: bring all apiservers to one version first, then the others (`kbin control-plane deploy`)',
  };
}

function plain(version: string): string {
  return /^\d+\.\d+\.\d+/.exec(version)?.[0] ?? version;
}

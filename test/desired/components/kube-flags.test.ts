import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { type ControlPlaneComponent, controlPlaneComponents } from '../../../src/cluster/cluster.ts';
import { versionOf } from '../../../src/cluster/version.ts';
import { flagsOf, knowsFlag, lifeText } from '../../../src/desired/components/kube-flags.ts';
import { kubernetesRelease } from '../../health/kubernetes-release.ts';
import { listedMinors, releaseList } from './kube-releases.ts';

const minors = Array.from({ length: 17 }, (_, index) => `1.${20 + index}`);

describe('the table against the real Kubernetes 1.20.2', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await kubernetesRelease();
  }, 1_200_000);

  test.each(controlPlaneComponents)('%s: --help and trial give the same flags', async (component) => {
    const { stdout } = await promisify(execFile)(join(folder, component), ['--help'], { encoding: 'utf8' });
    const shown = [...stdout.matchAll(/^ +(?:-[a-z], )?--([a-z0-9_-]+)/gm)].map(([, flag]) => flag as string);
    expect(shown.length).toBeGreaterThan(60);
    const table = flagsOf(component, versionOf('1.20.2'));
    expect(shown.filter((flag) => !table.includes(flag))).toEqual([]);
    // Deprecated flags are not shown, and are taken all the same.
    const silent = table.filter((flag) => !shown.includes(flag));
    expect(await refusedOf(component, silent)).toEqual([]);
  });

  test.each(controlPlaneComponents)('%s: refuses the flags of other minors', async (component) => {
    const own = new Set(flagsOf(component, versionOf('1.20.2')));
    const foreign = [
      ...new Set(minors.flatMap((minor) => flagsOf(component, versionOf(`${minor}.0`)))),
    ].filter((flag) => !own.has(flag));
    expect(foreign.length).toBeGreaterThan(5);
    expect(await refusedOf(component, foreign)).toEqual(foreign);
  });

  /** A second flag that nobody knows ends the program before it starts anything. */
  async function refusedOf(component: ControlPlaneComponent, flags: readonly string[]): Promise<string[]> {
    const refused: string[] = [];
    for (const flag of flags) {
      const { stderr } = await failing(join(folder, component), [`--${flag}=`, '--no-such-flag']);
      if (stderr.includes(`unknown flag: --${flag}\n`)) refused.push(flag);
      else expect(stderr).toMatch(/unknown flag: --no-such-flag|invalid argument/);
    }
    return refused;
  }
});

describe.each(listedMinors)('the table against the source of Kubernetes %s', (minor) => {
  const list = releaseList(minor);
  const version = versionOf(`${minor}.0`);

  test.each(controlPlaneComponents)('%s: has what the source has', (component) => {
    const listed = list.flagsOf(component);
    // A part may say nothing of a component.
    if (list.complete || listed.length > 0) expect(listed.length).toBeGreaterThan(15);
    const table = flagsOf(component, version);
    expect(listed.filter((flag) => !table.includes(flag))).toEqual([]);
    if (list.complete) expect(table).toEqual(listed);
  });

  // A part tells what is gone too: what the same files had in 1.20 and no file of this minor has.
  test.each(controlPlaneComponents)('%s: lacks what its source has no longer', (component) => {
    const listed = list.flagsOf(component);
    const before = releaseList('1.20').filesOf(component);
    const gone = [...list.filesOf(component).keys()]
      .flatMap((file) => before.get(file) ?? [])
      .filter((flag) => !listed.includes(flag));
    expect(gone.filter((flag) => knowsFlag(component, flag, version))).toEqual([]);
  });
});

test.each<[ControlPlaneComponent, string, string, string | undefined]>([
  ['kube-apiserver', 'insecure-port', '1.20 1.21 1.22 1.23', 'until 1.23'],
  ['kube-apiserver', 'kubelet-https', '1.20 1.21', 'until 1.21'],
  ['kube-apiserver', 'authentication-config', '1.29 1.30 1.31 1.32 1.33 1.34 1.35 1.36', 'from 1.29 on'],
  ['kube-controller-manager', 'pod-eviction-timeout', '1.20 1.21 1.22 1.23 1.24 1.25 1.26', 'until 1.26'],
  ['kube-scheduler', 'policy-config-file', '1.20 1.21 1.22', 'until 1.22'],
  ['kube-scheduler', 'etcd-servers', '', undefined],
])('%s --%s', (component, flag, known, life) => {
  expect(minors.filter((minor) => knowsFlag(component, flag, versionOf(`${minor}.9`))).join(' ')).toBe(known);
  expect(lifeText(component, flag)).toBe(life);
});

function failing(program: string, args: readonly string[]): Promise<{ stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', timeout: 30_000 }, (_error, _stdout, stderr) =>
      resolve({ stderr }),
    );
  });
}

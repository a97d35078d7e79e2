import type { TestProject } from 'vitest/node';
import { kubernetesRelease } from '../health/kubernetes-release.ts';
import { engine, fromScript, labImage } from '../lab/engine.ts';
import { sweep } from '../lab/sweep.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The lab's host image, for `startHosts({ image })`; startHosts finds it by itself too. */
    labImage: string;
    /** Path of a release tarball by etcd version: an old one, and one to upgrade it to. */
    etcdTarballs: Record<'3.4.23' | '3.5.16', string>;
    /** Path of a Kubernetes 1.20.2 server tarball. */
    kubernetesTarball: string;
    /** The folder with cfssl and cfssljson. */
    cfsslDir: string;
  }
}

/** Runs once, before the workers start: whatever is missing is made here, so that no test's time-out pays for it. */
export default async function setup(project: TestProject): Promise<void> {
  const image = await labImage();
  process.env.KBIN_LAB_IMAGE = image;
  project.provide('labImage', image);

  const tarballs = await fromScript('etcd');
  const tarball = (version: string) => {
    const path = tarballs.find((path) => path.includes(`etcd-v${version}-`));
    if (!path) throw new Error(`scripts/etcd.sh made no etcd ${version}, only ${tarballs.join(', ')}`);
    return path;
  };
  project.provide('etcdTarballs', { '3.4.23': tarball('3.4.23'), '3.5.16': tarball('3.5.16') });
  project.provide('kubernetesTarball', (await fromScript('kubernetes'))[0] ?? '');
  await kubernetesRelease();
  project.provide('cfsslDir', (await fromScript('cfssl'))[0] ?? '');

  await sweep((await engine()).container.dockerode);
}

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type ContainerRuntimeClient, getContainerRuntimeClient } from 'testcontainers';

export type Docker = ContainerRuntimeClient['container']['dockerode'];
export type Container = ReturnType<Docker['getContainer']>;

/** A Docker engine that answers, or an error that says what to do. */
export async function engine(): Promise<ContainerRuntimeClient> {
  // The reaper is an image of its own, which cannot be pulled everywhere; labs are swept by their label instead.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  try {
    return await getContainerRuntimeClient();
  } catch (cause) {
    throw new Error(
      'the lab needs a Docker engine and none answers. `make setup` starts one on Debian and Ubuntu; elsewhere start ' +
        'Docker yourself. `docker info` tells what it misses.',
      { cause },
    );
  }
}

/** What the scripts make ready, by running them: each is quick when there is nothing to do. Progress is on stderr. */
export async function fromScript(name: 'lab-image' | 'etcd' | 'kubernetes' | 'cfssl'): Promise<string[]> {
  const path = fileURLToPath(new URL(`../../scripts/${name}.sh`, import.meta.url));
  const run = promisify(execFile)('bash', [path], { maxBuffer: 1 << 24 });
  run.child.stderr?.pipe(process.stderr, { end: false });
  run.child.stdin?.end();
  const { stdout } = await run;
  return stdout.trim().split('\n');
}

/** The lab's host image: the one that the test run made ready already, else made now. */
export async function labImage(): Promise<string> {
  const [image] = process.env.KBIN_LAB_IMAGE ? [process.env.KBIN_LAB_IMAGE] : await fromScript('lab-image');
  if (!image) throw new Error('scripts/lab-image.sh named no image');
  return image;
}

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerRuntimeClient } from 'testcontainers';
import { LabContainer } from './container.ts';
import { engine, labImage } from './engine.ts';
import { LabHost } from './host.ts';
import { sshKey, USERS } from './keys.ts';
import { HOST, KEEP, LAB, OWNER, ownerLabel } from './labels.ts';
import { createNetwork } from './network.ts';
import { removeLab, sweep } from './sweep.ts';

export interface LabOptions {
  /** How many hosts, named node1…; or `names`. Default 3. */
  readonly count?: number;
  readonly names?: readonly string[];
  /** A Docker image made like test/lab/Dockerfile; the lab's own by default. */
  readonly image?: string;
  /** Names the lab, its network (`kbin-ID`) and its containers (`kbin-ID-HOST`). Random by default. */
  readonly id?: string;
  /** Where the key and known_hosts are kept; a temporary folder by default, removed by stop(). */
  readonly dir?: string;
  /** Left running when this process ends. */
  readonly keep?: boolean;
}

export interface Lab extends AsyncDisposable {
  readonly id: string;
  readonly hosts: readonly LabHost[];
  host(name: string): LabHost;
  /** Path of the private key that may log in as each of USERS (keys.ts). */
  readonly sshKey: string;
  /** Path of a known_hosts file with the hosts' real keys. */
  readonly knownHosts: string;
  /** Name of the Docker network. */
  readonly network: string;
  /** Removes hosts and network, and the folder when it was a temporary one. */
  stop(): Promise<void>;
}

/** Starts systemd hosts on a network of their own and returns when one can log in to each over SSH (3 to 5 s). */
export async function startHosts(options: LabOptions = {}): Promise<Lab> {
  const names = options.names ?? Array.from({ length: options.count ?? 3 }, (_, i) => `node${i + 1}`);
  const id = options.id ?? randomBytes(4).toString('hex');
  const network = `kbin-${id}`;
  const image = options.image ?? (await labImage());
  const client = await engine();
  const docker = client.container.dockerode;
  await sweep(docker);

  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'kbin-lab-')));
  await mkdir(dir, { recursive: true });
  const publicKey = await sshKey(join(dir, 'id_ed25519'));
  const labels = { [LAB]: id, [OWNER]: options.keep ? KEEP : ownerLabel() };
  try {
    const prefix = await createNetwork(docker, network, labels);
    const hosts = await Promise.all(
      names.map(async (name, index) => {
        const address = `${prefix}.${11 + index}`;
        const started = await new LabContainer(image)
          .withName(`kbin-${id}-${name}`)
          .withHostname(name)
          .withLabels({ ...labels, [HOST]: name })
          .withAddress(network, address)
          .withExtraHosts(names.map((host, i) => ({ host, ipAddress: `${prefix}.${11 + i}` })))
          .withCopyContentToContainer(
            Object.values(USERS).map((home) => ({
              content: publicKey,
              target: `${home}/.ssh/authorized_keys`,
              mode: 0o644,
            })),
          )
          .start();
        const host = new LabHost(client, started.getId(), name, address);
        await host.ready();
        return host;
      }),
    );
    return await describe(id, hosts, dir, client, options.dir === undefined);
  } catch (error) {
    await removeLab(docker, id).catch(() => {});
    throw error;
  }
}

/** The lab of that id if it has these hosts and all of them run or can be started; its key is put in place again. */
export async function reuseHosts(
  id: string,
  names: readonly string[],
  dir: string,
  image: string,
): Promise<Lab | undefined> {
  const client = await engine();
  const docker = client.container.dockerode;
  const found = await docker.listContainers({ all: true, filters: { label: [`${LAB}=${id}`] } });
  const byName = new Map(found.map((container) => [container.Labels[HOST], container]));
  if (found.length !== names.length || !names.every((name) => byName.get(name)?.Image === image))
    return undefined;

  await mkdir(dir, { recursive: true });
  const publicKey = await sshKey(join(dir, 'id_ed25519'));
  const hosts = await Promise.all(
    names.map(async (name) => {
      const container = byName.get(name)?.Id ?? '';
      const { State, NetworkSettings } = await docker.getContainer(container).inspect();
      const address = NetworkSettings.Networks[`kbin-${id}`]?.IPAMConfig?.IPv4Address ?? '';
      const host = new LabHost(client, container, name, address);
      if (State.Paused) await host.unpause();
      if (State.Running) await host.ready();
      else await host.start();
      await host.authorise(publicKey);
      return host;
    }),
  );
  return describe(id, hosts, dir, client, false);
}

async function describe(
  id: string,
  hosts: LabHost[],
  dir: string,
  client: ContainerRuntimeClient,
  temporary: boolean,
): Promise<Lab> {
  const knownHosts = join(dir, 'known_hosts');
  await writeFile(knownHosts, (await Promise.all(hosts.map((host) => host.knownHostsLines()))).join(''));
  const stop = async () => {
    await removeLab(client.container.dockerode, id);
    if (temporary) await rm(dir, { recursive: true, force: true });
  };
  return {
    id,
    hosts,
    host: (name) => {
      const host = hosts.find((host) => host.name === name);
      if (!host)
        throw new Error(`lab ${id} has no host ${name}, only ${hosts.map(({ name }) => name).join(', ')}`);
      return host;
    },
    sshKey: join(dir, 'id_ed25519'),
    knownHosts,
    network: `kbin-${id}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * `interrupted-deploy CLUSTER.YAML etcd|control-plane|take-over [KEY before|during|after]`, bundled by interrupt.ts: the real
 * deploy, in a process of its own, that kills itself at one of its effects on a host. Prints each effect's key as it
 * begins.
 */
import type { Duplex } from 'node:stream';
import { deployControlPlane } from '../../src/apply/deploy-control-plane.ts';
import { deployEtcd } from '../../src/apply/deploy-etcd.ts';
import { resolveBinaries } from '../../src/binaries/resolve.ts';
import { openStore } from '../../src/ca/store.ts';
import type { Progress } from '../../src/cli/io.ts';
import { loadCluster } from '../../src/cluster/load.ts';
import { createConnect } from '../../src/remote/connect.ts';
import type { CommandResult, HeldCommand, Host, RunOptions } from '../../src/remote/host.ts';

const [file = '', what = 'etcd', killKey, killWhen] = process.argv.slice(2);

/** Hands everything on, and ends this process by SIGKILL at the chosen effect. */
class MortalHost implements Host {
  readonly name: string;
  readonly #host: Host;
  readonly #counts = new Map<string, number>();

  constructor(host: Host) {
    this.name = host.name;
    this.#host = host;
  }

  run(argv: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    // How often a unit's state is asked for while its health is awaited is a matter of time; it changes nothing.
    if (['systemctl show', 'journalctl'].some((look) => argv.join(' ').startsWith(look))) {
      return this.#host.run(argv, options);
    }
    return this.#effect(options.label ?? argv.join(' '), () => this.#host.run(argv, options));
  }

  script(text: string, args?: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
    return this.#effect(options.label ?? 'script', () => this.#host.script(text, args, options));
  }

  hold(script: string, args?: readonly string[]): Promise<HeldCommand> {
    return this.#effect('lock', () => this.#host.hold(script, args));
  }

  forward(address: string, port: number): Promise<Duplex> {
    return this.#host.forward(address, port);
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  async #effect<T>(what: string, act: () => Promise<T>): Promise<T> {
    // Small files travel together, whichever they are.
    const label = what.startsWith('upload /') && what.includes(', ') ? 'upload small files' : what;
    const count = (this.#counts.get(label) ?? 0) + 1;
    this.#counts.set(label, count);
    const key = `${this.name}: ${label}${count > 1 ? ` (${count})` : ''}`;
    process.stdout.write(`${key}\n`);
    const die = (when: string) => {
      if (key === killKey && when === killWhen) process.kill(process.pid, 'SIGKILL');
    };
    die('before');
    const result = act();
    // Sent, and perhaps begun.
    if (killWhen === 'during') setTimeout(() => die('during'), 10);
    const value = await result;
    die('after');
    return value;
  }
}

const silent: Progress = {
  step: () => {},
  transfer: () => {},
  done: () => {},
  fail: () => {},
  note: () => {},
  end: () => {},
};

async function main(): Promise<void> {
  const cluster = await loadCluster(file);
  const connect = createConnect(cluster, { acceptNewHostKeys: false, env: {}, warn: () => {} });
  const isEtcd = what === 'etcd';
  const component = isEtcd ? 'etcd' : 'kubernetes';
  const { version = '', source } = cluster[component];
  const deploy = isEtcd ? deployEtcd : deployControlPlane;
  await deploy({
    cluster,
    store: await openStore(`${cluster.folder}/pki`),
    connect: async (name) => new MortalHost(await connect(name)),
    binaries: (architecture) => resolveBinaries({ component, version, architecture, source }),
    operator: { user: 'test', machine: 'lab', pid: process.pid, command: 'interrupted deploy' },
    progress: silent,
    allowDowntime: false,
    skipHosts: [],
    within: 90,
    now: Date.now,
    takeOver: what === 'take-over',
  });
  process.exit(0);
}

void main();

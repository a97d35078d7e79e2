import type { ContainerRuntimeClient } from 'testcontainers';
import type { Container } from './engine.ts';
import { Faults } from './faults.ts';
import { USERS } from './keys.ts';
import { until } from './until.ts';

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running systemd host of the lab, seen from outside: through Docker, not through the SSH that is under test. */
export class LabHost extends Faults {
  readonly sshPort = 22;

  readonly client: ContainerRuntimeClient;
  readonly container: Container;
  readonly name: string;
  readonly address: string;

  constructor(client: ContainerRuntimeClient, id: string, name: string, address: string) {
    super();
    this.client = client;
    this.container = client.container.getById(id);
    this.name = name;
    this.address = address;
  }

  /** Runs argv as root (or `user`) inside; a failing command is a result, not an error. */
  async exec(
    argv: readonly string[],
    options: { user?: string; env?: Record<string, string> } = {},
  ): Promise<ExecResult> {
    const { exitCode, stdout, stderr } = await this.client.container.exec(this.container, [...argv], options);
    return { code: exitCode, stdout, stderr };
  }

  /** As exec, for commands that must succeed; returns stdout. */
  async run(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.exec(argv);
    if (code !== 0) throw new Error(`${this.name}: ${argv.join(' ')} → ${code}: ${stderr || stdout}`);
    return stdout;
  }

  /** A POSIX shell script, for the places where a test needs a pipe or a redirection. */
  sh(script: string): Promise<string> {
    return this.run('sh', '-euc', script);
  }

  /** Makes `publicKey` the one that may log in, as every user of the host. */
  async authorise(publicKey: string): Promise<void> {
    for (const [user, home] of Object.entries(USERS)) {
      await this.run(
        'sh',
        '-euc',
        `printf %s "$1" >${home}/.ssh/authorized_keys && chown ${user} ${home}/.ssh/*`,
        'sh',
        publicKey,
      );
    }
  }

  /** Waits until the host has booted and sshd listens. */
  async ready(timeoutMs = 90_000): Promise<void> {
    await until(
      `${this.name} is up`,
      async (saw) => {
        const { stdout, stderr } = await this.exec([
          'systemctl',
          'is-active',
          'ssh.service',
          'multi-user.target',
        ]);
        if (stdout === 'active\nactive\n') return true;
        return saw(
          `ssh.service, multi-user.target: ${stdout.trim().replaceAll('\n', ', ')} ${stderr.trim()}`,
        );
      },
      { timeoutMs },
    );
  }

  /** The known_hosts lines of this host: its real keys under its name and its address. */
  async knownHostsLines(): Promise<string> {
    const keys = await this.sh('cat /etc/ssh/ssh_host_*_key.pub');
    return keys.replaceAll(/^(\S+ \S+).*$/gm, `${this.name},${this.address} $1`);
  }
}

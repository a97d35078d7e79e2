import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import type { Connect, Host } from './host.ts';
import type { AskSecret } from './secrets.ts';

export interface ConnectOptions {
  /** Write the key of a host that no known_hosts file knows to the first of them. A changed key is refused always. */
  readonly acceptNewHostKeys: boolean;
  /** HOME, SSH_AUTH_SOCK, KBIN_SSH_PASSPHRASE, KBIN_SUDO_PASSWORD, and what ~/.ssh/config refers to. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Asks on the terminal without echo; absent where nobody can answer. */
  readonly askSecret?: AskSecret;
  /** For one-line remarks: a key file that others can read, a host key that was accepted. */
  readonly warn: (text: string) => void;
  /** Default /etc/ssh/ssh_config. */
  readonly systemConfig?: string;
}

/**
 * How kbin gets to the hosts of a cluster. Nothing is read and no library loaded before the first connection; key files,
 * passphrases, sudo passwords and connections to jump hosts are shared by all of them. Each call of the result makes a
 * connection of its own, which the caller closes. @throws KbinError, from the result, for every way that can fail
 */
export function createConnect(cluster: Cluster, options: ConnectOptions): Connect {
  let connect: Promise<Connect> | undefined;
  return async (hostName) => {
    connect ??= prepare(cluster, options);
    return (await connect)(hostName);
  };
}

async function prepare(cluster: Cluster, options: ConnectOptions): Promise<Connect> {
  const [{ JumpHosts }, { KeyRing }, { oneAtATime }, { SshHost }, { SudoPasswords }, { targetOf }] =
    await Promise.all([
      import('./jump-hosts.ts'),
      import('./key-ring.ts'),
      import('./secrets.ts'),
      import('./ssh-host.ts'),
      import('./sudo-passwords.ts'),
      import('./target.ts'),
    ]);
  const { env, warn } = options;
  const sources = { env, ...(options.askSecret && { askSecret: oneAtATime(options.askSecret) }) };
  const home = env.HOME || homedir();
  const files = {
    user: join(home, '.ssh', 'config'),
    system: options.systemConfig ?? '/etc/ssh/ssh_config',
    home,
    localUser: env.USER || userInfo().username,
  };
  const jumpHosts = new JumpHosts({ ring: new KeyRing(sources, onceEach(warn)), warn });
  const passwordFiles = new Map(cluster.hosts.map((host) => [host.name, host.ssh.sudoPasswordFile]));
  const passwords = new SudoPasswords(sources, passwordFiles);

  return async (hostName): Promise<Host> => {
    const host = cluster.hosts.find(({ name }) => name === hostName);
    if (!host) throw new KbinError(`cluster.yaml has no host ${hostName}`);
    const target = targetOf(host, { files, env, acceptNewHostKeys: options.acceptNewHostKeys });
    const { connection, release } = await jumpHosts.connect(target);
    return new SshHost(connection, {
      commandTimeout: host.ssh.commandTimeout,
      passwords,
      onClose: release,
    });
  };
}

function onceEach(warn: (text: string) => void): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (!said.has(text)) warn(text);
    said.add(text);
  };
}

import type { ClusterHost } from '../cluster/cluster.ts';
import { KbinError } from '../errors.ts';
import { type JumpSpec, parseJumps } from './jump-spec.ts';
import type { KnownName } from './known-hosts.ts';
import { readSshConfig, type SshConfigFiles, type SshOptions } from './ssh-config.ts';
import { expandTokens, type TokenValues } from './ssh-tokens.ts';

/** One SSH server and everything that decides how kbin gets into it: cluster.yaml first, then ~/.ssh/config. */
export interface Target {
  /** As messages name it: the host's name in cluster.yaml, or the jump host as it was written. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identity: IdentitySettings;
  readonly hostKeys: HostKeySettings;
  /** Seconds. */
  readonly connectTimeout: number;
  /** Seconds between keep-alive probes. */
  readonly keepAlive: number;
  readonly proxyCommand?: string;
  /** Servers to go through, the nearest first. */
  readonly jumps: readonly Target[];
}

export interface IdentitySettings {
  /** Named in cluster.yaml: tried first, and an error when it cannot be read. */
  readonly file?: string;
  readonly passphraseFile?: string;
  /** From ~/.ssh/config, or OpenSSH's default files: tried when they are there. */
  readonly otherFiles: readonly string[];
  readonly agentSocket?: string;
  /** Offer no key of the agent but those that the files above name. */
  readonly only: boolean;
}

export interface HostKeySettings {
  readonly known: KnownName;
  readonly files: readonly string[];
  /** Where an accepted new key is written. */
  readonly newKeysTo?: string;
  readonly acceptNew: boolean;
  readonly hashNames: boolean;
}

export interface TargetContext {
  readonly files: SshConfigFiles;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly acceptNewHostKeys: boolean;
}

const MAX_JUMPS = 8;
const defaultIdentities = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const globalKnownHosts = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];

/** How to reach a host of the cluster. @throws KbinError for an unreadable ~/.ssh/config or a jump host that is none. */
export function targetOf(host: ClusterHost, context: TargetContext): Target {
  const { ssh } = host;
  const query = { host: ssh.host, ...given({ user: ssh.user, port: ssh.port }) };
  return buildTarget(host.name, query, { host, context, viaCluster: ssh.jumpHost, depth: 0 });
}

interface Building {
  readonly host: ClusterHost;
  readonly context: TargetContext;
  /** Jump hosts that cluster.yaml names; they win over those of ~/.ssh/config. */
  readonly viaCluster: string | undefined;
  readonly depth: number;
}

function buildTarget(name: string, query: Omit<JumpSpec, 'text'>, building: Building): Target {
  const { context, host } = building;
  const options = readSshConfig(context.files, query);
  const user = query.user ?? first(options, 'user') ?? defaultUser(building);
  const port = query.port ?? Number(first(options, 'port') ?? 22);
  const hostName =
    first(options, 'hostname')?.replaceAll('%h', query.host).replaceAll('%%', '%') ?? query.host;
  const jumpText = building.viaCluster ?? none(first(options, 'proxyjump'));
  const hostKeyAlias = first(options, 'hostkeyalias');
  const { home, localUser } = context.files;
  const values: TokenValues = {
    home,
    localUser,
    originalHost: query.host,
    host: hostName,
    port,
    user,
    ...given({ hostKeyAlias, jump: jumpText }),
  };
  const expand = (text: string) => expandTokens(text, values, context.env);
  const command = building.viaCluster ? undefined : none(first(options, 'proxycommand'));
  return {
    name,
    host: hostName,
    port,
    user,
    identity: identitySettings(building, options, expand),
    hostKeys: hostKeySettings(
      building,
      options,
      expand,
      hostKeyAlias ? { name: hostKeyAlias, port: 22 } : { name: hostName, port },
    ),
    connectTimeout: Math.max(host.ssh.connectTimeout, seconds(first(options, 'connecttimeout'))),
    keepAlive: host.ssh.keepAlive,
    ...given({ proxyCommand: command && expand(command) }),
    jumps: jumpText ? jumpTargets(jumpText, building) : [],
  };
}

/** A jump host that nothing names a user for gets the cluster's: it is most often the same account. */
function defaultUser({ host, context, depth }: Building): string {
  return (depth > 0 ? host.ssh.user : undefined) ?? context.files.localUser;
}

/** As ssh: only the first hop looks up a ProxyJump of its own; each further one is reached through the one before. */
function jumpTargets(text: string, building: Building): Target[] {
  const depth = building.depth + 1;
  if (depth > MAX_JUMPS) {
    throw new KbinError(`the way to ${building.host.name} leads through more than ${MAX_JUMPS} jump hosts`, {
      host: building.host.name,
      why: 'ProxyJump in ~/.ssh/config probably leads back to where it came from',
    });
  }
  const hops = parseJumps(text).map(({ text: name, ...query }, index) =>
    buildTarget(name, query, { ...building, viaCluster: index === 0 ? undefined : 'none', depth }),
  );
  return hops.flatMap((hop, index) => (index === 0 ? [...hop.jumps, { ...hop, jumps: [] }] : [hop]));
}

function identitySettings(
  { host: { ssh }, context }: Building,
  options: SshOptions,
  expand: (text: string) => string,
): IdentitySettings {
  const configured = options.get('identityfile')?.filter((file) => file.toLowerCase() !== 'none');
  const defaults = defaultIdentities.map((name) => `${context.files.home}/.ssh/${name}`);
  const otherFiles = configured?.map(expand) ?? defaults;
  return {
    ...given({ file: ssh.identityFile, passphraseFile: ssh.passphraseFile }),
    otherFiles: otherFiles.filter((file) => file !== ssh.identityFile),
    ...given({
      agentSocket: ssh.agent ? agentSocket(first(options, 'identityagent'), context.env, expand) : undefined,
    }),
    only: first(options, 'identitiesonly')?.toLowerCase() === 'yes',
  };
}

function agentSocket(
  configured: string | undefined,
  env: TargetContext['env'],
  expand: (text: string) => string,
): string | undefined {
  if (configured === undefined || configured === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK || undefined;
  if (configured.toLowerCase() === 'none') return undefined;
  if (/^\$\w+$/.test(configured)) return env[configured.slice(1)] || undefined;
  return expand(configured);
}

function hostKeySettings(
  { host: { ssh }, context }: Building,
  options: SshOptions,
  expand: (text: string) => string,
  known: KnownName,
): HostKeySettings {
  const own = options.get('userknownhostsfile') ?? ['~/.ssh/known_hosts', '~/.ssh/known_hosts2'];
  const files = ssh.knownHosts
    ? [ssh.knownHosts]
    : own.filter((file) => file.toLowerCase() !== 'none').map(expand);
  const strict = first(options, 'stricthostkeychecking')?.toLowerCase() ?? 'ask';
  return {
    known,
    ...given({ newKeysTo: files[0] }),
    files: [...files, ...(options.get('globalknownhostsfile')?.map(expand) ?? globalKnownHosts)],
    // `no` would let OpenSSH connect to a host whose key has changed; kbin never does.
    acceptNew: context.acceptNewHostKeys || ['accept-new', 'no', 'off'].includes(strict),
    hashNames: first(options, 'hashknownhosts')?.toLowerCase() === 'yes',
  };
}

function first(options: SshOptions, keyword: string): string | undefined {
  return options.get(keyword)?.[0];
}

function none(value: string | undefined): string | undefined {
  return value?.toLowerCase() === 'none' ? undefined : value;
}

/** ssh_config's times: seconds, or `2m30s`. */
function seconds(text: string | undefined): number {
  const units: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  const parts = [...(text ?? '').toLowerCase().matchAll(/(\d+)([smhdw]?)/g)];
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (units[unit] ?? 0), 0);
}

/** Only the properties that have a value: with exactOptionalPropertyTypes undefined is not the same as absent. */
function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

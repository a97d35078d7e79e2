import { isAbsolute, relative, resolve } from 'node:path';
import { readAddress } from '../cluster/address.ts';
import { type Role, roles } from '../cluster/cluster.ts';
import { defaults } from '../cluster/defaults.ts';
import { readLocalPath } from '../cluster/files.ts';
import { layoutNames } from '../cluster/layouts.ts';
import { Mistake, type Read } from '../cluster/mistake.ts';
import { readAddressOrName, readClusterName, readHostName, readLogin, readOneOf } from '../cluster/names.ts';
import { readPort } from '../cluster/quantity.ts';
import { isOlder, readVersion } from '../cluster/version.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { Answers } from './init-text.ts';
import type { Io } from './io.ts';

/** As commander hands them over. */
export interface InitFlags {
  readonly name?: string;
  readonly host?: readonly string[];
  readonly etcdVersion?: string;
  readonly kubernetesVersion?: string;
  readonly sshUser?: string;
  readonly sshKey?: string;
  readonly etcdSource?: string;
  readonly kubernetesSource?: string;
  readonly endpoint?: string;
  readonly paths?: string;
}

type Host = Answers['hosts'][number];

const newest = { name: 'kubernetes', etcd: '3.6.5' };

/** The newest Kubernetes that the chosen etcd is new enough for; rules-etcd.ts warns of others. */
function kubernetesFor({ etcdVersion = newest.etcd }: InitFlags): string {
  const etcd = readVersion(etcdVersion);
  return etcd instanceof Mistake || !isOlder(etcd, '3.5.24') ? '1.34.1' : '1.33.4';
}

/** `name=address[,role…]` */
export const readHostFlag: Read<Host> = (text) => {
  const [, name, address, rest] = /^([^=]*)=([^,]*)(?:,(.*))?$/.exec(text) ?? [];
  if (name === undefined || address === undefined) {
    return new Mistake(`"${text}" is not a host; write name=address or name=address,role,role`);
  }
  const parts = [readHostName(name), readAddress(address.replace(/^\[(.*)\]$/, '$1'))] as const;
  const given = rest === undefined ? [...defaults.roles] : rest.split(',').map(readOneOf(roles));
  const wrong = [...parts, ...given].find((part) => part instanceof Mistake);
  if (wrong instanceof Mistake) return wrong;
  return { name: parts[0] as string, address: parts[1] as string, roles: given as Role[] };
};

/** `address[:port]`, an IPv6 address with a port in brackets. */
export const readEndpointFlag: Read<NonNullable<Answers['endpoint']>> = (text) => {
  const [, bracketed, plain, portText] =
    /^(?:\[([^\]]*)\]|([^:]*|[^:]*:[^:]*:.*?))(?::(\d+))?$/.exec(text) ?? [];
  if (!(bracketed ?? plain))
    return new Mistake(`"${text}" is not an endpoint; write address or address:port`);
  const address = readAddressOrName(bracketed ?? plain ?? text);
  const port = portText === undefined ? undefined : readPort(portText);
  if (address instanceof Mistake) return address;
  if (port instanceof Mistake) return port;
  return { address, ...(port === undefined ? {} : { port }) };
};

/** A flag, and the question that stands for it on a terminal. */
interface Item {
  readonly key: Exclude<keyof Answers, 'hosts'>;
  /** As commander names it. */
  readonly flag: keyof InitFlags;
  readonly read: Read<unknown>;
  readonly question: string;
  /** What an empty answer means; without one it leaves the setting out. */
  readonly fallback?: string | ((given: InitFlags) => string);
}

function fallbackOf({ fallback }: Item, given: InitFlags): string | undefined {
  return typeof fallback === 'function' ? fallback(given) : fallback;
}

const items: readonly Item[] = [
  {
    key: 'name',
    flag: 'name',
    read: readClusterName,
    question: 'Name of the cluster',
    fallback: newest.name,
  },
  { key: 'sshUser', flag: 'sshUser', read: readLogin, question: 'SSH user (empty: as in ~/.ssh/config)' },
  {
    key: 'sshKey',
    flag: 'sshKey',
    read: readLocalPath,
    question: 'SSH key file (empty: as in ~/.ssh/config)',
  },
  {
    key: 'etcdVersion',
    flag: 'etcdVersion',
    read: readVersion,
    question: 'etcd version',
    fallback: newest.etcd,
  },
  {
    key: 'etcdSource',
    flag: 'etcdSource',
    read: readLocalPath,
    question: 'etcd binaries: a release tarball, a folder, or download',
    fallback: 'download',
  },
  {
    key: 'kubernetesVersion',
    flag: 'kubernetesVersion',
    read: readVersion,
    question: 'Kubernetes version',
    fallback: kubernetesFor,
  },
  {
    key: 'kubernetesSource',
    flag: 'kubernetesSource',
    read: readLocalPath,
    question: 'Kubernetes binaries: the server tarball, a folder, or download',
    fallback: 'download',
  },
  {
    key: 'endpoint',
    flag: 'endpoint',
    read: readEndpointFlag,
    question: 'Where clients reach the apiservers: VIP, load balancer or DNS name (empty: nothing yet)',
  },
  {
    key: 'layout',
    flag: 'paths',
    read: readOneOf(layoutNames),
    question: 'Paths, fhs or opt',
    fallback: 'fhs',
  },
];

/** Without a terminal: every flag read, every mistake told at once. */
export function answersFromFlags(flags: InitFlags): Answers {
  const mistakes: string[] = [];
  const keep = (flag: string, found: unknown): unknown => {
    if (found instanceof Mistake) mistakes.push(`--${flag}: ${found.message}`);
    return found;
  };
  if (!flags.host?.length) mistakes.push('--host: at least one is needed: --host name=address[,role…]');
  const hosts = (flags.host ?? []).map((text) => keep('host', readHostFlag(text)) as Host);
  const rest = items.flatMap((item) => {
    const { key, flag, read } = item;
    const text = (flags[flag] as string | undefined) ?? fallbackOf(item, flags);
    return text === undefined ? [] : [[key, keep(dashed(flag), read(text))] as const];
  });
  if (mistakes.length > 0) throw refusal(mistakes);
  return { hosts, ...Object.fromEntries(rest) } as unknown as Answers;
}

/** On a terminal: asks for what no flag gave, each question until its answer can be read. */
export async function answersFromQuestions(flags: InitFlags, io: Io): Promise<Answers> {
  const { host = [], ...given } = flags;
  const hosts = host.length > 0 ? [] : await askHosts(io);
  const asked: Record<string, string> = {};
  for (const item of items) {
    const { flag, read, question } = item;
    if (flags[flag] !== undefined) continue;
    const answer = await askUntilRead(io, question, read, fallbackOf(item, { ...given, ...asked }));
    if (answer !== '') asked[flag] = answer;
  }
  return answersFromFlags({ ...given, ...asked, host: [...host, ...hosts] });
}

async function askHosts(io: Io): Promise<string[]> {
  const hosts: string[] = [];
  for (;;) {
    const more = hosts.length === 0 ? '' : ' (empty: no more)';
    const answer = await askUntilRead(
      io,
      `Host ${hosts.length + 1} as name=address[,role…]${more}`,
      readHostFlag,
    );
    if (answer !== '') hosts.push(answer);
    else if (hosts.length > 0) return hosts;
  }
}

async function askUntilRead(
  io: Io,
  question: string,
  read: Read<unknown>,
  fallback?: string,
): Promise<string> {
  for (;;) {
    const answer = await io.ask(question, fallback === undefined ? {} : { fallback });
    const found = answer === '' ? answer : read(answer);
    if (!(found instanceof Mistake)) return answer;
    io.err(`  ${found.message}\n`);
  }
}

/** Paths given on the command line start where kbin runs; those in the file start at the file. */
export function fromFolder(answers: Answers, cwd: string, folder: string): Answers {
  const moved = (['sshKey', 'etcdSource', 'kubernetesSource'] as const).flatMap((key) => {
    const path = answers[key];
    const stays = path === undefined || isAbsolute(path) || /^~|^https?:|^download$/.test(path);
    return stays ? [] : [[key, relative(folder, resolve(cwd, path)) || '.'] as const];
  });
  return { ...answers, ...Object.fromEntries(moved) };
}

function refusal(mistakes: readonly string[]): KbinError {
  return new KbinError(`these options do not make a cluster\n${mistakes.join('\n')}`, {
    next: 'see "kbin init --help"',
    exit: exitCode.usage,
  });
}

function dashed(flag: string): string {
  return flag.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

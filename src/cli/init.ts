import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { Role } from '../cluster/cluster.ts';
import { parseClusterWithWarnings } from '../cluster/load.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { CliContext, Register } from './context.ts';
import { answersFromFlags, answersFromQuestions, fromFolder, type InitFlags } from './init-answers.ts';
import { type Answers, clusterYaml } from './init-text.ts';
import { printJson, printWarning } from './output.ts';

interface InitOptions extends InitFlags {
  readonly output?: string;
}

export const register: Register = (program, context) => {
  const repeat = (value: string, before: string[] = []): string[] => [...before, value];
  program
    .command('init')
    .description(
      'Write a cluster.yaml that explains every setting, from options or from questions on a terminal.',
    )
    .option('--name <name>', 'name of the cluster (default: kubernetes)')
    .option(
      '--host <name=address[,role…]>',
      'a host; repeat for each (default roles: etcd,control-plane)',
      repeat,
    )
    .option('--etcd-version <version>', 'etcd release')
    .option('--etcd-source <from>', 'etcd binaries: a release tarball, a folder, a mirror, or download')
    .option('--kubernetes-version <version>', 'Kubernetes release')
    .option(
      '--kubernetes-source <from>',
      'Kubernetes binaries: the server tarball, a folder, a mirror, or download',
    )
    .option('--ssh-user <user>', 'user to log in as (default: as in ~/.ssh/config)')
    .option('--ssh-key <file>', 'key to log in with (default: as in ~/.ssh/config)')
    .option(
      '--endpoint <address[:port]>',
      'where clients reach the apiservers: VIP, load balancer or DNS name',
    )
    .option('--paths <fhs|opt>', 'where things lie on the hosts (default: fhs)')
    .option('-o, --output <file>', 'file to write, or - for standard output (default: ./cluster.yaml)')
    .addHelpText('after', examples)
    .action((options: InitOptions) => init(options, context));
};

const examples = `
A file that exists is never written over. Without --host, kbin asks on a terminal and refuses elsewhere.

Examples:
  $ kbin init
  $ kbin init --host k8s-master1=192.168.31.71 --host k8s-master2=192.168.31.72 --host k8s-master3=192.168.31.73
  $ kbin init --name prod --host n1=10.0.0.1,etcd --etcd-source ./etcd-v3.5.16-linux-amd64.tar.gz --etcd-version 3.5.16`;

async function init({ output, ...flags }: InitOptions, context: CliContext): Promise<void> {
  const { io } = context;
  const file = output === '-' ? undefined : resolve(io.cwd, output ?? context.config ?? 'cluster.yaml');
  if (file !== undefined && existsSync(file)) throw existing(shown(file, io.cwd));
  const folder = file === undefined ? io.cwd : dirname(file);
  const given =
    flags.host === undefined && io.interactive
      ? await answersFromQuestions(flags, io)
      : answersFromFlags(flags);
  const answers = fromFolder(given, io.cwd, folder);
  const text = clusterYaml(answers);
  const warnings = checked(text, folder);
  if (file === undefined) io.out(text);
  else await writeNew(file, text, io.cwd);
  for (const warning of warnings) printWarning(io, warning);
  if (file !== undefined) report(file, answers, context);
}

/** The warnings of the file to be, or its mistakes; without lines, for there is nothing to look at yet. */
function checked(text: string, folder: string): readonly string[] {
  const bare = (line: string): string =>
    line.replace(/^cluster\.yaml:\d+:\d+: /, '').replace(/; see line \d+$/, '');
  try {
    return parseClusterWithWarnings(text, { file: 'cluster.yaml', folder }).warnings.map(bare);
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    const mistakes = error.message.split('\n').slice(1).map(bare);
    throw new KbinError(`these answers do not make a cluster\n${mistakes.join('\n')}`, {
      next: 'change them',
      exit: exitCode.usage,
    });
  }
}

/** Exclusive: a file that came between the first look and now is kept as well. */
async function writeNew(file: string, text: string, cwd: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw existing(shown(file, cwd));
    const why = code === 'ENOENT' ? `there is no folder ${dirname(file)}` : message;
    throw new KbinError(`cannot write ${file}`, { why, next: 'name another file with -o', cause });
  }
}

function existing(file: string): KbinError {
  return new KbinError(`${file} exists already`, {
    why: 'kbin init never writes over a file',
    next: 'edit it, name another with -o, or move it away first',
    exit: exitCode.usage,
  });
}

function report(file: string, { hosts, etcdVersion }: Answers, { io, json }: CliContext): void {
  if (json) {
    printJson(io, { file, hosts: hosts.map(({ name }) => name), etcdVersion });
    return;
  }
  const count = hosts.length === 1 ? '1 host' : `${hosts.length} hosts`;
  io.out(`wrote ${shown(file, io.cwd)}: ${count}, etcd ${etcdVersion}\n`);
  const deploys = ['etcd', 'control-plane'].filter((role) =>
    hosts.some(({ roles }) => roles.includes(role as Role)),
  );
  const commands = ['pki init', ...deploys.map((name) => `${name} deploy`)].map(
    (command) => `"kbin ${command}"`,
  );
  const last = commands.pop();
  io.out(`next: look through it, then ${commands.join(', ')} and ${last}\n`);
}

function shown(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') ? file : short;
}

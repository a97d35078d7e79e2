import { type Command, Option } from 'commander';
import { type FlagName, flagOf } from './cfssl/flags.ts';
import type { Outcome, Run } from './cfssl/run.ts';
import { type CliContext, commandGroup, type Register } from './context.ts';

interface CfsslCommand {
  readonly name: string;
  readonly summary: string;
  readonly more?: string;
  readonly operands: readonly string[];
  readonly flags: readonly FlagName[];
  readonly work: () => Promise<(run: Run) => Promise<Outcome> | Outcome>;
}

const own = ['bare', 'strict', 'loglevel'] as const;

const commands: readonly CfsslCommand[] = [
  {
    name: 'gencert',
    summary: 'make a key and a certificate for it',
    more:
      'Makes a key and a certificate signed by -ca. With -initca it makes a CA; with -initca -ca-key a new certificate ' +
      'for the key of a CA; with -renewca the same CA for as long again.',
    operands: ['file'],
    flags: ['initca', 'renewca', 'ca', 'ca-key', 'config', 'profile', 'hostname', 'cn', ...own],
    work: async () => (await import('./cfssl/make.ts')).gencert,
  },
  {
    name: 'gencsr',
    summary: 'make a request for a key that there is',
    more: 'The request is for what a CSR file says, or for what the certificate given with -cert has.',
    operands: ['file'],
    flags: ['key', 'cert', 'hostname', ...own],
    work: async () => (await import('./cfssl/make.ts')).gencsr,
  },
  {
    name: 'genkey',
    summary: 'make a key and a request',
    operands: ['file'],
    flags: ['initca', 'ca-key', ...own],
    work: async () => (await import('./cfssl/make.ts')).genkey,
  },
  {
    name: 'sign',
    summary: 'sign a request',
    more:
      'Signs a PEM request whose maker has shown to hold the key. A second file may say whose the certificate shall be ' +
      '({"CN": …, "names": […]}), whatever the request says.',
    operands: ['csr-file', 'subject-file'],
    flags: ['ca', 'ca-key', 'config', 'profile', 'hostname', 'csr', ...own],
    work: async () => (await import('./cfssl/make.ts')).sign,
  },
  {
    name: 'selfsign',
    summary: 'make a certificate that nobody vouches for',
    more: 'For trying things. The names are those of "hosts" in the file, as in cfssl.',
    operands: ['hostname', 'file'],
    flags: ['config', 'profile', 'hostname', ...own],
    work: async () => (await import('./cfssl/make.ts')).selfsign,
  },
  {
    name: 'certinfo',
    summary: 'show a certificate or a request as JSON',
    operands: [],
    flags: ['cert', 'csr', 'strict', 'loglevel'],
    work: async () => (await import('./cfssl/show.ts')).certinfo,
  },
  {
    name: 'bundle',
    summary: 'find the chain from a certificate to a root',
    operands: [],
    flags: ['cert', 'key', 'ca-bundle', 'int-bundle', 'int-dir', 'flavor', 'strict', 'loglevel'],
    work: async () => (await import('./cfssl/show.ts')).bundleCertificate,
  },
  {
    name: 'gencrl',
    summary: 'make a revocation list',
    more:
      'Prints base64 of DER. The first file has one decimal serial number per line; the time, in seconds, is when the ' +
      'next list is due (a week, if not given).',
    operands: ['serials-file', 'cert-file', 'key-file', 'seconds'],
    flags: ['strict', 'loglevel'],
    work: async () => (await import('./cfssl/show.ts')).gencrl,
  },
  {
    name: 'print-defaults',
    summary: 'print a configuration or a CSR file to start from',
    operands: ['config|csr|list'],
    flags: ['strict', 'loglevel'],
    work: async () => (await import('./cfssl/show.ts')).printDefaults,
  },
  {
    name: 'version',
    summary: 'print the version',
    operands: [],
    flags: ['strict', 'loglevel'],
    work: async () => (await import('./cfssl/show.ts')).showVersion,
  },
];

/** `kbin cfssl …`: for those who come from cfssl, with its own flags, files and output. */
export const register: Register = (program, context) => {
  const group = commandGroup(program, 'cfssl').description(
    "cfssl's own commands, flags, JSON files and output, for scripts that have them: what is piped into cfssljson goes " +
      'on working, and --bare NAME does without. Where cfssl is silent (a misspelt key, an unknown profile or usage, a ' +
      'leaf that outlives its CA, a server without a name) kbin warns on stderr; --strict makes it an error.',
  );
  // -c and --json are no flags of cfssl: -config is its own, and all that it prints is JSON.
  group.configureHelp({ ...group.configureHelp(), visibleGlobalOptions: () => [] });
  for (const command of commands) addCommand(group, command, context);
};

function addCommand(group: Command, { work, ...spec }: CfsslCommand, context: CliContext): void {
  const { name, summary, more, operands, flags } = spec;
  const command = group.command(name).summary(summary).allowExcessArguments();
  command.description(more ?? `${summary[0]?.toUpperCase()}${summary.slice(1)}.`);
  for (const operand of operands) command.argument(`[${operand}]`);
  for (const flag of flags) command.addOption(goOption(flag));
  command.action(async () => {
    const { runCommand } = await import('./cfssl/run.ts');
    await runCommand(context, spec, command.args, await work());
  });
}

/** For help and completion only: commander itself knows no long flag with one dash. */
function goOption(name: FlagName): Option {
  const { value, summary } = flagOf(name);
  const rest = value === undefined ? '' : ` <${value}>`;
  const option = new Option(`--${name}${rest}`, summary);
  const isOwn = name === 'bare' || name === 'strict';
  if (!isOwn) {
    option.short = `-${name}`;
    option.flags = `-${name}${rest}`;
  }
  return option;
}

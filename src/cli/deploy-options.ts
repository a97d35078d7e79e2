import type { Command } from 'commander';
import type { Cluster } from '../cluster/cluster.ts';
import { exitCode, KbinError } from '../errors.ts';
import { addPassphraseOption, type PassphraseOptions } from './passphrase.ts';

export interface DeployOptions extends PassphraseOptions {
  readonly dryRun?: boolean;
  readonly allowDowntime?: boolean;
  readonly skipHost?: readonly string[];
  readonly acceptNewHostKeys?: boolean;
  readonly parallel?: string;
  readonly wait: string;
}

/** What is to be said differently for each component. */
export interface DeployWords {
  readonly allowDowntime: string;
  readonly skipHost: string;
  readonly wait: string;
}

/** The options that every `deploy` has. */
export function addDeployOptions(command: Command, words: DeployWords): Command {
  return addDeployChoices(command.option('--dry-run', 'only show what would be done: as `kbin plan`'), words);
}

/** Those of them that make sense too where a command deploys as a part of what it does. */
export function addDeployChoices(
  command: Command,
  words: Omit<DeployWords, 'skipHost'> & Partial<DeployWords> = anyComponent,
): Command {
  command.option('--allow-downtime', words.allowDowntime);
  if (words.skipHost !== undefined) command.option('--skip-host <name...>', words.skipHost);
  return addPassphraseOption(command)
    .option('--accept-new-host-keys', 'add the SSH keys of hosts that known_hosts does not know yet')
    .option('--parallel <hosts>', 'how many hosts are worked on at once (default: ssh.parallel)')
    .option('--wait <seconds>', words.wait, '120');
}

const anyComponent = {
  allowDowntime: 'restart even what nobody stands in for meanwhile',
  wait: 'how long a component may take to become healthy',
};

export function withParallel(cluster: Cluster, parallel: string | undefined, command: string): Cluster {
  if (parallel === undefined) return cluster;
  return { ...cluster, ssh: { ...cluster.ssh, parallel: wholeNumber('--parallel', parallel, command) } };
}

/** `command`: whose help tells more. */
export function wholeNumber(option: string, text: string, command: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new KbinError(`${option} ${text}: not a whole number above 0`, {
    next: `see \`${command} --help\``,
    exit: exitCode.usage,
  });
}

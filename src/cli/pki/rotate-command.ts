import { Argument, type Command, Option } from 'commander';
import { authorities, keyPairs, keyRings } from '../../../pki/index.ts';
import type { CliContext } from '../context.ts';
import { addDeployChoices } from '../deploy-options.ts';
import type { RotateOptions } from './rotate.ts';
import type { StatusOptions } from './rotate-status.ts';
import { gates } from './rotations.ts';

const rotatable = [...authorities, ...keyPairs, ...keyRings].map(({ id }) => id);

/** `kbin pki rotate …` */
export function registerRotate(pki: Command, context: CliContext): void {
  const rotate = addDeployChoices(pki.command('rotate'))
    .helpCommand(false)
    .summary('replace a CA or a key without downtime, phase by phase')
    .addArgument(new Argument('<what>', 'CA or key').choices(rotatable))
    .description(
      'Replaces a CA, the service-account key or the encryption key while the cluster runs on it. Each run carries out ' +
        'one phase: it changes pki/, deploys, and proves on every host, by its files, its processes and on the wire, ' +
        'that the phase is in force. The next run begins the next phase, whether minutes or days later; where a run ' +
        'was cut off, it carries on with the one at hand.\n\n' +
        'A CA: trust (everyone trusts the old one and the new one), issue (the new one signs everything anew), and ' +
        'the end (the old one is trusted no more). No phase begins while a host is down, and there is no option for ' +
        'that; nor does the old one go while something handed out depends on it.\n\n' +
        'The service-account key: verify (tokens of both keys are accepted), sign (the new one signs), and the end, once ' +
        'no token of the old one can still live; tokens in Secrets, which never end, are signed anew then.\n\n' +
        'The encryption key: read (everyone can read with the new one), write (it encrypts), rewrite (everything in etcd ' +
        'is written again, and read there as a proof), and the end (the old one is known no more).\n\n' +
        'Retired keys and certificates stay in pki/archive, and are never read for use.',
    )
    .option('--all', 'go on from phase to phase to the end, as long as nothing has to be waited for')
    .option('--again', 'begin another rotation though the last one was only some weeks ago')
    .addOption(
      new Option(
        '--drop-unexpired <to>',
        'CAs: go on to that phase though kubeconfigs or certificates that were handed out depend on the old CA; they stop working',
      ).choices(gates),
    )
    .addOption(
      new Option(
        '--nodes-ready <for>',
        'kubernetes-ca: the nodes have been seen to for that phase, as the message about them says',
      ).choices(gates),
    )
    .option(
      '--drop-tokens',
      'service-account: end it though tokens of the old key may be in use; they stop working. With --all only where the new key signed already when the run began',
    )
    .action(async (what: string, options: RotateOptions) => {
      const { pkiRotate } = await import('./rotate.ts');
      await pkiRotate(context, what, options);
    });
  rotate
    .command('status')
    .summary('which phase every rotation is in, on each host')
    .addArgument(new Argument('[what]', 'one of them (default: all)').choices(rotatable))
    .description(
      'Looks at every host and tells which phase each rotation is in there: by the CAs and keys that it has, by what ' +
        'its processes were started with, and on the wire. Changes nothing.\n\nExit code 3 where a phase is not in ' +
        'force on some host, 1 where a host could not be looked at.',
    )
    .option('--accept-new-host-keys', 'add the SSH keys of hosts that known_hosts does not know yet')
    .action(async (what: string | undefined, options: StatusOptions) => {
      const { pkiRotateStatus } = await import('./rotate-status.ts');
      await pkiRotateStatus(context, what, options);
    });
}

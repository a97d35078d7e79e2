import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { addLookFlags } from '../health-source.ts';
import type { CheckFlags } from './check.ts';

/** `kbin pki check`. */
export function registerCheck(pki: Command, context: CliContext): void {
  addLookFlags(
    pki
      .command('check')
      .summary('are the certificates good, everywhere, and for how long?')
      .argument('[path...]', 'PEM or DER files, kubeconfigs, or folders of such, instead of the cluster')
      .description(
        'Looks at every certificate of the cluster where it is kept (pki/), where it lies on the disks of the hosts, ' +
          'also in kubeconfigs, and where it is shown to whoever connects (etcd, kube-apiserver, ' +
          'kube-controller-manager, kube-scheduler), and says where these differ: after a renewal that was not ' +
          'deployed, or was not read. What leads to which CA, what ends when, whether keys fit and are closed to ' +
          'others, what is weak, and what breaks a rule of RFC 5280. Changes nothing, needs no private key, and no ' +
          'key leaves a host.\n\n' +
          'With files or folders it looks at those alone, whoever made them, and needs no cluster.yaml.\n\n' +
          'Exit code 3 when something is wrong, or ends within --within; 1 when something could not be looked at ' +
          '(a host that is down), whatever else was found. Warnings do neither.',
      )
      .option('--within <time>', 'what ends within this time counts as wrong: 30d, 12h, 2w', '30d')
      .option('--no-hosts', 'look at pki/ alone')
      .option('--junit <file>', 'write the result as JUnit XML too, for CI'),
  ).action(async (paths: string[], flags: CheckFlags) => {
    const { pkiCheck } = await import('./check.ts');
    await pkiCheck(context, paths, flags);
  });
}

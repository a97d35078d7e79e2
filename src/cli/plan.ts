import type { Register } from './context.ts';

export interface PlanOptions {
  readonly exitCode?: boolean;
  readonly diff?: boolean;
  readonly takeOver?: boolean;
  readonly acceptNewHostKeys?: boolean;
}

/** `kbin plan`: desired − observed, printed. */
export const register: Register = (program, context) => {
  program
    .command('plan')
    .summary('show what would change, and why')
    .description(
      'Looks at every host, asks etcd and the apiservers, and shows what a deploy would change there, and why. ' +
        'Changes nothing. Secrets are named and never shown.\n\n' +
        'What stops a deploy (data of another cluster, a port that is taken, a step between versions that Kubernetes ' +
        'does not support, an encryption key that is not here) is shown too, with what to do about it; without ' +
        '--exit-code the exit code is 0 all the same. A host that does not answer, or programs that cannot be had ' +
        '(`etcd.source`, `kubernetes.source`) to compare the hosts’ own with, make the plan incomplete: exit code 1, ' +
        'whatever else was found.\n\n' +
        'Works where the private keys are not, for CI and a second operator: it compares their fingerprints. Without ' +
        'the keys of its clients, etcd and the apiservers are not asked how they are; that is said, and the exit ' +
        'code is that of what was compared.',
    )
    .option('--exit-code', 'exit with 3 when something differs, or would stop a deploy: for CI')
    .option('--diff', 'show how the text files differ')
    .option('--take-over', 'show what `kbin control-plane deploy --take-over` would do')
    .option('--accept-new-host-keys', 'add the SSH keys of hosts that known_hosts does not know yet')
    .action(async (options: PlanOptions) => (await import('./plan-hosts.ts')).planHosts(context, options));
};

import { commandGroup, type Register } from './context.ts';
import { addPassphraseOption, type PassphraseOptions } from './passphrase.ts';

export interface KubeconfigOptions extends PassphraseOptions {
  readonly group?: readonly string[];
  readonly valid?: string;
  readonly server?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly allowSystem?: boolean;
}

/** `kbin kubeconfig NAME`: a way into the cluster for a person, made on the spot. */
export const register: Register = (program, context) => {
  const repeat = (value: string, before: string[] = []): string[] => [...before, value];
  const command = commandGroup(program, 'kubeconfig')
    .argument('<name>', 'user name in Kubernetes, or "admin" for the administrator that pki/ has')
    .description(
      'Writes a kubeconfig with a client certificate of its own, signed on the spot: Kubernetes takes its CN for the ' +
        'user name and each O for a group. What the user may do is up to RBAC. pki/ keeps a record of it but no key, and ' +
        'nobody can take it back before it ends (Kubernetes asks no revocation list), so keep it short.\n\n' +
        'Needs the key of kubernetes-ca; an encrypted one is opened with its passphrase. ' +
        '"admin" without --group is the certificate of the plan, and needs no CA key.',
    )
    .option('--group <group>', 'a group of the user; repeat for each', repeat)
    .option('--valid <span>', 'how long: 8h, 7d, 1y; never beyond the CA (default: 8h)')
    .option(
      '--server <url>',
      'https address of the API (default: the endpoint, else the first control-plane host)',
    )
    .option('-o, --output <file>', 'file to write, closed to other users (default: standard output)')
    .option('--force', 'write over any file; without it only over one that this command wrote')
    .option('--allow-system', 'let NAME or a group begin with "system:"');
  addPassphraseOption(command).action(async (name: string, options: KubeconfigOptions) => {
    const { makeKubeconfig } = await import('./kubeconfig-make.ts');
    await makeKubeconfig(context, name, options);
  });
};

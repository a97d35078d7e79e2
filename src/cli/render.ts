import { Option } from 'commander';
import type { Register } from './context.ts';
import { addPassphraseOption, type PassphraseOptions } from './passphrase.ts';

export interface RenderOptions extends PassphraseOptions {
  readonly output: string;
  readonly for?: 'kubeadm';
}

/** `kbin render`: for people who install by hand, and for those who want to read before they deploy. */
export const register: Register = (program, context) => {
  const command = program
    .command('render')
    .summary('write every file of every host to a folder')
    .description(
      'Writes every file that kbin would put on the hosts into a folder: DIR/HOST/etc/…, and beside them an ' +
        'INSTALL.md with the commands that install them by hand. No host is asked, and no binaries are needed. A ' +
        'cluster installed like this is one that `kbin plan` finds nothing to change in.\n\n' +
        'The folder holds private keys: it is closed to everybody else, and best removed after use. Only what an ' +
        'earlier render wrote is replaced there; anything else in the folder stops it.\n\n' +
        'With --for kubeadm: for each control-plane host the certificates in kubeadm’s layout, kubeconfigs and a ' +
        'kubeadm-config.yaml with this etcd and endpoint, for those who want kubeadm for the rest. The CA keys are ' +
        'among them.',
    )
    .requiredOption('-o, --output <dir>', 'folder to write to')
    .addOption(new Option('--for <tool>', 'hand over to this tool instead').choices(['kubeadm']));
  addPassphraseOption(command).action(async (options: RenderOptions) => {
    if (options.for === 'kubeadm') {
      return (await import('./render-kubeadm.ts')).renderKubeadm(context, options);
    }
    return (await import('./render-hosts.ts')).renderHosts(context, options);
  });
};

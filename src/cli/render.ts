import type { Register } from './context.ts';

/** `kbin render`: for people who install by hand, and for those who want to read before they deploy. */
export const register: Register = (program, context) => {
  program
    .command('render')
    .summary('write every file of every host to a folder')
    .description(
      'Writes every file that kbin would put on the hosts into a folder: DIR/HOST/etc/…, and beside them an ' +
        'INSTALL.md with the commands that install them by hand. No host is asked, and no binaries are needed. A ' +
        'cluster installed like this is one that `kbin plan` finds nothing to change in.\n\n' +
        'The folder holds private keys: it is closed to everybody else, and best removed after use. Only what an ' +
        'earlier render wrote is replaced there; anything else in the folder stops it.',
    )
    .requiredOption('-o, --output <dir>', 'folder to write to')
    .action(async (options: { output: string }) =>
      (await import('./render-hosts.ts')).renderHosts(context, options.output),
    );
};

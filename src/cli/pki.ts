import { commandGroup, type Register } from './context.ts';
import { addDeployChoices } from './deploy-options.ts';
import type { RenewOptions } from './pki-renew.ts';
import { registerRotate } from './pki-rotate-command.ts';

/** `kbin pki …`: the certificates of the cluster, in the folder pki/ beside cluster.yaml. */
export const register: Register = (program, context) => {
  const pki = commandGroup(program, 'pki').description(
    'Makes and shows the certificates of the cluster. They are kept in pki/ beside cluster.yaml, with the CA keys: ' +
      'back that folder up, and keep it to yourself.',
  );

  pki
    .command('init')
    .summary('make what is missing or has changed')
    .description(
      'Makes every certificate and key that cluster.yaml needs and that is not there yet: three CAs (etcd, ' +
        'Kubernetes, front proxy), what they sign, the service-account key pair, and the key that encrypts Secrets.\n\n' +
        'Run again after a change of cluster.yaml, it issues only what that change affects, and says why: a new ' +
        'host, other SANs, another key type, subject or usage, an expired certificate. What it issues anew gets a ' +
        'new key too; remove a certificate (its .crt file) to ask for that. An existing CA is never replaced, and ' +
        'one that has signed something is never made a second time; nor is a key that has encrypted something. With ' +
        'nothing to do it changes nothing.\n\n' +
        'An encrypted CA key is opened with the passphrase in $KBIN_CA_PASSPHRASE.',
    )
    .option('--dry-run', 'only show what would be made, and why')
    .action(async ({ dryRun }: { dryRun?: boolean }) => {
      const { pkiInit } = await import('./pki-init.ts');
      await pkiInit(context, dryRun === true);
    });

  addDeployChoices(
    pki
      .command('renew')
      .summary('issue certificates anew before they end')
      .argument('[name...]', 'names out of "kbin pki list"; one without @HOST stands for those of all hosts')
      .description(
        'Issues certificates anew, each with a new key. Which: those named, all of them (but no CA), or all that end ' +
          'within a time. The hosts keep what they have until they are deployed to: --deploy does that at once, etcd ' +
          'first, one host at a time, each proven to work with the new certificate, and to serve it, before the next; ' +
          'one that does not gets its former files back, and nothing else is changed.\n\n' +
          'A CA is renewed only when it is named, and only with --same-key: name and key stay, so that what it signed ' +
          'is still trusted. For a CA with a new key there is `kbin pki rotate`. No certificate is valid for longer ' +
          'than its CA: what ends with it is not renewed by --within, and told.\n\n' +
          'What `kbin pki init` would do is done too, and listed with its reasons.',
      )
      .option('--all', 'every certificate of the plan but the CAs')
      .option('--within <time>', 'every certificate that ends within this time: 90d, 2w, 1y')
      .option('--same-key', 'keep the keys; the only way for a CA')
      .option('--dry-run', 'only show what would be issued, and why')
      .option('--deploy', 'bring them to the hosts: `kbin etcd deploy` and `kbin control-plane deploy`'),
  ).action(async (names: string[], options: RenewOptions) => {
    const { pkiRenew } = await import('./pki-renew.ts');
    await pkiRenew(context, names, options);
  });

  registerRotate(pki, context);

  pki
    .command('list')
    .summary('list them with days left and status')
    .description(
      'Lists the certificates and keys of the plan with their subject, issuer, key and days left, and whether they ' +
        'are what cluster.yaml wants. Needs no private keys. --json tells everything.',
    )
    .action(async () => (await import('./pki-list.ts')).pkiList(context));

  pki
    .command('show')
    .summary('show what certificates say')
    .argument(
      '<file|name>',
      'PEM or DER file, or a name out of "kbin pki list": etcd-ca, etcd-server@HOST, apiserver',
    )
    .description(
      'Shows what certificates say: subject, issuer, SANs, usages, key, serial, fingerprints, days left. A file may ' +
        'hold several; a name without @HOST stands for those of all hosts.',
    )
    .action(async (what: string) => (await import('./pki-show.ts')).pkiShow(context, what));
};

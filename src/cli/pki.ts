import { commandGroup, type Register } from './context.ts';
import { addDeployChoices } from './deploy-options.ts';
import { addPassphraseOption, type PassphraseOptions } from './passphrase.ts';
import { registerCheck } from './pki/check-command.ts';
import type { ExportOptions } from './pki/export.ts';
import type { InitOptions } from './pki/init.ts';
import type { ChangeOptions } from './pki/passphrase.ts';
import type { PasswordOptions } from './pki/pkcs12-password.ts';
import type { RenewOptions } from './pki/renew.ts';
import type { RevokeChoices } from './pki/revoke.ts';
import { registerRotate } from './pki/rotate-command.ts';

/** `kbin pki …`: the certificates of the cluster, in the folder pki/ beside cluster.yaml. */
export const register: Register = (program, context) => {
  const pki = commandGroup(program, 'pki').description(
    'Makes and shows the certificates of the cluster. They are kept in pki/ beside cluster.yaml, with the CA keys: ' +
      'back that folder up, and keep it to yourself.',
  );

  const init = pki
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
        'CA keys can be encrypted with a passphrase (--encrypt-ca-keys, `kbin pki passphrase`). It is asked for when ' +
        'there is something to sign.',
    )
    .option('--dry-run', 'only show what would be made, and why')
    .option('--encrypt-ca-keys', 'encrypt the keys of new CAs with a passphrase');
  addPassphraseOption(init).action(async (options: InitOptions) => {
    const { pkiInit } = await import('./pki/init.ts');
    await pkiInit(context, options);
  });

  const passphrase = pki
    .command('passphrase')
    .summary('encrypt the CA keys with a passphrase, or change it')
    .description(
      'Encrypts all CA keys of pki/ with a passphrase: those in use, those of a rotation under way, and retired ones. ' +
        'Where they are encrypted already, it is changed. Every command that signs asks for it then, and for no ' +
        'other work is it needed. The keys themselves stay what they are, and no host notices.\n\n' +
        'Nobody can open them without it: keep it where the backup of pki/ is not. The files are PKCS #8 (PBES2, ' +
        'scrypt, AES-256), which openssl opens too.',
    )
    .option('--remove', 'have the keys lie there in the clear again')
    .option(
      '--new-passphrase-file <file>',
      'file with the new passphrase (default: $KBIN_NEW_CA_PASSPHRASE, else asked for twice)',
    );
  addPassphraseOption(passphrase).action(async (options: ChangeOptions) => {
    const { pkiPassphrase } = await import('./pki/passphrase.ts');
    await pkiPassphrase(context, options);
  });

  addDeployChoices(
    pki
      .command('renew')
      .summary('issue certificates anew before they end')
      .argument('[name...]', 'names out of "kbin pki list"; one without @HOST stands for those of all hosts')
      .description(
        'Issues certificates anew, each with a new key. Which: those named, all of them (but no CA), or all that end ' +
          'within a time. The hosts keep what they have until they are deployed to: --deploy does that at once, etcd ' +
          'first (last, where a client of the apiservers was revoked), one host at a time, each proven to work with ' +
          'the new certificate, and to serve it, before the next; ' +
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
    const { pkiRenew } = await import('./pki/renew.ts');
    await pkiRenew(context, names, options);
  });

  const revoke = pki
    .command('revoke')
    .summary('have etcd refuse a certificate, and make it anew')
    .argument(
      '<what...>',
      'name out of "kbin pki list", serial number, certificate file, or the user of a kubeconfig on the record',
    )
    .description(
      'Puts certificates on the revocation list of their CA, which is signed anew (pki/CA/crl.pem and crl.der), and ' +
        'makes those of the plan anew with a new key at the same moment. `kbin etcd deploy` then brings the list to ' +
        'etcd, which refuses them from then on.\n\n' +
        'Kubernetes asks no revocation list. What kubernetes-ca and front-proxy-ca signed goes on being let in until ' +
        'it ends: take the rights of its user and groups away (RBAC), give short-lived certificates, or rotate the ' +
        'CA. A CA itself is not revoked but rotated.',
    )
    .option(
      '--reason <reason>',
      'keyCompromise, affiliationChanged, superseded, cessationOfOperation, privilegeWithdrawn (default: unspecified)',
    )
    .option('--authority <ca>', 'CA of a serial number that is known from nowhere else');
  addPassphraseOption(revoke).action(async (what: string[], options: RevokeChoices) => {
    const { pkiRevoke } = await import('./pki/revoke.ts');
    await pkiRevoke(context, what, options);
  });

  const crl = pki
    .command('crl')
    .summary('sign the revocation lists anew')
    .argument('[ca...]', 'CAs (default: all that have revoked something)')
    .description(
      'Signs revocation lists anew, good for pki.validity.crl from now on. `kbin pki init`, `renew` and `revoke` do it ' +
        'by themselves when half of that time is over.',
    );
  addPassphraseOption(crl).action(async (authorities: string[], options: PassphraseOptions) => {
    const { pkiCrl } = await import('./pki/revoke.ts');
    await pkiCrl(context, authorities, options);
  });

  registerRotate(pki, context);
  registerCheck(pki, context);

  const exporting = pki
    .command('export')
    .summary('hand a certificate on: PEM, PKCS #12, or kubeadm’s tree')
    .argument('<name>', 'name out of "kbin pki list"; for kubeadm’s tree a control-plane host')
    .description(
      'Writes a certificate with its key for somebody else’s program, closed to other users.\n\n' +
        'pem: one file with the certificate, what leads from it to the CA, the CA, and the key. Of a CA the certificate ' +
        'alone.\n' +
        'pkcs12: the same in a file (.p12, .pfx) for browsers, Windows and Java, closed with a password. --legacy for ' +
        'those that are older than 2018.\n' +
        'kubeadm: the folder /etc/kubernetes/pki of a control-plane host, with the keys of the CAs and etcd’s ' +
        'certificates. For a control plane by kubeadm with kbin’s etcd there is `kbin render --for kubeadm`.',
    )
    .option('--format <format>', 'pem, pkcs12 or kubeadm (default: pem)')
    .option('-o, --output <path>', 'file or folder to write (default, PEM only: standard output)')
    .option(
      '--password-file <file>',
      'file with the password (default: $KBIN_PKCS12_PASSWORD, else asked for)',
    )
    .option('--empty-password', 'close the PKCS #12 file with an empty password')
    .option('--legacy', 'PKCS #12 with triple DES and SHA-1')
    .option('--force', 'write over a file that is there');
  addPassphraseOption(exporting).action(async (name: string, options: ExportOptions) => {
    const { pkiExport } = await import('./pki/export.ts');
    await pkiExport(context, name, options);
  });

  pki
    .command('list')
    .summary('list them with days left and status')
    .description(
      'Lists the certificates and keys of the plan with their subject, issuer, key and days left, and whether they ' +
        'are what cluster.yaml wants. Needs no private keys. --json tells everything.',
    )
    .action(async () => (await import('./pki/list.ts')).pkiList(context));

  pki
    .command('show')
    .summary('show what certificates say')
    .argument(
      '<file|name>',
      'file, "-" for standard input, HOST:PORT, or a name out of "kbin pki list": etcd-ca, etcd-server@HOST, apiserver',
    )
    .description(
      'Shows what certificates say: subject, issuer, what signed them, SANs, usages, key, serial, fingerprints, days ' +
        'left. A name without @HOST stands for those of all hosts. A file may hold several, in PEM; or be DER, ' +
        'PKCS #12, a kubeconfig, or what `kubectl get secret -o yaml` prints. Certificate requests and revocation ' +
        'lists are shown too, private keys never.\n\n' +
        'HOST:PORT shows what is served there, and whether a CA of this cluster made it.',
    )
    .option(
      '--password-file <file>',
      'file with the password of a PKCS #12 file (default: $KBIN_PKCS12_PASSWORD)',
    )
    .action(async (what: string, options: PasswordOptions) => {
      await (await import('./pki/show.ts')).pkiShow(context, what, options);
    });
};

import type { Command } from 'commander';
import { commandGroup, type Register } from '../context.ts';
import { addPassphraseOption } from '../passphrase.ts';
import type { AdoptOptions } from './adopt.ts';
import type { CsrOptions } from './csr.ts';
import type { SignOptions } from './sign-options.ts';

/** What comes from elsewhere and what goes there: existing trees, other people's CAs, other people's requests. */
export const register: Register = (program, context) => {
  const pki = commandGroup(program, 'pki');

  const adopt = pki
    .command('adopt')
    .summary('take over certificates and keys that are there already')
    .argument(
      '<path...>',
      'folders (with all below them) and files: certificates, keys, kubeconfigs, EncryptionConfigurations',
    )
    .description(
      'Takes over an existing tree: that of cfssl, of kubeadm, of kubeasz, of a guide, or a single file such as the ' +
        'answer to a request of "kbin pki csr". What is what is found by reading the certificates, whatever the files ' +
        'are called; CAs and keys are kept byte for byte. Says what is missing, does not fit, is weak, ends soon, or has ' +
        'no place in cluster.yaml. Nothing in pki/ is replaced unless --replace says so, and all of it is put in place ' +
        'at one moment or, when anything stops it, nothing.\n\n' +
        'What is adopted stays for as long as it does its job; "kbin pki init" makes what is missing then.',
    )
    .option('--dry-run', 'only show what would be adopted')
    .option('--as <name=file>', 'what a file is, where that is not clear; may be repeated', collect)
    .option('--skip <name>', 'leave that out; may be repeated', collect)
    .option('--replace <name>', 'replace a certificate that pki/ has; may be repeated', collect);
  addPassphraseOption(adopt).action(async (paths: string[], options: AdoptOptions) => {
    const { pkiAdopt } = await import('./adopt.ts');
    await pkiAdopt(context, paths, options);
  });

  const csr = pki
    .command('csr')
    .summary('write requests for another CA to sign')
    .argument('[name...]', 'names out of "kbin pki list"; one without @HOST stands for those of all hosts')
    .description(
      'Writes a certificate request (PKCS #10) with the subject, SANs and usages of the plan, for a leaf, or for a CA ' +
        'that is to be an intermediate of another one. Its key waits in pki/next/ and is used again when the request ' +
        'is written once more; nothing else is made in its place meanwhile. When it is signed, "kbin pki adopt FILE" ' +
        'checks the answer and puts both in place.\n\n' +
        'The key is the one in use where there is one. A new key for a CA that is in use makes the next CA of a rotation.',
    )
    .option('--all', 'all that a CA would have to sign whose key is not here')
    .option('--new-key', 'with a new key, in the place of the one in use and of one that waits')
    .option('-o, --output <path>', 'file, or folder for NAME.csr each (default: standard output)');
  addPassphraseOption(csr).action(async (names: string[], options: CsrOptions) => {
    const { pkiCsr } = await import('./csr.ts');
    await pkiCsr(context, names, options);
  });

  registerSign(pki, async (files, options) => (await import('./sign.ts')).pkiSign(context, files, options));
};

function registerSign(pki: Command, run: (files: string[], options: SignOptions) => Promise<void>): void {
  const sign = pki
    .command('sign')
    .summary("sign other people's requests")
    .argument('<csr...>', 'files with one certificate request each')
    .description(
      'Shows what each request asks for, and signs it when that is wanted: subject and SANs are its own, usages those ' +
        'of the profile, and nothing else that it asks for is granted. Requests that are not signed with their own ' +
        'key, have a weak one, ask to be a CA, or have names of Kubernetes’ own parts are refused. What was signed is ' +
        'on record: "kbin pki list" shows it, "kbin pki revoke" takes it back.',
    )
    .requiredOption('--profile <name>', 'server, client, or peer (both)')
    .option('--authority <name>', 'the CA that signs', 'kubernetes-ca')
    .option('--valid <time>', 'how long: 12h, 90d, 1y; never longer than the CA', '90d')
    .option(
      '--sans <names>',
      'these names and addresses, in the place of those in the request; may be repeated',
      collect,
    )
    .option(
      '--allow-system',
      'sign for names that begin with "system:", and others of the cluster’s own parts',
    )
    .option('--yes', 'do not ask')
    .option('-o, --output <path>', 'file, or folder for NAME.crt each (default: standard output)');
  addPassphraseOption(sign).action(run);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

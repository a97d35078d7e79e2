import { type ChangedKey, changePassphrase } from '../../ca/passphrase-change.ts';
import { openStore } from '../../ca/store.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable, printWarning } from '../output.ts';
import { newPassphraseOf, type PassphraseOptions, passphraseOf } from '../passphrase.ts';

export interface ChangeOptions extends PassphraseOptions {
  readonly remove?: boolean;
  readonly newPassphraseFile?: string;
}

export async function pkiPassphrase(context: CliContext, options: ChangeOptions): Promise<void> {
  const { io } = context;
  const { remove = false, newPassphraseFile } = options;
  if (remove && newPassphraseFile !== undefined) {
    throw new KbinError('--remove and --new-passphrase-file do not go together', {
      next: 'see `kbin pki passphrase --help`',
      exit: exitCode.usage,
    });
  }
  const cluster = await context.cluster();
  const store = await openStore(`${cluster.folder}/pki`, passphraseOf(context, options));
  const to = remove
    ? undefined
    : newPassphraseOf(context, newPassphraseFile, {
        variable: 'KBIN_NEW_CA_PASSPHRASE',
        option: '--new-passphrase-file',
      });
  const changed = await changePassphrase(store, to, {
    command: 'kbin pki passphrase',
    onWait: (holder) => io.err(`waiting for ${holder}\n`),
  });
  if (context.json) printJson(io, { folder: store.folder, keys: changed });
  else if (changed.length === 0) io.out('nothing to do: no CA key is encrypted\n');
  else {
    const now = remove ? 'in the clear' : 'encrypted';
    printTable(
      io,
      ['key', 'was', 'is'],
      changed.map(({ file, was }) => [file, was === 'plain' ? 'in the clear' : 'encrypted', now]),
    );
  }
  warn(context, changed, remove);
}

function warn({ io }: CliContext, changed: readonly ChangedKey[], remove: boolean): void {
  if (changed.length > 0 && !remove) {
    io.err('copies of pki/ made before still hold the keys as they were\n');
  }
  if (changed.some(({ file, form }) => file === 'kubernetes-ca/ca.key' && form === 'changed')) {
    printWarning(
      io,
      'the key of kubernetes-ca was in an older format: the next "kbin control-plane deploy" brings it to ' +
        'kube-controller-manager as PKCS #8, which restarts it; it is the same key',
    );
  }
}

import { oneCertificate, readAuthority, readKey } from '../../cfssl/authority.ts';
import { bundle } from '../../cfssl/bundle.ts';
import { certificateInfo, requestInfo } from '../../cfssl/certinfo.ts';
import { defaults } from '../../cfssl/defaults.ts';
import { revocationList } from '../../cfssl/revocation-list.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import { exitCode, KbinError } from '../../errors.ts';
import { version } from '../version.ts';
import type { Outcome, Run } from './run.ts';

export async function certinfo(run: Run): Promise<Outcome> {
  const { cert, csr } = { cert: run.flag('cert'), csr: run.flag('csr') };
  if (cert !== '') {
    const input = run.input(cert);
    return { text: `${indented(certificateInfo(oneCertificate(input), input.name))}\n` };
  }
  if (csr === '') {
    throw new KbinError('cfssl certinfo needs a certificate or a request', {
      next: 'give a file with -cert or -csr',
      exit: exitCode.usage,
    });
  }
  const input = run.input(csr);
  return { text: `${indented(await requestInfo(input.text, input.name))}\n` };
}

export function bundleCertificate(run: Run): Outcome {
  const flavor = run.flag('flavor') || 'ubiquitous';
  const flavors = ['optimal', 'ubiquitous', 'force'];
  if (!flavors.includes(flavor)) {
    run.remarks.push(`there is no flavor "${flavor}", "optimal" is taken${didYouMean(flavor, flavors)}`);
  }
  const key = run.flag('key');
  const given = (name: 'ca-bundle' | 'int-bundle') =>
    run.flag(name) === '' ? [] : [run.input(run.flag(name))];
  const result = bundle({
    certificate: run.input(run.required('cert', 'a certificate')),
    ...(key === '' ? {} : { key: { key: readKey(run.input(key), run.passphrase()), name: key } }),
    roots: given('ca-bundle'),
    intermediates: [
      ...given('int-bundle'),
      ...(run.flag('int-dir') === '' ? [] : run.folder(run.flag('int-dir'))),
    ],
    force: flavor === 'force',
    now: run.now,
  });
  return { text: JSON.stringify(result) };
}

/** Base64 of DER, as cfssl prints it: `| base64 -d` makes the file that programs load. */
export function gencrl(run: Run): Outcome {
  const [list, certificate, key, seconds = '0'] = run.operands;
  if (list === undefined || certificate === undefined || key === undefined) {
    throw new KbinError('cfssl gencrl needs a list of serial numbers, a certificate and its key', {
      next: 'give three files: kbin cfssl gencrl serials.txt ca.pem ca-key.pem',
      exit: exitCode.usage,
    });
  }
  const authority = readAuthority(run.input(certificate), run.input(key), run.passphrase());
  return { text: `${revocationList(run.input(list), authority, seconds, run.now).toString('base64')}\n` };
}

export function printDefaults(run: Run): Outcome {
  const kinds = Object.keys(defaults);
  const [kind = 'list'] = run.operands;
  if (kind === 'list')
    return { text: `Default configurations are available for:\n\t${kinds.join('\n\t')}\n` };
  if (kind === 'config' || kind === 'csr') return { text: `${JSON.stringify(defaults[kind], null, 4)}\n` };
  throw new KbinError(`there are no defaults for "${kind}"${didYouMean(kind, kinds)}`, {
    next: 'there are "config" and "csr"',
    exit: exitCode.usage,
  });
}

export function showVersion(): Outcome {
  return { text: `Version: kbin ${version}, which speaks cfssl 1.6\nRuntime: node ${process.version}\n` };
}

function indented(value: object): string {
  return JSON.stringify(value, null, 2);
}

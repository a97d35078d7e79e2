import { createPublicKey } from 'node:crypto';
import { serviceAccount } from '../../pki/service-account.ts';
import { keyFiles, publicKeyFile } from './adopt-files.ts';
import { type AdoptionFinding, type AdoptionItem, type AdoptionWishes, placesText } from './adoption.ts';
import type { Found, FoundKey } from './found.ts';
import { publicPartOf } from './keys.ts';
import { pathsOf } from './layout.ts';
import type { StoreFiles } from './store-files.ts';

/**
 * The key pair is known by its public half, which apiservers have in a file of its own: no certificate has that key.
 * Where tokens are signed with a CA's key, as many guides have it, only the user can say so (`--as`).
 */
export function chooseServiceAccount(
  found: Found,
  files: StoreFiles,
  wishes: AdoptionWishes,
): { readonly item?: AdoptionItem; readonly findings: readonly AdoptionFinding[] } {
  const { id } = serviceAccount;
  if (wishes.skip.has(id)) return { findings: [] };
  const meant = wishes.as.get(id);
  const certified = new Set(found.certificates.map(({ spki }) => spki));
  const halves = new Set(found.publicKeys.map(({ spki }) => spki));
  const candidates = found.keys.filter(({ spki, places }) =>
    meant === undefined ? halves.has(spki) && !certified.has(spki) : places.includes(meant),
  );
  const [key, ...others] = candidates;
  const stored = storedKey(files);
  if (key === undefined) return { findings: stored === undefined ? without(found) : [] };
  if (others.length > 0) return { findings: [ambiguous(candidates)] };
  const findings = [
    ...(certified.has(key.spki) ? [signedWithTheCa(key)] : []),
    ...(stored === undefined || stored === key.spki ? [] : [conflict(key)]),
  ];
  const from = {
    id,
    from: key.places,
    ...(key.places[0] === undefined ? {} : { keyFrom: key.places[0] }),
    key: key.algorithm,
    remove: [],
  };
  const item: AdoptionItem =
    stored === key.spki
      ? { ...from, action: 'same', files: [] }
      : {
          ...from,
          action: 'adopt',
          files: [
            ...keyFiles(pathsOf(id), key),
            publicKeyFile(pathsOf(id).publicKey ?? '', publicPartOf(key.key)),
          ],
        };
  return { item, findings };
}

function storedKey(files: StoreFiles): string | undefined {
  const reading = files.read(pathsOf(serviceAccount.id).publicKey ?? '');
  if (reading.state !== 'read') return undefined;
  try {
    return createPublicKey(reading.content).export({ type: 'spki', format: 'der' }).toString('hex');
  } catch {
    return '';
  }
}

function without(found: Found): AdoptionFinding[] {
  if (found.publicKeys.length > 0) {
    const places = found.publicKeys.flatMap((key) => key.places);
    const message = `the private key to ${placesText(places)} was not found: no tokens of service accounts can be signed with it`;
    return [
      {
        severity: 'warning',
        code: 'key-missing',
        id: serviceAccount.id,
        places,
        message,
        next: 'adopt it where it is',
      },
    ];
  }
  return [
    {
      severity: 'warning',
      code: 'missing',
      id: serviceAccount.id,
      places: [],
      message: 'no key pair of service accounts was found; with a new one all of their tokens end',
      next: 'see --service-account-private-key-file of kube-controller-manager (in many guides a CA’s key), and say --as service-account=FILE',
    },
  ];
}

function ambiguous(keys: readonly FoundKey[]): AdoptionFinding {
  const places = keys.map((key) => key.places[0] ?? '');
  return {
    severity: 'stop',
    code: 'ambiguous',
    id: serviceAccount.id,
    places,
    message: `more than one key could be ${serviceAccount.id}: ${places.join(' and ')}`,
    next: `say which: --as ${serviceAccount.id}=${places[0]}`,
  };
}

function signedWithTheCa({ places }: FoundKey): AdoptionFinding {
  return {
    severity: 'warning',
    code: 'weak',
    id: serviceAccount.id,
    places,
    message: `tokens of service accounts are signed with the key of a certificate (${places[0]}): every apiserver has to have it`,
    next: 'give them a key of their own: kbin pki rotate service-account',
  };
}

function conflict({ places }: FoundKey): AdoptionFinding {
  return {
    severity: 'stop',
    code: 'conflict',
    id: serviceAccount.id,
    places,
    message: `the store has another ${serviceAccount.id} key than ${places[0]}`,
    next: `adopt with an empty pki folder; to leave it out: --skip ${serviceAccount.id}`,
  };
}

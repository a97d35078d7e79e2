import { authorities } from '../../../pki/index.ts';
import { profiles } from '../../../pki/profiles.ts';
import { toSan } from '../../../pki/san.ts';
import type { Grant } from '../../ca/sign-request.ts';
import { Mistake } from '../../cluster/mistake.ts';
import { readValidity } from '../../cluster/quantity.ts';
import { didYouMean } from '../../cluster/suggest.ts';
import { exitCode, KbinError } from '../../errors.ts';
import type { PassphraseOptions } from '../passphrase.ts';

export interface SignOptions extends PassphraseOptions {
  readonly profile: string;
  readonly authority: string;
  readonly valid: string;
  readonly sans?: readonly string[];
  readonly output?: string;
  readonly allowSystem?: boolean;
  readonly yes?: boolean;
}

const step = 'signing a request';
const hundredYears = 100 * 8760;

/** What the command line grants. Throws KbinError (exit 2) for what it cannot mean. */
export function grantOf({ profile, authority, valid, sans, allowSystem }: SignOptions): Grant {
  const wrong = (what: string, next: string): KbinError =>
    new KbinError(what, { step, next, exit: exitCode.usage });
  const known = ['server', 'client', 'peer'] as const;
  const name = known.find((each) => each === profile);
  if (name === undefined)
    throw wrong(
      `there is no profile "${profile}" to sign with`,
      `choose one of ${known.join(', ')}${didYouMean(profile, known)}`,
    );
  const ids = authorities.map(({ id }) => id);
  if (!ids.includes(authority))
    throw wrong(
      `there is no CA called "${authority}"`,
      `choose one of ${ids.join(', ')}${didYouMean(authority, ids)}`,
    );
  const validityHours = readValidity(1, hundredYears)(valid);
  if (validityHours instanceof Mistake)
    throw wrong(`--valid: ${validityHours.message}`, 'for example --valid 90d');
  const names = sans
    ?.flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  return {
    usages: profiles[name].usages,
    validityHours,
    ...(names === undefined ? {} : { sans: names.map(toSan) }),
    allowSystem: allowSystem === true,
  };
}

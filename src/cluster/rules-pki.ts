import { defaults } from './defaults.ts';
import { warning } from './mistake.ts';
import type { Rule } from './rules.ts';

export const pkiRules: readonly Rule[] = [
  function* leafWithinAuthority({ pki }) {
    const { ca, leaf } = { ...defaults.pki.validity, ...pki?.validity };
    if (leaf === undefined || ca === undefined || leaf <= ca) return;
    yield warning(
      ['pki', 'validity'],
      'a leaf never outlives its CA: certificates will be cut to the validity of the CA',
    );
  },
];

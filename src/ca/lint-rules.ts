import type { LintRule } from './lint.ts';
import { authorityRules } from './lint-authority.ts';
import { extensionRules } from './lint-extensions.ts';
import { fieldRules } from './lint-fields.ts';
import { nameRules } from './lint-names.ts';
import { sanRules } from './lint-sans.ts';
import { usageRules } from './lint-usages.ts';

/** In the order of RFC 5280. */
export const lintRules: readonly LintRule[] = [
  ...fieldRules,
  ...nameRules,
  ...extensionRules,
  ...authorityRules,
  ...usageRules,
  ...sanRules,
];

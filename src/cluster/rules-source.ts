import { error } from './mistake.ts';
import type { Rule } from './rules.ts';

/** Of every program that is fetched. */
export const sourceRules: readonly Rule[] = (['etcd', 'kubernetes'] as const).map(
  (section) =>
    function* oneSource(draft) {
      const { path, url, sha256, sha512 } = draft[section]?.source ?? {};
      const at = (key: string) => [section, 'source', key];
      if (path !== undefined && url !== undefined) {
        yield error(at('url'), 'a path and a url: binaries come from one place', at('path'));
      }
      if (sha256 !== undefined && sha512 !== undefined) {
        yield error(at('sha512'), 'one digest is enough', at('sha256'));
      }
    },
);

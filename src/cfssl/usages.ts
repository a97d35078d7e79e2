import { extendedUsageOids, keyUsageBits, type Usage } from '../../pki/usages.ts';
import { didYouMean } from '../cluster/suggest.ts';
import type { Remarks } from './json.ts';

/** cfssl knows one usage by two names. */
const aliases: Readonly<Record<string, Usage>> = { 's/mime': 'email protection' };

const known: Readonly<Record<string, Usage>> = {
  ...Object.fromEntries(
    [...Object.keys(keyUsageBits), ...Object.keys(extendedUsageOids)].map((name) => [name, name as Usage]),
  ),
  ...aliases,
};

/** The usages that there are, in the order they were written; cfssl drops the others in silence. */
export function knownUsages(written: readonly string[], where: string, remarks: Remarks): Usage[] {
  return written.flatMap((name) => {
    if (Object.hasOwn(known, name)) return [known[name] as Usage];
    remarks.push(
      `${where}: there is no usage "${name}", it is left out${didYouMean(name, Object.keys(known))}`,
    );
    return [];
  });
}

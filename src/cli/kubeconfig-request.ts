import { Mistake } from '../cluster/mistake.ts';
import { readLine } from '../cluster/names.ts';
import { readValidity } from '../cluster/quantity.ts';
import { exitCode, KbinError } from '../errors.ts';
import type { KubeconfigOptions } from './kubeconfig.ts';

/** Whose kubeconfig, as asked for on the command line. */
export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
  readonly validityHours: number;
}

const hundredYears = 100 * 8760;
/** A working day. */
const usualHours = 8;

/** `admin` of the plan's own, or a person. Throws KbinError (exit 2) with everything that is wrong. */
export function readRequest(name: string, options: KubeconfigOptions): 'admin' | Person {
  const groups = [...new Set(options.group ?? [])];
  if (name === 'admin' && groups.length === 0) {
    if (options.valid === undefined) return 'admin';
    throw refusal(
      ['--valid: the certificate of "admin" is the plan’s, and lasts as long as it does'],
      'for a short-lived one give it a name of your own: kbin kubeconfig NAME --group system:masters --valid 8h',
    );
  }
  const mistakes: string[] = [];
  const keep = <T>(where: string, found: T | Mistake): T | undefined => {
    if (!(found instanceof Mistake)) return found;
    mistakes.push(`${where}: ${found.message}`);
    return undefined;
  };
  keep('NAME', readIdentity(name));
  if (name.startsWith('system:') && options.allowSystem !== true) mistakes.push(`NAME: ${systemName(name)}`);
  for (const group of groups) {
    keep('--group', readIdentity(group));
    if (group.includes(',')) mistakes.push(`--group: "${group}" has a comma; give --group once for each`);
    if (group.startsWith('system:') && group !== allPowerful && options.allowSystem !== true) {
      mistakes.push(`--group: ${systemName(group)}`);
    }
  }
  const { valid } = options;
  const validityHours =
    valid === undefined ? usualHours : keep('--valid', readValidity(1, hundredYears)(valid));
  if (mistakes.length > 0) throw refusal(mistakes);
  return { name, groups, validityHours: validityHours ?? usualHours };
}

/** RBAC's own superusers: what they may do is written nowhere, and cannot be taken from them. */
export const allPowerful = 'system:masters';

/** RFC 5280 appendix A.1: ub-common-name and ub-organization-name. */
function readIdentity(text: string): string | Mistake {
  if (text.trim() !== text || text === '')
    return new Mistake(`"${text}" is empty, or begins or ends with a space`);
  // go-yaml takes these two for the end of a line.
  if (/[\p{Zl}\p{Zp}]/u.test(text)) return new Mistake(`${JSON.stringify(text)} has a line break`);
  return readLine(64)(text);
}

function systemName(text: string): string {
  return `"${text}" is among the names that Kubernetes keeps for itself: its own parts are let in by them; --allow-system if you mean it`;
}

function refusal(mistakes: readonly string[], next = 'see "kbin kubeconfig --help"'): KbinError {
  return new KbinError(`that is no kubeconfig\n${mistakes.join('\n')}`, { next, exit: exitCode.usage });
}

import { LineCounter, parseDocument } from 'yaml';
import type { FileTexts } from './defaults.ts';
import { type Home, localPath } from './files.ts';
import { error, Mistake, type Path, type Problem } from './mistake.ts';
import type { Draft } from './schema.ts';
import { isOlder } from './version.ts';

/** The text of a file of the operator's, or what is wrong with it. */
export type ReadFile = (path: string) => string | Mistake;

const place: Path = ['kubernetes', 'audit', 'policy'];

/** Reads the policy that `kubernetes.audit.policy` names: its text becomes part of the cluster. */
export function readAuditPolicy(
  draft: Draft,
  home: Home,
  read: ReadFile,
): { readonly texts: FileTexts; readonly problems: readonly Problem[] } {
  const policy = draft.kubernetes?.audit?.policy;
  if (policy === undefined || policy === 'off') return { texts: {}, problems: [] };
  const path = localPath(policy, home);
  const text = read(path);
  if (text instanceof Mistake) return { texts: {}, problems: [error(place, text.message)] };
  const wrong = policyMistakes(text, draft.kubernetes?.version);
  if (wrong.length > 0) {
    return { texts: {}, problems: wrong.map((what) => error(place, `${path}${what}`)) };
  }
  return { texts: { auditPolicy: text }, problems: [] };
}

/** What kube-apiserver would not start with: staging/src/k8s.io/apiserver/pkg/audit/policy/reader.go and pkg/apis/audit/validation. */
function policyMistakes(text: string, version: string | undefined): readonly string[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) return [`:${lines.linePos(syntax.pos[0]).line}: is not YAML: ${syntax.message}`];
  // Aliases of aliases multiply; a policy needs none.
  const value = plain(() => document.toJS({ maxAliasCount: 100 }) as unknown);
  if (!isMapping(value)) return [' is not an audit policy: a mapping with apiVersion, kind and rules'];
  if (value.kind !== 'Policy') return [`: kind is ${shown(value.kind)}; an audit policy is a Policy`];
  return [...versionMistakes(value.apiVersion, version), ...ruleMistakes(value.rules)];
}

function versionMistakes(apiVersion: unknown, version: string | undefined): readonly string[] {
  if (apiVersion === 'audit.k8s.io/v1') return [];
  const former = apiVersion === 'audit.k8s.io/v1beta1' || apiVersion === 'audit.k8s.io/v1alpha1';
  if (former && version !== undefined && isOlder(version, '1.24.0')) return [];
  const gone = former ? ', which Kubernetes 1.24 dropped' : '';
  return [`: apiVersion is ${shown(apiVersion)}${gone}; write audit.k8s.io/v1`];
}

const levels = ['None', 'Metadata', 'Request', 'RequestResponse'];

function ruleMistakes(rules: unknown): readonly string[] {
  if (!Array.isArray(rules) || rules.length === 0) {
    return [': has no rules, and kube-apiserver wants one or more; "- level: Metadata" logs every request'];
  }
  return rules.flatMap((rule: unknown, index) => {
    const level = isMapping(rule) ? rule.level : undefined;
    if (levels.includes(level as string)) return [];
    return [`: rules[${index}].level is ${shown(level)}; it is one of ${levels.join(', ')}`];
  });
}

function plain(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 100);
}

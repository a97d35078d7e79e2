import type { Adoption, AdoptionFinding, AdoptionItem } from '../../ca/adoption.ts';
import { KbinError } from '../../errors.ts';
import type { CliContext } from '../context.ts';
import { printJson, printTable, printWarning } from '../output.ts';

const step = 'adopting certificates';

/** The table, and what is to be said of it. Throws KbinError where something stops the adoption. */
export function report(
  context: CliContext,
  { items, findings }: Adoption,
  { folder, dryRun }: { folder: string; dryRun: boolean },
): void {
  const { io } = context;
  const stops = findings.filter(({ severity }) => severity === 'stop');
  const changed = items.filter(({ action }) => action !== 'same');
  if (context.json) {
    const shown = items.map(({ files: _, remove: __, record: ___, pem: ____, ...item }) => item);
    printJson(io, { folder, dryRun, adopted: stops.length === 0 && !dryRun, items: shown, findings });
  } else {
    if (items.length > 0) printTable(io, header, items.map(row));
    for (const finding of findings) {
      if (finding.severity === 'stop') continue;
      const next = finding.next === undefined ? '' : `; ${finding.next}`;
      if (finding.severity === 'warning') printWarning(io, `${finding.message}${next}`);
      else io.err(`note: ${finding.message}${next}\n`);
    }
  }
  if (stops.length > 0) throw stopped(stops);
  if (context.json) return;
  if (changed.length === 0)
    io.err(
      `nothing to adopt: ${items.length === 0 ? 'nothing found has a place in cluster.yaml' : `${folder} has all of it`}\n`,
    );
  else if (dryRun) io.err('nothing was changed: this is a dry run\n');
  else
    io.err(
      `${folder} now holds ${changed.some(({ keyFrom }) => keyFrom !== undefined) ? 'these keys: back it up' : 'them'}; next: ${nextStep(changed)}\n`,
    );
}

function nextStep(changed: readonly AdoptionItem[]): string {
  const next = changed.find(({ action }) => action === 'next');
  return next === undefined
    ? '"kbin pki init --dry-run" says what is still to be made'
    : `kbin pki rotate ${next.id}`;
}

const header = ['action', 'name', 'from', 'key', 'subject', 'valid until'];

function row({ action, id, from, keyFrom, key, certificate }: AdoptionItem): (string | undefined)[] {
  const places = from.length > 1 ? `${from[0]} (and ${from.length - 1} more)` : from[0];
  return [
    action,
    id,
    places,
    keyFrom === undefined ? undefined : key,
    certificate?.subject,
    certificate?.notAfter.toISOString().slice(0, 10),
  ];
}

function stopped(stops: readonly AdoptionFinding[]): KbinError {
  const [first] = stops;
  if (first !== undefined && stops.length === 1) {
    return new KbinError(first.message, {
      step,
      why: 'nothing was changed',
      ...(first.next === undefined ? {} : { next: first.next }),
    });
  }
  return new KbinError(`${stops.length} things stop the adoption; nothing was changed`, {
    step,
    next: 'settle each as said below, and run the command again',
    output: stops
      .map(({ message, next }) => `- ${message}${next === undefined ? '' : `\n  next: ${next}`}`)
      .join('\n'),
  });
}

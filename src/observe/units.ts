import type { ProbeLines } from './lines.ts';
import type { ObservedUnit } from './observed.ts';

/** `systemctl show` of several units: their properties in blocks, in the order asked, an empty line between. */
export function unitsFrom(lines: ProbeLines, names: readonly string[]): ReadonlyMap<string, ObservedUnit> {
  const shown = lines.all('unit');
  if (shown.length === 0) return new Map();
  const blocks: Map<string, string>[] = [new Map()];
  for (const line of shown) {
    const equals = line.indexOf('=');
    if (equals < 0) blocks.push(new Map());
    else blocks.at(-1)?.set(line.slice(0, equals), line.slice(equals + 1));
  }
  if (blocks.length !== names.length) throw lines.malformed('systemctl showed other units than asked');
  const processes = lines.indexed('process');
  return new Map(
    names.map((name, index) => [name, unitFrom(lines, blocks[index] ?? new Map(), processes.get(index))]),
  );
}

function unitFrom(
  lines: ProbeLines,
  properties: ReadonlyMap<string, string>,
  process: string | undefined,
): ObservedUnit {
  const property = (name: string) => properties.get(name) ?? '';
  const [, replaced, inputs] = /^([01]) (.*)$/.exec(process ?? '') ?? [];
  return {
    loadState: property('LoadState'),
    activeState: property('ActiveState'),
    subState: property('SubState'),
    enabled: property('UnitFileState'),
    needDaemonReload: property('NeedDaemonReload') === 'yes',
    dropIns: property('DropInPaths').split(' ').filter(Boolean),
    mainPid: lines.number(property('MainPID')),
    ...(inputs === undefined || inputs === '' ? {} : { runningInputs: inputs }),
    executableReplaced: replaced === '1',
    result: property('Result'),
  };
}

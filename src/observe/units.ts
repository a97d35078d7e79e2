import type { ProbeLines } from './lines.ts';
import type { ObservedProcess, ObservedUnit } from './observed.ts';

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
  const settings = lines.indexed('settings');
  const argv = lines.indexed('argv');
  return new Map(
    names.map((name, index) => {
      const unit = unitFrom(lines, blocks[index] ?? new Map(), processes.get(index));
      const process = processFrom(lines, settings.get(index), argv.get(index));
      return [name, { ...unit, ...(process === undefined ? {} : { process }) }];
    }),
  );
}

function processFrom(
  lines: ProbeLines,
  settings: string | undefined,
  argv: string | undefined,
): ObservedProcess | undefined {
  if (settings === undefined || argv === undefined) return undefined;
  const environment = lines.hex(settings).toString().split('\n');
  return {
    argv: lines.hex(argv).toString().replace(/\0$/, '').split('\0'),
    settings: Object.fromEntries(
      environment.flatMap((line) => {
        const equals = line.indexOf('=');
        return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)]];
      }),
    ),
    inherited: lines.all('inherited'),
  };
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

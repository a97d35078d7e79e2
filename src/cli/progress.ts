import type { Io, Progress } from './io.ts';
import { paint } from './output.ts';

/** One line per host on stderr: redrawn in place on a terminal, otherwise a plain line for each new step. */
export function createProgress(io: Io, hosts: readonly string[], screen: Screen = terminal): Progress {
  return io.liveProgress ? liveProgress(io, hosts, screen) : plainProgress(io, hosts);
}

export interface Screen {
  /** Width of the terminal behind stderr. */
  columns(): number;
  /** Milliseconds, for the pace of redrawing. */
  now(): number;
}

const terminal: Screen = {
  columns: () => process.stderr.columns || 80,
  now: () => performance.now(),
};

/** Milliseconds between two drawings of transfers; steps are always drawn. */
const pace = 100;

function liveProgress(io: Io, hosts: readonly string[], screen: Screen): Progress {
  const width = widest(hosts);
  const lines = new Map<string, string>();
  let drawn = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  const erase = () => {
    if (drawn > 0) io.err(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    const shown = [...lines.values()];
    io.err(shown.map((line) => `${line}\n`).join(''));
    drawn = shown.length;
    drawnAt = screen.now();
  };
  const set = (host: string, mark: string, text: string) => {
    const room = Math.max(10, screen.columns() - width - 5);
    const cut = text.length > room ? `${text.slice(0, room - 1)}…` : text;
    lines.set(host, `${mark} ${host.padEnd(width)}  ${cut}`);
  };
  for (const host of hosts) set(host, ' ', 'waiting');
  return {
    step(host, text) {
      set(host, '·', text);
      draw();
    },
    transfer(host, what, sent, total) {
      set(host, '·', `${what}  ${amount(sent, total)}`);
      if (sent >= total || screen.now() - drawnAt >= pace) draw();
    },
    done(host, text) {
      set(host, paint(io, 'green', '✓'), text);
      draw();
    },
    fail(host, text) {
      set(host, paint(io, 'red', '✗'), text);
      draw();
    },
    note(text) {
      erase();
      io.err(`${text}\n`);
      draw();
    },
    end() {
      draw();
      drawn = 0;
      lines.clear();
    },
  };
}

/** Each step once; of a transfer only that it began and how much it is. */
function plainProgress(io: Io, hosts: readonly string[]): Progress {
  const width = widest(hosts);
  const last = new Map<string, string>();
  const say = (host: string, text: string) => {
    if (last.get(host) === text) return;
    last.set(host, text);
    io.err(`${host.padEnd(width)}  ${text}\n`);
  };
  return {
    step: say,
    transfer: (host, what, _sent, total) => say(host, `${what}, ${size(total)}`),
    done: say,
    fail: (host, text) => say(host, `failed: ${text}`),
    note: (text) => io.err(`${text}\n`),
    end() {},
  };
}

function widest(hosts: readonly string[]): number {
  return Math.max(0, ...hosts.map((host) => host.length));
}

function amount(sent: number, total: number): string {
  const share = total === 0 ? 100 : Math.floor((100 * sent) / total);
  return `${String(share).padStart(3)} % of ${size(total)}`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

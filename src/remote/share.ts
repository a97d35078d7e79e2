import type { Connect } from './host.ts';

/** One connection per host, whoever asks for it first; `close` ends them all. */
export function shareConnections(connect: Connect): { connect: Connect; close: () => Promise<void> } {
  const open = new Map<string, ReturnType<Connect>>();
  return {
    connect: (name) => {
      const host = open.get(name) ?? connect(name);
      open.set(name, host);
      return host;
    },
    close: async () => {
      await Promise.allSettled([...open.values()].map(async (host) => (await host).close()));
    },
  };
}

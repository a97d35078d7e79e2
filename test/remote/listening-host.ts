import type { CommandResult } from '../../src/remote/host.ts';
import { LocalHost } from './local-host.ts';

/** Remembers what came over the connection. */
export class ListeningHost extends LocalHost {
  heard = '';

  override async script(...given: Parameters<LocalHost['script']>): Promise<CommandResult> {
    const result = await super.script(...given);
    this.heard += `${result.stdout}${result.stderr}`;
    return result;
  }
}

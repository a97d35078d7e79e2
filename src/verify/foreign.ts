import { readFile } from 'node:fs/promises';
import { exitCode, KbinError } from '../errors.ts';
import { type EtcdCredentials, type EtcdTarget, hostPort, parseEndpoint } from '../health/target.ts';

/** An etcd that kbin did not deploy: where it listens, and the files to talk to it with. */
export interface ForeignEtcd {
  readonly endpoints: readonly string[];
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** One target per endpoint, named by its host and port. Throws a usage error where there is none, for what is none, or given twice. */
export function foreignTargets({ endpoints }: ForeignEtcd): readonly EtcdTarget[] {
  if (endpoints.length === 0) {
    throw new KbinError('no endpoint is given', {
      next: 'give the client URL of each member: --endpoints https://10.0.0.1:2379,https://10.0.0.2:2379',
      exit: exitCode.usage,
    });
  }
  const targets = endpoints.map((endpoint) => {
    const address = parseEndpoint(endpoint);
    return { name: hostPort(address), endpoint: `${address.scheme}://${hostPort(address)}` };
  });
  const twice = targets.find(({ name }, index) => targets.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) {
    throw new KbinError(`the endpoint ${twice.endpoint} is given twice`, {
      next: 'give each member one endpoint',
      exit: exitCode.usage,
    });
  }
  return targets;
}

/** Reads the PEM files. Throws a usage error that names the option and the file. */
export async function foreignCredentials({ ca, cert, key }: ForeignEtcd): Promise<EtcdCredentials> {
  if ((cert === undefined) !== (key === undefined)) {
    throw new KbinError(
      `a client certificate and its key belong together, and only ${cert ? 'the certificate' : 'the key'} is given`,
      {
        next: 'give both --cert and --key, or neither',
        exit: exitCode.usage,
      },
    );
  }
  const read = async (name: 'ca' | 'cert' | 'key', file: string | undefined) => {
    if (file === undefined) return [];
    try {
      return [[name, await readFile(file, 'utf8')]];
    } catch (error) {
      throw new KbinError(`cannot read ${wording[name]} ${file}`, {
        why: error instanceof Error ? error.message : String(error),
        next: 'check the path, and that you may read the file',
        exit: exitCode.usage,
        cause: error,
      });
    }
  };
  const found = await Promise.all([read('ca', ca), read('cert', cert), read('key', key)]);
  return Object.fromEntries(found.flat());
}

const wording = { ca: 'the CA', cert: 'the client certificate', key: 'the client key' } as const;

/** node test/lab/cli.ts up NAME --hosts a,b,c [--dir DIR] | down NAME | sweep | ls */
import { parseArgs } from 'node:util';
import { engine, labImage } from './engine.ts';
import { reuseHosts, startHosts } from './lab.ts';
import { HOST, LAB, OWNER } from './labels.ts';
import { removeLab, sweep } from './sweep.ts';

const USAGE = `usage: node test/lab/cli.ts up NAME [--hosts a,b,c] [--dir DIR]   systemd hosts that stay until \`down\`
       node test/lab/cli.ts down NAME
       node test/lab/cli.ts sweep                              remove labs whose owner has ended
       node test/lab/cli.ts ls
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { hosts: { type: 'string', default: 'node1,node2,node3' }, dir: { type: 'string' } },
});
const [command, name] = positionals;
const docker = async () => (await engine()).container.dockerode;

/** stdout: one line `NAME ADDRESS new|reused` per host, for scripts. */
async function up(id: string): Promise<void> {
  const names = values.hosts.split(',');
  const dir = values.dir ?? `.lab-${id}`;
  const image = await labImage();
  const reused = await reuseHosts(id, names, dir, image);
  if (!reused) await removeLab(await docker(), id);
  const lab = reused ?? (await startHosts({ id, names, dir, image, keep: true }));
  for (const { name, address } of lab.hosts)
    process.stdout.write(`${name} ${address} ${reused ? 'reused' : 'new'}\n`);
}

async function list(): Promise<void> {
  for (const { Labels, State, NetworkSettings } of await (await docker()).listContainers({
    all: true,
    filters: { label: [LAB] },
  })) {
    const address = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
    process.stdout.write(
      `${Labels[LAB]} ${Labels[HOST]} ${address || '-'} ${State} owner=${Labels[OWNER]}\n`,
    );
  }
}

if (command === 'up' && name) await up(name);
else if (command === 'down' && name) await removeLab(await docker(), name);
else if (command === 'sweep') await sweep(await docker());
else if (command === 'ls') await list();
else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

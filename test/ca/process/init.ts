/** `node init.ts FOLDER [COUNT]`: what `kbin pki init` does, for a cluster of COUNT hosts, with the store in FOLDER. */
import { reconcileStore } from '../../../src/ca/reconcile.ts';
import { openStore } from '../../../src/ca/store.ts';
import { certificatePlan } from '../../../src/desired/certificates.ts';
import { exampleCluster, exampleHost } from '../../cluster/fixture.ts';

const [folder = '', count = '1'] = process.argv.slice(2);
const hosts = Array.from({ length: Number(count) }, (_, index) =>
  exampleHost(`m${index + 1}`, `10.0.0.${index + 1}`),
);
const plan = certificatePlan(exampleCluster({ hosts }));
const { applied, kept } = await reconcileStore(plan, await openStore(folder), {
  now: new Date(),
  command: 'kbin pki init',
});
process.stdout.write(JSON.stringify({ applied: applied.length, kept }));

import { mkdirSync, writeFileSync } from 'node:fs';
import type { Store } from '../../src/ca/store.ts';
import { compose } from '../../src/desired/compose.ts';
import type { DesiredComponent } from '../../src/desired/desired.ts';

/** What an upload would leave behind, without the owners, the units and the binaries. */
export async function install(component: DesiredComponent, store: Store): Promise<void> {
  for (const { path, mode } of component.directories) mkdirSync(path, { recursive: true, mode });
  for (const bundle of component.bundles) mkdirSync(bundle.path, { recursive: true, mode: bundle.mode });
  const bundled = component.bundles.flatMap((bundle) =>
    bundle.files.map((file) => ({ ...file, path: `${bundle.path}/${file.path}` })),
  );
  const own = component.files.filter((file) => !file.path.endsWith('.service'));
  for (const { path, content, mode } of [...own, ...bundled]) {
    if (content.kind === 'text') writeFileSync(path, content.text, { mode });
    if (content.kind === 'bytes') writeFileSync(path, Buffer.from(content.base64, 'base64'), { mode });
    if (content.kind === 'secret') writeFileSync(path, await store.readSecret(content.ref), { mode });
    if (content.kind === 'composed') {
      writeFileSync(path, await compose(content.parts, (ref) => store.readSecret(ref)), { mode });
    }
  }
}

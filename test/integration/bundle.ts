import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { etcd3Proto } from '../../scripts/etcd3-proto.ts';

const rawText: Plugin = {
  name: 'raw-text',
  setup(bundle) {
    bundle.onResolve({ filter: /\?raw$/ }, ({ path, importer }) => ({
      path: resolve(dirname(importer), path.slice(0, -'?raw'.length)),
      namespace: 'raw-text',
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'raw-text' }, ({ path }) => ({
      contents: readFileSync(path, 'utf8'),
      loader: 'text',
    }));
  },
};

/** A TypeScript program as one file that plain Node starts quickly. */
export async function bundleProgram(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    plugins: [rawText, etcd3Proto],
    external: ['cpu-features', '*.node'],
    logLevel: 'error',
  });
}

/**
 * `node scripts/build.ts [DIR]` leaves DIR/kbin (the launcher), DIR/program.cjs (the program: one file, nothing to
 * install) and between the two DIR/kbin.cjs, which keeps compiled code (scripts/start.cjs). DIR is dist/ unless given;
 * the tests build one of their own.
 *
 * CommonJS, because that is what compiled code can be kept of; esbuild turns every `import()` into a part that is
 * initialised when it is first asked for, so that `kbin pki` never runs a line of ssh2. White space is taken out, for
 * Node reads and hashes the whole file at each start; names stay, so that the stack trace of a defect can be read. The
 * licences of what is bundled lie beside it.
 */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { etcd3Proto } from './etcd3-proto.ts';
import { licenceNotices } from './notices.ts';

const root = resolve(import.meta.dirname, '..');
const least = 24;

/** `import text from './some.conf?raw'`, as vite has it. */
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
      watchFiles: [path],
    }));
  },
};

/** ssh2 tries its compiled parts and does without when they throw; here they always do. */
const noNativeParts: Plugin = {
  name: 'no-native-parts',
  setup(bundle) {
    bundle.onResolve({ filter: /^cpu-features$|\.node$/ }, ({ path }) => ({
      path,
      namespace: 'native-part',
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'native-part' }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is not part of kbin`)});`,
      loader: 'js',
    }));
  },
};

/** The launcher sees to it; this is for whoever starts kbin.cjs by hand, or replaced the Node that it remembers. */
const tooOld = `if (Number.parseInt(process.versions.node, 10) < ${least}) {
  process.stderr.write('kbin: needs Node.js ${least} or newer, and this is ' + process.version +
    ' (' + process.execPath + ')\\n  next:  start dist/kbin with KBIN_NODE naming a newer one\\n');
  process.exit(1);
}`;

/** Rejects when the bundle cannot be made, or only with warnings; esbuild has said why on stderr by then. */
export async function buildKbin(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { warnings, metafile, outputFiles } = await build({
    entryPoints: [resolve(root, 'src/main.ts')],
    outfile: resolve(folder, 'program.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    // Older syntax than kbin needs, so that an old Node.js gets as far as the banner and says what is wrong.
    target: 'node20',
    // A script made by vm.Script (start.cjs) cannot import(); its require() can do all that is needed.
    supported: { 'dynamic-import': false },
    banner: { js: tooOld },
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: 'none',
    metafile: true,
    write: false,
    absWorkingDir: root,
    plugins: [rawText, noNativeParts, etcd3Proto],
    logLevel: 'warning',
  });
  if (warnings.length > 0) throw new Error('esbuild has warnings');
  const licences = licenceNotices(root, Object.keys(metafile.inputs));
  const launcher = await readFile(resolve(root, 'scripts/launcher.sh'));
  const starter = await readFile(resolve(root, 'scripts/start.cjs'));
  await replace(resolve(folder, 'third-party-licences.txt'), licences, 0o644);
  await replace(resolve(folder, 'program.cjs'), outputFiles[0]?.contents ?? '', 0o644);
  await replace(resolve(folder, 'kbin.cjs'), starter, 0o644);
  await replace(resolve(folder, 'kbin'), launcher, 0o755);
}

/** In one step: a kbin that runs meanwhile reads the old file or the new one, and a shell reads a script as it goes. */
async function replace(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, content, { mode });
  await rename(fresh, file);
}

if (import.meta.main) {
  await buildKbin(resolve(process.argv[2] ?? resolve(root, 'dist'))).catch(() => {
    process.exitCode = 1;
  });
}

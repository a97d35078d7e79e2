/**
 * dist/kbin.cjs: starts the program, program.cjs beside it, from code that V8 compiled before.
 *
 * Node's own compile cache holds a file as it was compiled at first, which is without the functions inside; those are
 * then parsed anew in each process. This one is written after a command has run and holds every function that the
 * command needed, which saves a fifth of the time of `kbin pki init`. One file for each command, since V8 reads it whole.
 */
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const vm = require('node:vm');
const Module = require('node:module');

// Node has four threads for keys and files, whatever the machine; RSA keys are made on all cores at once. Read at first use.
const cores = os.availableParallelism?.() ?? 4;
if (process.env.UV_THREADPOOL_SIZE === undefined && cores > 4) {
  process.env.UV_THREADPOOL_SIZE = String(cores);
}

const file = path.join(__dirname, 'program.cjs');
// The launcher sets it; NODE_DISABLE_COMPILE_CACHE is Node's own word for "none".
const folder = process.env.NODE_DISABLE_COMPILE_CACHE ? '' : process.env.NODE_COMPILE_CACHE || '';

if (folder === '') require(file);
else start();

function start() {
  const { size, mtimeMs } = fs.statSync(file);
  const generation = `kbin-${size.toString(36)}-${Math.trunc(mtimeMs).toString(36)}`;
  const cacheFile = path.join(folder, generation, `${commandName(process.argv.slice(2))}.code`);
  const cachedData = read(cacheFile);
  // The bundle is ASCII, so latin1 is what it says, and the quickest way to a string.
  const source = fs.readFileSync(file, 'latin1');
  const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    cachedData,
  });
  // V8 itself refuses what another version of it, or another one with other flags, has compiled.
  if (cachedData === undefined || script.cachedDataRejected) {
    process.on('exit', (code) => {
      if (code === 0) write(cacheFile, script.createCachedData());
    });
  }
  const program = new Module(file, null);
  program.filename = file;
  const run = script.runInThisContext();
  run.call(program.exports, program.exports, Module.createRequire(file), program, file, __dirname);
}

/** `pki-init`, `etcd-deploy`, `plan`: the first words that can be one. */
function commandName(argv) {
  const words = argv.filter((word) => /^[a-z][a-z-]{0,30}$/.test(word));
  return words.slice(0, 2).join('-') || 'none';
}

/** V8 trusts what it is given, so a checksum comes first. */
function read(cacheFile) {
  try {
    const content = fs.readFileSync(cacheFile);
    const data = content.subarray(4);
    return content.readUInt32LE(0) === checksum(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Of its length and of one word in 256: finds the blocks that a crash leaves empty, and costs next to nothing. */
function checksum(data) {
  let sum = data.length;
  for (let at = 0; at + 4 <= data.length; at += 1024)
    sum = (Math.imul(sum, 31) + data.readUInt32LE(at)) >>> 0;
  return sum;
}

/** Whether it can be kept is of no account to the command that has just succeeded. */
function write(cacheFile, data) {
  try {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(checksum(data));
    fs.mkdirSync(path.dirname(cacheFile), { recursive: true, mode: 0o700 });
    fs.writeFileSync(`${cacheFile}.${process.pid}`, Buffer.concat([head, data]), { mode: 0o600 });
    fs.renameSync(`${cacheFile}.${process.pid}`, cacheFile);
    removeOld(Date.now() - 7 * 86_400_000);
  } catch {}
}

/** Of builds that are gone, or have not learned a command for a week. */
function removeOld(before) {
  for (const name of fs.readdirSync(folder)) {
    const generation = path.join(folder, name);
    if (!name.startsWith('kbin-') || fs.statSync(generation).mtimeMs >= before) continue;
    fs.rmSync(generation, { recursive: true, force: true });
  }
}

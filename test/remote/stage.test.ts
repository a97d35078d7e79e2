import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type HostFile, stage, stagedPath, stageMany, upload } from '../../src/remote/upload.ts';
import { refusal } from './connected.ts';
import { LocalHost } from './local-host.ts';
import { temporaryFolder } from './temporary-folder.ts';

const owner = userInfo().username;

function file(path: string, content: Uint8Array | string, more: Partial<HostFile> = {}): HostFile {
  const bytes = Buffer.from(content as string);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, content: bytes, sha256, mode: 0o640, owner, group: owner, ...more };
}

/** The same, with the content in a file that is streamed. */
function streamed(path: string, bytes: Buffer, more: Partial<HostFile> = {}): HostFile {
  const source = join(temporaryFolder(), 'source');
  writeFileSync(source, bytes);
  return file(path, bytes, { content: { file: source, size: bytes.length }, ...more });
}

describe('stageMany', () => {
  test('files of every size arrive whole, with their mode, beside their targets', async () => {
    const folder = temporaryFolder();
    const host = new LocalHost();
    const files = [
      file(join(folder, 'empty'), ''),
      file(join(folder, 'small'), 'text\n', { mode: 0o600 }),
      file(join(folder, 'binary'), randomBytes(300_000)),
      streamed(join(folder, 'from a file'), randomBytes(70_001), { mode: 0o4755 }),
      streamed(join(folder, 'large'), randomBytes(3_000_000), { mode: 0o755 }),
      streamed(join(folder, 'larger'), randomBytes(4_000_001)),
      file(join(folder, 'last'), 'the last of the small ones'),
    ];
    const progress: number[][] = [];
    const staged = await stageMany(host, files, (sent, total) => progress.push([sent, total]));
    for (const one of files) {
      const path = staged.get(one.path) ?? '';
      expect(path).toBe(
        join(folder, `.kbin-${one.sha256.slice(0, 12)}-${one.path.slice(folder.length + 1)}`),
      );
      expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(one.sha256);
      expect(statSync(path).mode & 0o7777).toBe(one.mode);
    }
    expect(readdirSync(folder).length).toBe(files.length);
    // One look, one command for all small files, one for each large one.
    expect(host.commands.length).toBe(4);
    const total = 5 + 300_000 + 70_001 + 3_000_000 + 4_000_001 + 26;
    expect(progress.at(-1)).toEqual([total, total]);
  });

  test('what is staged already is not sent again; what an earlier run staged in its place goes', async () => {
    const folder = temporaryFolder();
    const [before, now] = [file(join(folder, 'etcd.conf'), 'old'), file(join(folder, 'etcd.conf'), 'new')];
    const other = file(join(folder, 'other-etcd.conf'), 'of another file');
    await stageMany(new LocalHost(), [before, other]);
    writeFileSync(join(folder, '.kbin-old-etcd.conf'), 'not a staged file');
    await stage(new LocalHost(), now);
    expect(readdirSync(folder).sort()).toEqual(
      ['.kbin-old-etcd.conf', ...[now, other].map((one) => stagedPath(one).slice(folder.length + 1))].sort(),
    );
    chmodSync(stagedPath(now), 0o444);
    const host = new LocalHost();
    await stage(host, now);
    expect(host.commands.length).toBe(1);
    expect(statSync(stagedPath(now)).mode & 0o777).toBe(0o640);
  });

  test('a staged file that a cut-off run left incomplete is sent again', async () => {
    const folder = temporaryFolder();
    const one = file(join(folder, 'etcd'), 'complete');
    writeFileSync(stagedPath(one), 'compl');
    await stage(new LocalHost(), one);
    expect(readFileSync(stagedPath(one), 'utf8')).toBe('complete');
  });

  test('a link that waits in its place is not followed', async () => {
    const folder = temporaryFolder();
    const one = file(join(folder, 'etcd'), 'content');
    writeFileSync(join(folder, 'victim'), 'content');
    symlinkSync(join(folder, 'victim'), stagedPath(one));
    await stage(new LocalHost(), one);
    expect(statSync(join(folder, 'victim')).mode & 0o777).not.toBe(0o640);
    expect(readFileSync(stagedPath(one), 'utf8')).toBe('content');
  });

  test('a wrong digest is an error, and nothing stays', async () => {
    const folder = temporaryFolder();
    const bytes = randomBytes(2_000_000);
    const wrong = streamed(join(folder, 'etcd'), bytes, { sha256: 'a'.repeat(64) });
    const error = await refusal(stage(new LocalHost('node1'), wrong));
    expect(error.what).toBe(`${folder}/etcd did not arrive whole on node1`);
    expect(readdirSync(folder)).toEqual([]);
    const shorter = streamed(join(folder, 'etcd'), bytes);
    writeFileSync((shorter.content as { file: string }).file, bytes.subarray(0, 1_500_000));
    expect((await refusal(stage(new LocalHost('node1'), shorter))).what).toMatch(/did not arrive whole/);
    const small = file(join(folder, 'small'), 'text', { sha256: 'b'.repeat(64) });
    const errors = await refusal(stageMany(new LocalHost('node1'), [small, file(join(folder, 'next'), 'x')]));
    expect(errors.what).toMatch(/did not arrive whole/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file here that cannot be read is an error', async () => {
    const folder = temporaryFolder();
    const gone = file(join(folder, 'etcd'), 'x', {
      content: { file: join(folder, 'gone'), size: 2_000_000 },
    });
    const error = await refusal(stage(new LocalHost('node1'), gone));
    expect(error.what).toBe(`cannot read what should be uploaded to node1 as ${folder}/etcd`);
    expect(error.why).toMatch(/ENOENT/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('the reason of a failure is the real one', async () => {
    const folder = temporaryFolder();
    const host = new LocalHost('node1');
    const missing = await refusal(stage(host, file(join(folder, 'none', 'etcd'), 'x')));
    expect([missing.what, missing.why]).toEqual([
      `cannot upload ${folder}/none/etcd to node1`,
      'its folder does not exist',
    ]);
    const nobody = await refusal(stage(host, file(join(folder, 'etcd'), 'x', { owner: 'no-such-user' })));
    expect(nobody.why).toBe('its owner does not exist there');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a full disk is told as one', async () => {
    // /dev/full takes no byte; a staged file is made new, so a folder that leads there needs a program in between.
    const folder = temporaryFolder();
    const bin = temporaryFolder();
    writeFileSync(join(bin, 'cat'), '#!/bin/sh\nexec /bin/cat >/dev/full\n', { mode: 0o755 });
    const host = new LocalHost('node1', { PATH: `${bin}:${process.env.PATH}` });
    const error = await refusal(stage(host, file(join(folder, 'etcd'), 'x')));
    expect([error.what, error.why]).toEqual([`cannot upload ${folder}/etcd to node1`, 'the disk is full']);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('under SELinux the staged file gets the label of its target', async () => {
    const bin = temporaryFolder();
    const log = join(bin, 'log');
    const program = (name: string, body: string) =>
      writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    program('selinuxenabled', 'exit 0');
    program('matchpathcon', `echo "label-of-$2"`);
    program('chcon', `echo "$@" >>${log}`);
    const host = new LocalHost('node1', { PATH: `${bin}:${process.env.PATH}` });
    const one = file(join(temporaryFolder(), 'etcd'), 'x');
    await stage(host, one);
    expect(readFileSync(log, 'utf8')).toBe(`label-of-${one.path} ${stagedPath(one)}\n`);
  });

  test('a secret is never part of a command', async () => {
    const host = new LocalHost();
    const folder = temporaryFolder();
    const secret = 'PRIVATE-KEY-MATERIAL';
    await stageMany(host, [file(join(folder, 'a.key'), secret), file(join(folder, 'b.key'), secret)]);
    expect(JSON.stringify(host.commands)).not.toContain(secret);
  });

  test('no files, no command', async () => {
    const host = new LocalHost();
    expect((await stageMany(host, [])).size).toBe(0);
    expect(host.commands).toEqual([]);
  });
});

describe('upload', () => {
  test('replaces a file in one step', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'etcd.conf');
    writeFileSync(path, 'before');
    await upload(new LocalHost(), file(path, 'after', { mode: 0o600 }));
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['etcd.conf']);
  });

  test('leaves the file alone, and nothing behind, when it cannot', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'etcd.conf'));
    const error = await refusal(upload(new LocalHost('node1'), file(join(folder, 'etcd.conf'), 'x')));
    expect(error.why).toBe('a folder is in its place');
    expect(readdirSync(folder)).toEqual(['etcd.conf']);
  });
});

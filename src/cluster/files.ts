import { posix, resolve } from 'node:path';
import { Mistake, type Read } from './mistake.ts';

/**
 * A path on a host. It lands in units, environment files and scripts, so it may hold only what means nothing special
 * to systemd, to a shell or to etcd; and it is written in the one way that its comparison expects.
 */
export const readHostPath: Read<string> = (text) => {
  if (!text.startsWith('/')) return new Mistake(`"${text}" is not an absolute path`);
  if (text.split('/').includes('..')) return new Mistake(`"${text}" goes up with ".."`);
  const strange = /[^A-Za-z0-9/._+-]/u.exec(text)?.[0];
  if (strange !== undefined) {
    return new Mistake(
      `${JSON.stringify(text)} holds ${JSON.stringify(strange)}; use a-z, A-Z, 0-9 and / . _ + -`,
    );
  }
  const tidy = posix.normalize(text).replace(/(?<=.)\/$/, '');
  return tidy === text ? text : new Mistake(`"${text}" has parts that say nothing; write ${tidy}`);
};

/** Folders that belong to the system: kbin never takes one over whole. */
const systemFolders = [
  ...[
    '/',
    '/bin',
    '/boot',
    '/dev',
    '/etc',
    '/home',
    '/lib',
    '/lib64',
    '/media',
    '/mnt',
    '/opt',
    '/proc',
    '/root',
  ],
  ...[
    '/run',
    '/sbin',
    '/srv',
    '/sys',
    '/tmp',
    '/usr',
    '/usr/bin',
    '/usr/lib',
    '/usr/local',
    '/usr/local/bin',
  ],
  ...['/usr/sbin', '/usr/share', '/var', '/var/cache', '/var/lib', '/var/log', '/var/run', '/var/tmp'],
  ...['/etc/systemd', '/etc/systemd/system', '/etc/ssl', '/etc/pki', '/etc/ssh'],
];

/** A folder on a host that is the component's own, with everything in it. `name`: what it may be called. */
export function readOwnFolder(name: string): Read<string> {
  return (text) => {
    const path = readHostPath(text);
    if (path instanceof Mistake || !systemFolders.includes(path)) return path;
    return new Mistake(
      `"${text}" belongs to the system; name a folder of its own, such as ${path === '/' ? '' : path}/${name}`,
    );
  };
}

/** `inner` lies below `outer`. */
export function liesIn(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`);
}

/** Where relative paths and `~` of a cluster.yaml start. */
export interface Home {
  readonly folder: string;
  readonly home: string;
}

/** A file or folder on the operator's machine, absolute: `~` and paths relative to cluster.yaml are resolved. */
export function localPath(text: string, { folder, home }: Home): string {
  if (text === '~') return home;
  return text.startsWith('~/') ? resolve(home, text.slice(2)) : resolve(folder, text);
}

export const readLocalPath: Read<string> = (text) => {
  if (text === '' || text.includes('\0') || text.includes('\n'))
    return new Mistake(`${JSON.stringify(text)} is not a path`);
  if (/^~[^/]/.test(text)) return new Mistake(`"${text}": only ~/ is known, not other people's homes`);
  return text;
};

/** The folder that an absolute path lies in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/**
 * Folders that belong to the system: they are there, with the mode and owner that the distribution gave them (Debian's
 * /usr/local/bin is 2775 root:staff), and kbin has no business with them.
 */
export function isSystemFolder(path: string): boolean {
  return systemFolders.has(path);
}

const systemFolders: ReadonlySet<string> = new Set([
  '/',
  ...['/bin', '/sbin', '/usr', '/usr/bin', '/usr/sbin', '/usr/lib', '/usr/libexec'],
  ...['/usr/local', '/usr/local/bin', '/usr/local/sbin', '/usr/local/etc', '/usr/local/lib'],
  ...['/etc', '/etc/systemd', '/etc/systemd/system', '/lib/systemd/system', '/usr/lib/systemd/system'],
  ...['/usr/local/lib/systemd/system', '/run', '/run/systemd/system'],
  ...['/opt', '/srv', '/mnt', '/media', '/home', '/root', '/tmp', '/data'],
  ...[
    '/var',
    '/var/lib',
    '/var/log',
    '/var/tmp',
    '/var/opt',
    '/etc/ssl',
    '/etc/pki',
    '/etc/default',
    '/etc/sysconfig',
  ],
]);

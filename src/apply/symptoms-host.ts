import type { Symptom } from './likely-cause.ts';

type HostSymptom = (typeof names)[number];

const names = [
  'port-taken',
  'address-missing',
  'wrong-architecture',
  'missing-library',
  'not-executable',
  'no-such-user',
  'bad-environment-file',
  'permission-denied',
  'missing-file',
  'disk-full',
  'out-of-memory',
] as const;

/** What systemd, the kernel and any program in Go print, by code. systemd's exit statuses: systemd.exec(5). */
export const hostSymptoms: Readonly<Record<HostSymptom, Symptom>> = {
  'port-taken': {
    code: 'port-taken',
    sign: /listen tcp (\S+): bind: address already in use/,
    why: 'another program already listens on $1',
    next: 'See which one it is with `ss -ltnp` on the host; stop it, or choose other ports in cluster.yaml.',
  },
  'address-missing': {
    code: 'address-missing',
    sign: /listen tcp (\S+): bind: cannot assign requested address/,
    why: 'the host does not have the address $1',
    next: "Correct the host's address in cluster.yaml, or give the host that address.",
  },
  'wrong-architecture': {
    code: 'wrong-architecture',
    sign: /Exec format error|cannot execute binary file/i,
    why: "the binary is built for another processor than the host's",
    next: "Set `architecture` of this host in cluster.yaml and give a source with that architecture's binaries.",
  },
  'missing-library': {
    code: 'missing-library',
    sign: /error while loading shared libraries: ([^:]+):|version [`'](GLIBC\S+)' not found/,
    why: 'the binary needs a library that the host does not have ($1)',
    next: 'Use the statically linked official release, or install that library on the host.',
  },
  'not-executable': {
    code: 'not-executable',
    sign: /status=203\/EXEC|Unable to locate executable '([^']+)'/,
    why: 'systemd cannot run the binary: it is missing, not executable, or on a file system mounted noexec',
    next: 'Look at the path in ExecStart of the unit, and at the mount options of its file system.',
  },
  'no-such-user': {
    code: 'no-such-user',
    sign: /status=217\/USER|Failed to determine user credentials/,
    why: 'the user that the unit runs as does not exist',
    next: 'Run kbin again: it creates the account. Look for a drop-in of the unit that names another user.',
  },
  'bad-environment-file': {
    code: 'bad-environment-file',
    sign: /Failed to load environment files: (.*)/,
    why: 'systemd cannot read the environment file ($1)',
    next: 'Look at EnvironmentFile= of the unit and at who may read that file.',
  },
  'permission-denied': {
    code: 'permission-denied',
    sign: /(?:open|mkdir|stat|unlink|cannot access data directory:?) ?(\S*?):? permission denied|permission denied/,
    why: "the unit's user may not read or write $1",
    next: 'Look at the owner of the files and of every folder above; SELinux denials are in `ausearch -m avc`.',
  },
  'missing-file': {
    code: 'missing-file',
    sign: /open (\S+): no such file or directory/,
    why: 'the file $1 is missing',
    next: 'Run kbin again: it brings what is missing. Look for a drop-in that names another path.',
  },
  'disk-full': {
    code: 'disk-full',
    sign: /no space left on device|disk quota exceeded/,
    why: 'the file system of the data directory or of the log is full',
    next: 'Free some space on the host and run kbin again.',
  },
  'out-of-memory': {
    code: 'out-of-memory',
    sign: /oom-kill|OOM killer|cannot allocate memory|out of memory/i,
    why: 'the host ran out of memory',
    next: 'Give the host more memory or the unit a higher limit.',
  },
};

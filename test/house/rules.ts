/**
 * Which part of kbin may know which, as data. Imports go one way:
 *
 *     cluster <- desired <- diff <- health <- { apply, verify } <- cli <- main
 *
 * with ca, remote, binaries and observe at the side: they know the nouns and no room of that line. cfssl speaks cfssl's
 * language to ca, for cli alone.
 */

/** Rooms that a room may import anything of. Nouns are everybody's. */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  cluster: [],
  desired: ['cluster', 'pki', 'units'],
  diff: ['cluster', 'desired'],
  health: ['cluster', 'desired', 'diff'],
  apply: ['cluster', 'desired', 'diff', 'health', 'observe', 'remote'],
  verify: ['cluster', 'desired', 'diff', 'health', 'observe', 'remote'],
  ca: ['pki'],
  cfssl: ['ca', 'pki', 'cluster'],
  remote: [],
  binaries: [],
  observe: [],
  cli: [
    'cluster',
    'desired',
    'diff',
    'health',
    'apply',
    'verify',
    'ca',
    'cfssl',
    'remote',
    'binaries',
    'observe',
    'pki',
  ],
  main: ['cli'],
  pki: [],
  units: [],
};

/** Plain data and interfaces that the rooms talk to each other in. */
export const nouns: readonly string[] = [
  'src/errors.ts',
  'src/cluster/cluster.ts',
  'src/desired/desired.ts',
  'src/desired/certificate-plan.ts',
  'src/desired/store-view.ts',
  'src/observe/observed.ts',
  'src/diff/changes.ts',
  'src/health/check.ts',
  'src/remote/host.ts',
];

/** Nouns that come with an implementation: others import their types only. */
export const typesOnly: readonly string[] = ['src/cli/io.ts'];

/** Where each library lives. What is not here is in no room yet. */
export const homes: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['health'],
  '@peculiar/x509': ['ca'],
  cockatiel: ['health'],
  commander: ['cli'],
  diff: ['diff'],
  etcd3: ['health'],
  'fastest-levenshtein': ['cluster'],
  // Addresses are read at the door, and written into certificates.
  'ipaddr.js': ['cluster', 'ca', 'pki', 'cfssl'],
  mustache: ['desired'],
  'node-forge': ['ca'],
  'reflect-metadata': ['ca'],
  'ssh-config': ['remote'],
  ssh2: ['remote'],
  'tar-stream': ['binaries'],
  // Read at the door; written for kubeadm.
  yaml: ['cluster', 'cli'],
  zod: ['cluster'],
};

/** What only some files may do, by the text that does it. */
export const reserved: readonly { readonly what: RegExp; readonly where: RegExp; readonly why: string }[] = [
  { what: /\bprocess\.exit\b/, where: /^src\/main\.ts$/, why: 'only main ends the process' },
  {
    what: /\bconsole\.|\bprocess\.(stdout|stderr)\b/,
    where: /^src\/cli\//,
    why: 'only src/cli prints',
  },
  {
    what: /\bprocess\.(env|argv|stdin)\b/,
    // binaries: the cache folder and proxies, for callers that do not pass them.
    where: /^src\/(cli|binaries)\/|^src\/main\.ts$/,
    why: 'the environment is passed in, so that tests can say what it is',
  },
];

/** Names that say nothing. */
export const emptyNames =
  /(^|[-/])(utils?|helpers?|(?<!controller-)managers?|misc|common|shared|stuff)([-./]|$)/;

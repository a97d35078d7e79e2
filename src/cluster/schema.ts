import * as z from 'zod/mini';
import { readAddress, readCidr } from './address.ts';
import { architectures, authorityIds, encryptionProviders, keyAlgorithms, roles } from './cluster.ts';
import { readHostPath, readLocalPath, readOwnFolder } from './files.ts';
import { layoutNames } from './layouts.ts';
import {
  readAccount,
  readAddressOrName,
  readBoolean,
  readClusterName,
  readDnsName,
  readHostName,
  readJumpHost,
  readLine,
  readLogin,
  readOneOf,
  readSan,
} from './names.ts';
import { readInteger, readMilliseconds, readPort, readSeconds, readSize, readValidity } from './quantity.ts';
import {
  readCompaction,
  readCountry,
  readDigest,
  readEndpointUrl,
  readInterface,
  readMetricsUrl,
  readResource,
  readWebUrl,
} from './settings.ts';
import { list, mapping, record, value, valueOrList, wordOr } from './shape.ts';
import { readVersion } from './version.ts';

/**
 * The shape of cluster.yaml: which keys there are and how the text of each is read. Everything is optional here, so
 * that a draft with holes can still be looked at by the rules (rules.ts), which also say what is missing; defaults are
 * filled in last (defaults.ts). `kbin init` writes the same keys with a comment each (src/cli/init-text.ts).
 */

const gibibyte = 1024 ** 3;

const sshKeys = {
  user: value(readLogin),
  port: value(readPort),
  identityFile: value(readLocalPath),
  passphraseFile: value(readLocalPath),
  agent: value(readBoolean),
  jumpHost: value(readJumpHost),
  knownHosts: value(readLocalPath),
  sudoPasswordFile: value(readLocalPath),
  connectTimeout: value(readSeconds(1, 600)),
  commandTimeout: value(readSeconds(1, 24 * 3600)),
  keepAlive: value(readSeconds(1, 600)),
};

const host = mapping({
  name: value(readHostName),
  address: value(readAddress),
  roles: list(readOneOf(roles)),
  architecture: value(readOneOf(architectures, { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' })),
  ssh: z.optional(mapping({ host: value(readAddressOrName), ...sshKeys })),
});

function sourceWord(word: string): Record<string, string> {
  if (word === 'download') return {};
  return /^https?:\/\//.test(word) ? { url: word } : { path: word };
}

const source = wordOr(sourceWord, {
  path: value(readLocalPath),
  url: value(readWebUrl),
  sha256: value(readDigest(256)),
  sha512: value(readDigest(512)),
});

const etcd = mapping({
  version: value(readVersion),
  source,
  user: value(readAccount),
  group: value(readAccount),
  clientPort: value(readPort),
  peerPort: value(readPort),
  metricsUrl: value(readMetricsUrl),
  token: value(readLine(100)),
  heartbeatInterval: value(readMilliseconds(10, 10_000)),
  electionTimeout: value(readMilliseconds(50, 50_000)),
  snapshotCount: value(readInteger(100, 10_000_000)),
  quotaBackendBytes: value(readSize(64 * 1024 ** 2, 1024 * gibibyte)),
  maxRequestBytes: value(readSize(1024, gibibyte)),
  autoCompaction: value(readCompaction),
  logLevel: value(readOneOf(['debug', 'info', 'warn', 'error'])),
  environment: record(value(readLine(4096))),
  reach: value(readOneOf(['direct', 'ssh'])),
});

const paths = wordOr((word) => ({ layout: word }), {
  layout: value(readOneOf(layoutNames)),
  units: value(readHostPath),
  etcd: z.optional(
    mapping({
      bin: value(readHostPath),
      config: value(readHostPath),
      tls: value(readOwnFolder('etcd')),
      data: value(readOwnFolder('etcd')),
      wal: value(readOwnFolder('etcd')),
    }),
  ),
  kubernetes: z.optional(
    mapping({
      bin: value(readHostPath),
      config: value(readOwnFolder('kubernetes')),
      tls: value(readOwnFolder('kubernetes')),
      audit: value(readOwnFolder('kubernetes')),
    }),
  ),
});

const component = z.optional(
  mapping({ user: value(readAccount), flags: record(valueOrList(readLine(4096))) }),
);

const kubernetes = mapping({
  version: value(readVersion),
  source,
  serviceCidr: value(readCidr),
  podCidr: value(readCidr),
  dnsDomain: value(readDnsName),
  apiserverPort: value(readPort),
  shutdownDelay: value(readSeconds(0, 600)),
  encryption: wordOr((word) => ({ provider: word }), {
    provider: value(readOneOf([...encryptionProviders, 'off'])),
    resources: list(readResource),
  }),
  audit: wordOr((word) => ({ policy: word }), {
    policy: value(readLocalPath),
    maxAge: value(readInteger(0, 36_500)),
    maxBackups: value(readInteger(0, 100_000)),
    maxSize: value(readInteger(1, 1_000_000)),
  }),
  apiserver: component,
  controllerManager: component,
  scheduler: component,
});

const endpoint = mapping({
  address: value(readAddressOrName),
  port: value(readPort),
  loadBalancer: value(readOneOf(['haproxy', 'nginx'])),
  interface: value(readInterface),
});

const hundredYears = 100 * 8760;

const pki = mapping({
  key: value(readOneOf(keyAlgorithms)),
  validity: z.optional(
    mapping({
      ca: value(readValidity(1, hundredYears)),
      leaf: value(readValidity(1, hundredYears)),
      crl: value(readValidity(1, hundredYears)),
    }),
  ),
  subject: z.optional(
    mapping({
      C: value(readCountry),
      ST: value(readLine(128)),
      L: value(readLine(128)),
      O: value(readLine(64)),
      OU: value(readLine(64)),
    }),
  ),
  reserve: list(readAddressOrName),
  offline: list(readOneOf(authorityIds)),
  extraSans: record(list(readSan)),
});

/** A cluster that kbin did not deploy: read by external.ts, and of no account here. */
export const external = mapping({
  etcd: z.optional(
    mapping({
      endpoints: list(readEndpointUrl),
      ca: value(readLocalPath),
      cert: value(readLocalPath),
      key: value(readLocalPath),
    }),
  ),
});

export const clusterShape = mapping({
  name: value(readClusterName),
  hosts: z.optional(z.array(z.optional(host))),
  ssh: z.optional(
    mapping({ ...sshKeys, parallel: value(readInteger(1, 1000)), maxClockSkew: value(readSeconds(0, 3600)) }),
  ),
  etcd: z.optional(etcd),
  kubernetes: z.optional(kubernetes),
  endpoint: z.optional(endpoint),
  pki: z.optional(pki),
  paths,
  external: z.optional(external),
});

/** cluster.yaml with its values read, and with holes: what was not given, and what was given wrong. */
export type Draft = z.infer<typeof clusterShape>;
export type HostDraft = z.infer<typeof host>;

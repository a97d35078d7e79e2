import { describe, expect, it } from 'vitest';
import { parseCluster, parseClusterWithWarnings } from '../../src/cluster/load.ts';
import { exitCode, KbinError } from '../../src/errors.ts';

const where = { file: 'c.yaml', folder: '/x', home: '/home/me' };

function mistakes(text: string): readonly string[] {
  try {
    parseCluster(text, where);
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    expect(error.details.exit).toBe(exitCode.usage);
    const [head, ...lines] = error.message.split('\n');
    expect(head).toBe(lines.length === 1 ? 'c.yaml has a mistake' : `c.yaml has ${lines.length} mistakes`);
    return lines;
  }
  return [];
}

/** A good file of four lines, of which a case replaces some. */
function text(lines: { name?: string; hosts?: string; etcd?: string; more?: string }): string {
  const good = {
    name: 'name: a',
    hosts: 'hosts: [{ name: n, address: 10.0.0.1 }]',
    etcd: 'etcd: { version: 3.6.5 }',
    more: '',
  };
  return Object.values({ ...good, ...lines }).join('\n');
}

/** The key's value, and what is said of it. */
type Values = readonly (readonly [value: string, said: string])[];

const ofName: Values = [
  ['Prod', '"Prod" is not a name for a cluster: capital letters; write prod'],
  ['a_b', '"a_b" is not a name for a cluster: an underscore; use "-"'],
  ['a.b', '"a.b" is not a name for a cluster: use 1 to 63 of a-z, 0-9 and "-", not "-" at either end'],
  ['-a', '"-a" is not a name for a cluster: use 1 to 63 of a-z, 0-9 and "-", not "-" at either end'],
  ['[a]', 'expected a single value, found a list'],
  ['{ a: b }', 'expected a single value, found a mapping'],
  ['""', '"" is not a name for a cluster: use 1 to 63 of a-z, 0-9 and "-", not "-" at either end'],
];

const ofHostName: Values = [
  ['Node1', '"Node1" is not a host name (RFC 1123): capital letters; write node1'],
  ['node_1', '"node_1" is not a host name (RFC 1123): an underscore; use "-"'],
  ['10.0.0.1', '"10.0.0.1" is not a host name (RFC 1123): it reads as an IP address'],
  ['x'.repeat(65), `"${'x'.repeat(65)}" is not a host name (RFC 1123): longer than 64 characters`],
  [
    'a..b',
    '"a..b" is not a host name (RFC 1123): use 1 to 63 of a-z, 0-9 and "-", not "-" at either end, with dots between such parts',
  ],
];

const ofAddress: Values = [
  ['010.0.0.1', '"010.0.0.1" has leading zeros, which some programs read as octal; write 10.0.0.1'],
  ['10.0.0', '"10.0.0" is not an IPv4 address: four numbers of 0 to 255 with dots between'],
  ['10.0.0.256', '"10.0.0.256" is not an IPv4 address: four numbers of 0 to 255 with dots between'],
  ['10.0.0.1.', '"10.0.0.1." is not an IPv4 address: four numbers of 0 to 255 with dots between'],
  ['167772161', '"167772161" is not an IPv4 address: four numbers of 0 to 255 with dots between'],
  ['0x0a000001', '"0x0a000001" is not an IP address'],
  ['"::ffff:1.2.3.4"', '"::ffff:1.2.3.4" is an IPv4 address in IPv6 dress; write 1.2.3.4'],
  ['"::ffff:102:304"', '"::ffff:102:304" is an IPv4 address in IPv6 dress; write 1.2.3.4'],
  ['"::1.2.3.4"', '"::1.2.3.4" is an IPv4 address in IPv6 dress; write 1.2.3.4'],
  ['fe80::1%eth0', '"fe80::1%eth0" has a zone, which means something on one host only'],
  ['fe80::1', '"fe80::1" is link-local: other hosts cannot use it without a zone'],
  ['169.254.1.1', '"169.254.1.1" is link-local: other hosts cannot use it without a zone'],
  ['0.0.0.0', '"0.0.0.0" is the unspecified address, not that of a host'],
  ['"::"', '"::" is the unspecified address, not that of a host'],
  ['224.0.0.1', '"224.0.0.1" is a multicast address, not that of a host'],
  ['ff02::1', '"ff02::1" is a multicast address, not that of a host'],
  ['255.255.255.255', '"255.255.255.255" is the broadcast address, not that of a host'],
  ['1::2::3', '"1::2::3" is not an IP address'],
  ['"12345::"', '"12345::" is not an IP address'],
  ['n1.example.org', '"n1.example.org" is not an IP address'],
  ['10.0.0.1/24', '"10.0.0.1/24" is not an IP address'],
];

const ofVersion: Values = [
  ['3.6', '"3.6" is not a whole version; write MAJOR.MINOR.PATCH'],
  ['3.10', '"3.10" is not a whole version; write MAJOR.MINOR.PATCH'],
  ['3', '"3" is not a whole version; write MAJOR.MINOR.PATCH'],
  ['03.6.5', '"03.6.5" is not a version; write MAJOR.MINOR.PATCH'],
  ['latest', '"latest" is not a version; write MAJOR.MINOR.PATCH'],
  ['3.5.0', 'etcd 3.5.0 can corrupt data when it is killed; 3.5.3 mends it'],
  ['v3.5.2', 'etcd 3.5.2 can corrupt data when it is killed; 3.5.3 mends it'],
];

const ofSource: Values = [
  ['[a]', 'expected a mapping, found a list'],
  ['~bob/etcd', '"~bob/etcd": only ~/ is known, not other people\'s homes'],
];

const ofPort: Values = [
  ['0', '"0" is not a port of 1 to 65535'],
  ['65536', '"65536" is not a port of 1 to 65535'],
  ['02379', '"02379" has leading zeros, which some programs read as octal; write 2379'],
  ['2.379e3', '"2.379e3" is not a port of 1 to 65535'],
  ['-1', '"-1" is not a port of 1 to 65535'],
  ['https', '"https" is not a port of 1 to 65535'],
];

const ofSize: Values = [
  ['8GB', '"8GB" may mean 1000 or 1024; write 8GiB'],
  ['8g', '"8g" may mean 1000 or 1024; write 8GiB'],
  ['8 Gibibytes', '"8 Gibibytes" is not a size; write for example 64MiB or 1TiB'],
  ['8.5GiB', '"8.5GiB" is not a size; write for example 64MiB or 1TiB'],
  ['1MiB', '"1MiB" is out of range; 64MiB to 1TiB'],
];

const ofMetrics: Values = [
  [
    'http://0.0.0.0:2381',
    '"http://0.0.0.0:2381" is not a plain loopback address; write http://127.0.0.1:2381, or off',
  ],
  [
    'https://127.0.0.1:2381',
    '"https://127.0.0.1:2381" is not a plain loopback address; write http://127.0.0.1:2381, or off',
  ],
  [
    'http://127.0.0.1',
    '"http://127.0.0.1" is not a plain loopback address; write http://127.0.0.1:2381, or off',
  ],
];

const ofValidity: Values = [
  ['{ ca: 20 years }', '"20 years" is not a duration; write for example 10y, 365d or 87600h'],
  ['{ ca: 1y6 }', '"1y6" is not a duration; write for example 10y, 365d or 87600h'],
  ['{ ca: 10m }', '"10m" is not a duration; write for example 10y, 365d or 87600h'],
  ['{ ca: 0h }', '"0h" is out of range; 1h to 100y'],
  ['{ ca: 101y }', '"101y" is out of range; 1h to 100y'],
];

const ofCidr: Values = [
  ['10.96.0.1/12', '"10.96.0.1/12" has bits behind its length of 12; the subnet is 10.96.0.0/12'],
  ['fd01::1/112', '"fd01::1/112" has bits behind its length of 112; the subnet is fd01::/112'],
  ['10.96.0.0/33', '"10.96.0.0/33" is not a subnet; write ADDRESS/LENGTH with a length of 0 to 32'],
  ['10.96.0.0', '"10.96.0.0" is not a subnet; write ADDRESS/LENGTH with a length of 0 to 32'],
  ['10.96.0.0/08', '"10.96.0.0/08" is not a subnet; write ADDRESS/LENGTH with a length of 0 to 32'],
  ['10.96.0.0/12/1', '"10.96.0.0/12/1" is not a subnet; write ADDRESS/LENGTH with a length of 0 to 32'],
  ['10.96.0.0/30', '10.96.0.0/30 is too small: kube-apiserver wants 8 addresses or more'],
  ['10.0.0.0/24', '10.0.0.0/24 holds the address 10.0.0.1 of n; it must lie outside; see line 2'],
];

const ofFolder: Values = [
  ['etc/pki', '"etc/pki" is not an absolute path'],
  ['/etc/../x', '"/etc/../x" goes up with ".."'],
  ['/etc//pki/', '"/etc//pki/" has parts that say nothing; write /etc/pki'],
  ['"/etc/e t"', '"/etc/e t" holds " "; use a-z, A-Z, 0-9 and / . _ + -'],
  ['"/etc/e\\nt"', '"/etc/e\\nt" holds "\\n"; use a-z, A-Z, 0-9 and / . _ + -'],
  ['/etc/$(id)', '"/etc/$(id)" holds "$"; use a-z, A-Z, 0-9 and / . _ + -'],
  ['/etc/%i', '"/etc/%i" holds "%"; use a-z, A-Z, 0-9 and / . _ + -'],
  ['/', '"/" belongs to the system; name a folder of its own, such as /etcd'],
  ['/var/lib', '"/var/lib" belongs to the system; name a folder of its own, such as /var/lib/etcd'],
  ['/var/lib/etcd', '"/var/lib/etcd" is the path of two things; see paths.etcd.data, by default'],
];

const tables: readonly (readonly [at: string, (value: string) => string, Values])[] = [
  ['1:7: name', (v) => text({ name: `name: ${v}` }), ofName],
  ['2:17: hosts[0].name', (v) => text({ hosts: `hosts: [{ name: ${v}, address: 10.0.0.1 }]` }), ofHostName],
  ['2:20: hosts[0].address', (v) => text({ hosts: `hosts: [{ address: ${v}, name: n }]` }), ofAddress],
  ['3:18: etcd.version', (v) => text({ etcd: `etcd: { version: ${v} }` }), ofVersion],
  ['3:17: etcd.source', (v) => text({ etcd: `etcd: { source: ${v}, version: 3.6.5 }` }), ofSource],
  ['3:21: etcd.clientPort', (v) => text({ etcd: `etcd: { clientPort: ${v}, version: 3.6.5 }` }), ofPort],
  [
    '3:28: etcd.quotaBackendBytes',
    (v) => text({ etcd: `etcd: { quotaBackendBytes: ${v}, version: 3.6.5 }` }),
    ofSize,
  ],
  ['3:21: etcd.metricsUrl', (v) => text({ etcd: `etcd: { metricsUrl: ${v}, version: 3.6.5 }` }), ofMetrics],
  ['4:24: pki.validity.ca', (v) => text({ more: `pki: { validity: ${v} }` }), ofValidity],
  ['4:28: kubernetes.serviceCidr', (v) => text({ more: `kubernetes: { serviceCidr: ${v} }` }), ofCidr],
  ['4:23: paths.etcd.tls', (v) => text({ more: `paths: { etcd: { tls: ${v} } }` }), ofFolder],
];

describe('one wrong value is said with its place, what it is, and what would do', () => {
  for (const [at, file, values] of tables) {
    it.each(values.map(([value, said]) => ({ value, said })))(`${at}: $value`, ({ value, said }) => {
      expect(mistakes(file(value))).toEqual([`c.yaml:${at}: ${said}`]);
    });
  }
});

const tooLong = '" is not a name for a cluster: use 1 to 63 of a-z, 0-9 and "-", not "-" at either end';

/** A whole file, and everything that is said of it. */
const files: Record<string, readonly [text: string, said: readonly string[]]> = {
  'every mistake at once, in the order of the lines': [
    `nme: a
hosts:
  - { name: n1, adress: 10.0.0.1, roles: [etc, etcd, etcd] }
  - { name: n1, address: 10.0.0.2, roles: etcd }
  - { name: n2, address: 10.0.0.2, ssh: { prot: 22, agent: yes } }
  - n3
  - { name: n4, architecture: x86_64 }
etcd: { version: 3.6.5, quota_backend_bytes: 8GiB, logLevel: warning, reach: directly }
pki: { key: rsa2048, subject: { C: Germany, X: y } }
endpoint: {}
`,
    [
      '1:1: unknown key "nme"; did you mean "name"?',
      '3:17: hosts[0]: unknown key "adress"; did you mean "address"?',
      '3:43: hosts[0].roles[0]: "etc" is not one of etcd, control-plane, worker, load-balancer; did you mean "etcd"?',
      '3:54: hosts[0].roles[2]: "etcd" is there twice; see line 3',
      '4:13: hosts[1].name: "n1" is there twice; see line 3',
      '4:43: hosts[1].roles: expected a list, found "etcd"',
      '5:26: hosts[2].address: "10.0.0.2" is there twice; see line 4',
      '5:43: hosts[2].ssh: unknown key "prot"; did you mean "port"?',
      '5:60: hosts[2].ssh.agent: "yes" is neither true nor false',
      '6:5: hosts[3]: expected a mapping, found "n3"',
      '7:5: hosts[4].address: a host needs an address',
      '7:31: hosts[4].architecture: "x86_64" is not one of amd64, arm64; did you mean "amd64"?',
      '8:25: etcd: unknown key "quota_backend_bytes"; did you mean "quotaBackendBytes"?',
      '8:62: etcd.logLevel: "warning" is not one of debug, info, warn, error; did you mean "warn"?',
      '8:78: etcd.reach: "directly" is not one of direct, ssh; did you mean "direct"?',
      '9:13: pki.key: "rsa2048" is not one of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096; did you mean "rsa-2048"?',
      '9:36: pki.subject.C: "Germany" is not a country: two capital letters',
      '9:45: pki.subject: unknown key "X"; did you mean "C"?',
      '10:1: endpoint.address: an endpoint needs an address: a VIP, a load balancer or a DNS name',
    ],
  ],
  'nothing but a list': ['- a\n', ['1:1: expected a mapping, found a list']],
  'a single word': ['prod\n', ['1:1: expected a mapping, found "prod"']],
  'a bare beginning': [
    'kubernetes: {}\n',
    [
      '1:1: name: a cluster needs a name, such as "prod"',
      '1:1: hosts: a cluster needs hosts: a list of { name: …, address: … }',
    ],
  ],
  'no version of etcd': [
    'name: a\nhosts: [{ name: n, address: 10.0.0.1 }]\netcd:\n',
    ['3:1: etcd.version: an etcd version must be chosen, and stays until you change it; say 3.6.5'],
  ],
  'nobody keeps the data': [
    'name: a\nhosts: [{ name: n, address: 10.0.0.1, roles: [worker] }]\n',
    ['2:8: hosts: no host has the role etcd'],
  ],
  'a host without work': [
    'name: a\nhosts: [{ name: n, address: 10.0.0.1, roles: [] }, { name: m, address: 10.0.0.2 }]\netcd: { version: 3.6.5 }\n',
    ['2:46: hosts[0].roles: a host without a role has nothing to do'],
  ],
  'loopback among others': [
    'name: a\nhosts: [{ name: n, address: 127.0.0.1 }, { name: m, address: 10.0.0.2, roles: [worker] }]\netcd: { version: 3.6.5 }\n',
    ['2:29: hosts[0].address: "127.0.0.1" is loopback: only a cluster of one host can live on it'],
  ],
  'addresses that are the same in other words': [
    'name: a\nhosts: [{ name: n, address: "fd00::1" }, { name: m, address: "FD00:0:0::0001", roles: [worker] }]\netcd: { version: 3.6.5 }\n',
    ['2:62: hosts[1].address: "fd00::1" is there twice; see line 2'],
  ],
  'ports that meet': [
    text({ etcd: 'etcd: { version: 3.6.5, peerPort: 2379, metricsUrl: "http://127.0.0.1:6443" }' }),
    [
      '3:35: etcd.peerPort: port 2379 is taken already; see etcd.clientPort, by default',
      '3:53: etcd.metricsUrl: port 6443 is taken already; see kubernetes.apiserverPort, by default',
    ],
  ],
  'timeouts that etcd refuses': [
    text({ etcd: 'etcd: { version: 3.6.5, heartbeatInterval: 500ms }' }),
    [
      '3:44: etcd.heartbeatInterval: the election timeout (1000ms) must be 5 times the heartbeat (500ms) or more',
    ],
  ],
  'two sources, two digests': [
    text({
      etcd: `etcd: { version: 3.6.5, source: { path: a, url: "http://b", sha256: ${'0'.repeat(64)}, sha512: ab } }`,
    }),
    [
      '3:49: etcd.source.url: a path and a url: binaries come from one place; see line 3',
      `3:143: etcd.source.sha512: "ab" is not a SHA-512 digest: 128 hex digits`,
    ],
  ],
  'subnets that overlap': [
    text({ more: 'kubernetes: { serviceCidr: 10.96.0.0/12, podCidr: 10.100.0.0/16 }' }),
    ['4:51: kubernetes.podCidr: 10.100.0.0/16 and the serviceCidr 10.96.0.0/12 overlap'],
  ],
  'a virtual address that is somebody else’s': [
    text({ more: 'endpoint: { address: 10.0.0.1, loadBalancer: haproxy }' }),
    [
      '4:22: endpoint.address: "10.0.0.1" belongs to n; the balancers share an address of their own; see line 2',
    ],
  ],
  'a balancer on the port of the apiserver': [
    text({ more: 'endpoint: { address: 10.0.0.9, loadBalancer: haproxy, port: 6443 }' }),
    ['4:61: endpoint.port: port 6443 is taken already; see kubernetes.apiserverPort, by default'],
  ],
  'a path inside a folder that is switched whole': [
    text({ more: 'paths: { etcd: { bin: /etc/etcd/pki/bin, wal: /var/lib/etcd/wal } }' }),
    [
      '4:23: paths.etcd.bin: "/etc/etcd/pki/bin" lies in /etc/etcd/pki, which belongs to etcd.tls alone; see paths.etcd.tls, by default',
      '4:47: paths.etcd.wal: "/var/lib/etcd/wal" lies in /var/lib/etcd, which belongs to etcd.data alone; see paths.etcd.data, by default',
    ],
  ],
  'a variable of two lines': [
    text({ etcd: 'etcd: { version: 3.6.5, environment: { ETCD_CORS: "a\\nb", ETCD_X: [1] } }' }),
    [
      '3:51: etcd.environment.ETCD_CORS: "a\\nb" has a line break or a control character',
      '3:67: etcd.environment.ETCD_X: expected a single value, found a list',
    ],
  ],
  'a cluster that kbin did not deploy': [
    'external: { etcd: { endpoints: [10.0.0.1] } }\n',
    ['1:1: hosts: no hosts; a cluster that kbin did not deploy (external:) serves "kbin verify" only'],
  ],
  'a tab': ['name: a\n\thosts: []\n', ['2:1: a tab as indentation; YAML takes spaces only']],
  'a key twice': [
    text({ more: 'name: b' }),
    ['4:1: this key stands here a second time; the first one would be lost'],
  ],
  'two documents': [
    'name: a\n---\nname: b\n',
    ['2:1: a second document ("---"); one file describes one cluster'],
  ],
  'a tag': [text({ more: 'paths: !layout opt' }), ['4:8: Unresolved tag: !layout; kbin takes no tags']],
  'an anchor that is nowhere': [
    text({ more: 'paths: *opt' }),
    ['4:8: *opt: there is no such anchor before it'],
  ],
  'an anchor in itself': [
    text({ more: 'pki: &pki { reserve: [*pki] }' }),
    ['4:23: *pki: it stands inside what it refers to'],
  ],
  'a merge of a word': [
    text({ more: 'pki: { <<: word }' }),
    ['4:12: "<<" takes a mapping, or a list of mappings'],
  ],
  'a key that is a list': [text({ more: 'pki: { [a]: b }' }), ['4:8: a key must be a single word']],
  'an empty entry': [text({ more: 'pki: { reserve: [~] }' }), ['4:18: an empty entry in a list']],
  'a quote that does not end': [text({ more: 'pki: "x' }), ['4:8: Missing closing "quote']],
  'a value that wants quotes': [
    text({ more: 'pki: @x\nendpoint: a: b' }),
    [
      '4:6: Plain value cannot start with reserved character @; quote the value',
      '5:11: Nested mappings are not allowed in compact mappings; quote a value that holds ": "',
    ],
  ],
  'keys of two lines': [
    text({ more: '"a\\nb": 1\nvesion: 2' }),
    ['4:1: unknown key "a\\nb"', '5:1: unknown key "vesion"'],
  ],
  'what a terminal should not see': [
    '"a\\e[31m\\n\\u2028"\n',
    ['1:1: expected a mapping, found "a\\u001b[31m\\n\\u2028"'],
  ],
  'a whole book': [
    text({ name: `name: "${'x'.repeat(2000)}"` }),
    [`1:7: name: "${'x'.repeat(243)} … ${'x'.repeat(200 - tooLong.length)}${tooLong}`],
  ],
  'keys that JavaScript knows': [
    text({ more: '__proto__: { a: b }\nconstructor: x\ntoString: y' }),
    ['4:1: unknown key "__proto__"', '5:1: unknown key "constructor"', '6:1: unknown key "toString"'],
  ],
};

describe('whole files', () => {
  it.each(Object.keys(files))('%s', (name) => {
    const [file, said] = files[name] as (typeof files)[string];
    expect(mistakes(file)).toEqual(said.map((line) => `c.yaml:${line}`));
  });
});

const warned: Record<string, readonly [text: string, said: readonly string[]]> = {
  'two members': [
    'name: a\nhosts: [{ name: n, address: 10.0.0.1 }, { name: m, address: 10.0.0.2 }]\netcd: { version: 3.6.5 }\n',
    ['2:8: hosts: 2 etcd members, an even number: no more of them may fail than of 1; use 1 or 3'],
  ],
  'nine members': [
    `name: a\nhosts: [${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `{ name: n${n}, address: 10.0.0.${n} }`).join(', ')}]\netcd: { version: 3.6.5 }\n`,
    ['2:8: hosts: 9 etcd members: each write waits for more than half; use 3 or 5'],
  ],
  'an etcd of the future': [
    text({ etcd: 'etcd: { version: 3.8.0 }' }),
    ['3:18: etcd.version: etcd 3.8.0 is not among the versions that kbin knows: 3.4, 3.5, 3.6, 3.7'],
  ],
  'an etcd too old for its Kubernetes': [
    text({ etcd: 'etcd: { version: 3.5.23 }', more: 'kubernetes: { version: 1.34.0 }' }),
    ['3:18: etcd.version: Kubernetes 1.34.0 wants etcd 3.6.0, or at least 3.5.24'],
  ],
  'a large quota': [
    text({ etcd: 'etcd: { version: 3.6.5, quotaBackendBytes: 9GiB, maxRequestBytes: 11MiB }' }),
    [
      '3:44: etcd.quotaBackendBytes: more than 8GiB, the most that etcd recommends',
      '3:67: etcd.maxRequestBytes: more than 10MiB, the most that etcd recommends',
    ],
  ],
  'leaves that would outlive their CA': [
    text({ more: 'pki: { validity: { ca: 5y } }' }),
    ['4:18: pki.validity: a leaf never outlives its CA: certificates will be cut to the validity of the CA'],
  ],
};

describe('what is only warned of', () => {
  it.each(Object.keys(warned))('%s', (name) => {
    const [file, said] = warned[name] as (typeof warned)[string];
    expect(parseClusterWithWarnings(file, where).warnings).toEqual(said.map((line) => `c.yaml:${line}`));
  });
});

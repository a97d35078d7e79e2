import fc from 'fast-check';

/** Files as people write them, with what they get wrong; keys in any case, as Go reads them. */
export interface Case {
  readonly config: object | undefined;
  readonly profile: string | undefined;
  readonly request: object;
  readonly hostname: string | undefined;
  readonly cn: string | undefined;
}

const text = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[A-Za-z0-9 .:-]{1,20}$/) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'a*b',
      'x & y',
      'Müller',
      '日本',
      'me@x.y',
      "O'Neill (2)",
      'kube,apiserver',
      'a_b',
      ' ',
    ),
  },
);

const host = fc.oneof(
  { weight: 3, arbitrary: fc.domain() },
  { weight: 2, arbitrary: fc.ipV4() },
  { weight: 2, arbitrary: fc.ipV6() },
  { weight: 1, arbitrary: fc.webUrl({ withQueryParameters: true }) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z]{1,8}@[a-z]{1,8}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        'localhost',
        '*.example.com',
        'kubernetes.default.svc',
        '',
        'a b',
        '010.0.0.1',
        'localhost:80',
        '10.0.0.1:6443',
      ],
      ...[
        '::ffff:1.2.3.4',
        'fe80::1%eth0',
        'Bob <bob@x.y>',
        '"a b"@c',
        'spiffe://td/w',
        'urn:a:b',
        '/path',
        '//x',
        '*',
      ],
      ...[
        'http://x',
        'http://',
        'HTTP://X/a b',
        'http://x:ab/',
        'http://x/%zz',
        'file:///x',
        'a@b.',
        'a.b.@c',
        '1.2.3',
        '::',
      ],
      ...[
        'http://h/p?q#f',
        'http://u:p@h:1/',
        'foo:',
        '1a:b',
        'a_b:c',
        '0::1',
        '1:2:3:4:5:6:7::',
        '::1.2.3.4',
        'x;y',
        'ü.de',
      ],
      ...[
        '<a@b>',
        'a@[1.2.3.4]',
        'http://[::1]:80/x',
        'http://[::1',
        'http://a b/',
        '1.2.3.4/24',
        'k8s',
        '-a.b',
        'a..b',
        'mailto:a@b',
      ],
    ),
  },
);

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const name = fc.record(
  {
    C: fc.constantFrom('AT', 'US', 'x', ''),
    ST: text,
    L: text,
    O: text,
    OU: text,
    E: fc.constantFrom('me@example.com', 'x'),
    SerialNumber: fc.constant('17'),
    OID: fc.oneof(
      fc.constant({ '1.2.3.4': 'foo' }),
      fc.constant({ '2.5.4.10': 'own' }),
      fc.constant({ '2.5.4.12': 'Boß' }),
    ),
  },
  { requiredKeys: [] },
);

const ecKey = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ algo: 'ecdsa', size: 256 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ algo: 'ecdsa', size: 384 }, { algo: 'ecdsa', size: 521 }, {}, { size: 384 }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        { algo: 'ecdsa', size: 224 },
        { algo: 'ECDSA', size: 256 },
        { algo: 'rsa', size: 1024 },
        { algo: 'rsa' },
      ],
      ...[
        { algo: 'dsa' },
        { algo: 'ed25519' },
        null,
        { algo: 'rsa', size: 8193 },
        { algo: 'ecdsa', size: 0 },
      ],
    ),
  },
);

const request = fc.record(
  {
    CN: fc.oneof(text, fc.constantFrom('', null, 'kubernetes', 'system:node:a')),
    names: fc.array(name, { maxLength: 3 }),
    hosts: fc.array(host, { maxLength: 6 }),
    key: ecKey,
    serialnumber: fc.constantFrom('', 's-1', 'ß'),
    crl_url: fc.constantFrom('', 'http://crl.example/own'),
    extensions: fc.constantFrom(
      [],
      [{ Id: [1, 2, 3, 4], Critical: true, Value: 'BQA=' }],
      [{ Id: [2, 5, 29, 17], Value: 'MAWCA2EuYg==' }],
      [{ Id: [2, 5, 29, 37], Value: 'MAoGCCsGAQUFBwMC' }],
    ),
    unknown: fc.constant(1),
  },
  { requiredKeys: [] },
);

const expiry = fc.constantFrom(
  '1h',
  '8760h',
  '87600h',
  '1h30m',
  '1.5h',
  '90m10s',
  '262800h',
  '1d',
  '',
  '10y',
  '3600000ms',
  '.5h',
  '+2h',
);

const usage = fc.constantFrom(
  ...[
    'signing',
    'digital signature',
    'content commitment',
    'key encipherment',
    'key agreement',
    'data encipherment',
  ],
  ...[
    'cert sign',
    'crl sign',
    'encipher only',
    'decipher only',
    'any',
    'server auth',
    'client auth',
    'code signing',
  ],
  ...[
    'email protection',
    's/mime',
    'ipsec end system',
    'ipsec tunnel',
    'ipsec user',
    'timestamping',
    'ocsp signing',
  ],
  ...['microsoft sgc', 'netscape sgc', 'sever auth', 'Server Auth', ''],
);

const profile = fc.record(
  {
    usages: fc.array(usage, { maxLength: 5 }),
    expiry,
    backdate: fc.constantFrom('', '1h', '2m', '0s'),
    ca_constraint: fc.constantFrom(
      ...[
        { is_ca: true },
        { is_ca: true, max_path_len: 1 },
        { is_ca: true, max_path_len: 0, max_path_len_zero: true },
      ],
      ...[{ is_ca: false, max_path_len: 3 }, {}],
    ),
    issuer_urls: fc.constantFrom([], ['http://issuer.example/'], ['http://a/', 'http://b/']),
    ocsp_url: fc.constantFrom('', 'http://ocsp.example/'),
    crl_url: fc.constantFrom('', 'http://crl.example/'),
    ocsp_no_check: fc.boolean(),
    copy_extensions: fc.boolean(),
    not_before: fc.constantFrom('2026-01-02T03:04:05Z', '2020-02-29T00:00:00+02:00', '2060-01-01T00:00:00Z'),
    not_after: fc.constantFrom('2099-12-31T23:59:59Z', '2070-06-01T12:00:00.5-01:00'),
    name_whitelist: fc.constantFrom('', '.', '^[a-z0-9.*-]+$', '(?i)^KUBE|example|^$', 'nothing-fits'),
    policies: fc.constantFrom(
      [],
      [{ ID: '1.2.3' }],
      [
        {
          id: '2.999.1',
          Qualifiers: [
            { Type: 'id-qt-cps', Value: 'http://cps/' },
            { Type: 'id-qt-unotice', Value: 'sähr' },
          ],
        },
      ],
    ),
    CSRWhitelist: fc.record({
      Subject: fc.boolean(),
      PublicKey: fc.constant(true),
      PublicKeyAlgorithm: fc.constant(true),
      SignatureAlgorithm: fc.constant(true),
      DNSNames: fc.boolean(),
      IPAddresses: fc.boolean(),
      EmailAddresses: fc.boolean(),
      URIs: fc.boolean(),
    }),
    is_ca: fc.constant(true),
  },
  { requiredKeys: [] },
);

/** Most of them whole: where too much is wrong at once, nothing is left to compare. */
const soundProfile = fc
  .tuple(
    profile,
    fc.constantFrom('1h', '8760h', '1h30m', '90m10s'),
    fc.array(usage, { minLength: 1, maxLength: 5 }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([whole, hours, usages, dice]) =>
    Object.fromEntries(
      Object.entries({ ...whole, expiry: hours, usages: ['signing', ...usages] }).filter(
        ([key], index) => key === 'expiry' || key === 'usages' || (index + dice) % 3 === 0,
      ),
    ),
  );

const config = fc.record(
  {
    default: fc.oneof({ weight: 4, arbitrary: soundProfile }, { weight: 1, arbitrary: profile }),
    profiles: fc.dictionary(fc.constantFrom('www', 'client', 'peer'), soundProfile, {
      minKeys: 1,
      maxKeys: 3,
    }),
  },
  { requiredKeys: ['profiles'] },
);

/** `Signing`, `USAGES`, `cn`: Go takes them all. What is the user's own (profiles, identifiers) stays. */
function inAnyCase(value: unknown, dice: number, own = false): unknown {
  if (Array.isArray(value)) return value.map((entry) => inAnyCase(entry, dice));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry], index) => {
      const turn = (dice + index) % 5;
      const written = own ? key : turn === 0 ? key.toUpperCase() : turn === 1 ? key.toLowerCase() : key;
      return [written, inAnyCase(entry, dice + 1, key === 'profiles' || key === 'OID')];
    }),
  );
}

export const cases: fc.Arbitrary<Case> = fc
  .record({
    config: optional(config),
    profile: optional(fc.constantFrom('www', 'client', 'peer', 'wwww')),
    request,
    hostname: fc.option(
      fc.array(host, { minLength: 1, maxLength: 3 }).map((hosts) => hosts.join(',')),
      {
        nil: undefined,
        freq: 5,
      },
    ),
    cn: fc.option(text, { nil: undefined, freq: 5 }),
    dice: fc.integer({ min: 0, max: 20 }),
  })
  .map(({ config: signing, dice, request: csr, ...rest }) => ({
    ...rest,
    config: signing === undefined ? undefined : (inAnyCase({ signing }, dice) as object),
    request: inAnyCase(csr, dice) as object,
  }));

/** CSR files of CAs. */
export const authorities: fc.Arbitrary<object> = fc
  .tuple(
    request,
    fc.record(
      {
        expiry: fc.constantFrom('8760h', '87600h', '1h', '', '43800h', 'x', '100d'),
        backdate: fc.constantFrom('', '1h'),
        pathlen: fc.constantFrom(0, 1, 3, -1),
        pathlenzero: fc.boolean(),
        unknown: fc.constant(''),
      },
      { requiredKeys: [] },
    ),
    fc.integer({ min: 0, max: 20 }),
  )
  .map(([csr, ca, dice]) => inAnyCase(dice % 4 === 0 ? csr : { CN: 'my ca', ...csr, ca }, dice) as object);

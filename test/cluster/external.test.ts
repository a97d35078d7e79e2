import { expect, it } from 'vitest';
import { parseExternal } from '../../src/cluster/external.ts';
import { KbinError } from '../../src/errors.ts';

const where = { file: 'c.yaml', folder: '/x', home: '/home/me' };

function mistakes(text: string): readonly string[] {
  try {
    parseExternal(text, where);
    return [];
  } catch (error) {
    if (!(error instanceof KbinError)) throw error;
    return error.message.split('\n').slice(1);
  }
}

it('reads endpoints with their scheme and port, and files from the folder of cluster.yaml', () => {
  const text = `external:
  etcd:
    endpoints: [10.0.0.1, "https://n2.example.org:12379", "[fd00::1]:2379", "http://localhost:2379"]
    ca: ca.pem
    cert: ~/client.pem
    key: /etc/client-key.pem
`;
  expect(parseExternal(text, where)).toEqual({
    endpoints: [
      'https://10.0.0.1:2379',
      'https://n2.example.org:12379',
      'https://[fd00::1]:2379',
      'http://localhost:2379',
    ],
    ca: '/x/ca.pem',
    cert: '/home/me/client.pem',
    key: '/etc/client-key.pem',
  });
});

it('is undefined where the file has no such section', () => {
  expect(parseExternal('name: prod\n', where)).toBeUndefined();
  expect(parseExternal('', where)).toBeUndefined();
});

it('looks at its own section alone', () => {
  expect(mistakes('name: PROD\nexternal: { etcd: { endpoints: ["http://10.0.0.1:2379"] } }\n')).toEqual([]);
});

it('says everything that is wrong', () => {
  expect(
    mistakes('external: { etcd: { endpoints: [10.0.0.1, "ftp://x", "h:0"], key: a, x509: b } }\n'),
  ).toEqual([
    'c.yaml:1:13: external.etcd.ca: the CA certificate that the endpoints are verified with',
    'c.yaml:1:13: external.etcd.cert: the certificate that belongs to key',
    'c.yaml:1:43: external.etcd.endpoints[1]: "ftp://x" is not an etcd endpoint; write https://HOST:PORT',
    'c.yaml:1:54: external.etcd.endpoints[2]: "0" is not a port of 1 to 65535',
    'c.yaml:1:70: external.etcd: unknown key "x509"',
  ]);
  expect(mistakes('external:\n')).toEqual([]);
  expect(mistakes('external: {}\n')).toEqual([
    'c.yaml:1:1: external.etcd: name the endpoints of the etcd to verify: etcd: { endpoints: […] }',
  ]);
  expect(mistakes('external: { etcd: { endpoints: [] } }\n')).toEqual([
    'c.yaml:1:32: external.etcd.endpoints: a list of endpoints, such as https://10.0.0.1:2379',
  ]);
});

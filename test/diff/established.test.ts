import { expect, test } from 'vitest';
import { establishedSettings } from '../../src/diff/established.ts';
import { type Situation, sidesOf, told } from './control-plane-situations.ts';

const cidr = (value: string) => `--service-cluster-ip-range=${value}`;
const issuer = (domain: string) => `--service-account-issuer=https://kubernetes.default.svc.${domain}`;
const runs = (argv: string[], wantedArgv: string[], component?: Situation['component']): Situation => ({
  unitText: 'unit',
  runs: true,
  argv: ['kube-apiserver', ...argv],
  wantedArgv: ['kube-apiserver', ...wantedArgv],
  ...(component === undefined ? {} : { component }),
});

test.each<[string, Situation, string[]]>([
  ['the same', runs([cidr('10.96.0.0/12')], [cidr('10.96.0.0/12')]), []],
  ['not there yet', { wantedArgv: [cidr('10.96.0.0/12')] }, []],
  [
    'another service CIDR',
    runs([cidr('10.96.0.0/12')], [cidr('10.112.0.0/12')]),
    ['stop service-cidr-changed'],
  ],
  ['another issuer', runs([issuer('a')], [issuer('b')]), ['stop issuer-changed']],
  ['one more issuer', runs([issuer('a')], [issuer('b'), issuer('a')]), []],
  [
    'another pod CIDR',
    runs(['--cluster-cidr=10.244.0.0/16'], ['--cluster-cidr=10.1.0.0/16'], 'kube-controller-manager'),
    ['warning pod-cidr-changed'],
  ],
])('%s', (_what, situation, expected) => {
  expect(told(establishedSettings([sidesOf(0, situation), sidesOf(1, situation)]))).toEqual(expected);
});

import { expect, test } from 'vitest';
import { foreignControlPlane } from '../../src/diff/foreign.ts';
import { at, type Situation, sidesOf, told, unitText } from './control-plane-situations.ts';

const mine = '[Unit]\nDescription=Kubernetes\n[Service]\nExecStart=/opt/kube-apiserver\n';
const manifest = { '/etc/kubernetes/manifests/kube-apiserver.yaml': at('kind: Pod') };

test.each<[string, Situation, string[]]>([
  ['nothing', {}, []],
  ['kbin’s unit, running', { unitText: unitText('1.34.1'), runs: true }, []],
  ['kbin’s unit, not started yet', { unitText: unitText('1.34.1') }, []],
  ['kbin’s process whose unit file somebody removed', { runs: true, runningInputs: 'aa' }, []],
  [
    'kbin’s unit file over a process of somebody else',
    { unitText: unitText('1.34.1'), runs: true, runningInputs: 'none' },
    [],
  ],
  ['a unit of somebody else', { unitText: mine }, ['stop foreign-unit@k8s-master1']],
  ['one that runs', { unitText: mine, runs: true }, ['stop foreign-unit@k8s-master1']],
  ['one whose file lies elsewhere', { runs: true }, ['stop foreign-unit@k8s-master1']],
  ['one whose file was just removed', { unit: { loadState: 'loaded', needDaemonReload: true } }, []],
  ['one of kubeadm', { further: manifest }, ['stop static-pod@k8s-master1']],
])('on a host there is %s', (_what, situation, expected) => {
  expect(told(foreignControlPlane([sidesOf(0, situation)]))).toEqual(expected);
});

test('is told so that it can be acted on', () => {
  const [unit] = foreignControlPlane([sidesOf(0, { unitText: mine })]);
  expect(unit?.message).toBe(
    'kube-apiserver.service is there already, and is not kbin’s: another kube-apiserver was installed on this host'.replace(
      '’',
      "'",
    ),
  );
  expect(unit?.next).toContain('systemctl disable --now kube-apiserver.service');
});

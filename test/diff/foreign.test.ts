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

test('is told once per host, so that it can be acted on', () => {
  const both = [{ unitText: mine }, { unitText: mine, component: 'kube-scheduler' } as const];
  const [unit, ...others] = foreignControlPlane([sidesOf(0, both)]);
  expect(others).toEqual([]);
  expect(unit?.message).toBe(
    "kube-apiserver.service, kube-scheduler.service are there already, and are not kbin's: another control plane was installed on this host",
  );
  expect(unit?.next).toContain('kbin control-plane deploy --take-over');
  expect(unit?.next).toContain('systemctl disable --now kube-apiserver.service kube-scheduler.service');
});

test('is nothing that stops one who takes it over; a static pod still is', () => {
  const pod = { unitText: mine, further: manifest };
  expect(told(foreignControlPlane([sidesOf(0, pod)], true))).toEqual(['stop static-pod@k8s-master1']);
});

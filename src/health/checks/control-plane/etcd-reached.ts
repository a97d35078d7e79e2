import type { Check } from '../../check.ts';
import { hostPort } from '../../target.ts';
import { listing } from '../main-cluster.ts';
import type { ControlPlaneJudgement } from './index.ts';

/** From every apiserver's host, with the certificate that its apiserver shows, to every etcd member. */
export const etcdReached: ControlPlaneJudgement = ({ hosts }) =>
  hosts.map(({ host, etcdPaths }): Check => {
    const base = { id: 'etcd-reached', target: host.name } as const;
    if (typeof etcdPaths === 'string') return { ...base, status: 'skip', message: etcdPaths };
    const failed = etcdPaths.flatMap(({ member, address, failure }) =>
      failure === undefined ? [] : [{ member, address, failure }],
    );
    const [first] = failed;
    if (first === undefined) {
      const members = listing(etcdPaths.map(({ member }) => member));
      return { ...base, status: 'pass', message: `reaches ${members} with the apiserver's certificate` };
    }
    // Where no forwarding answers at all it is the host that does not: that says nothing about its way to etcd.
    const unasked =
      failed.length === etcdPaths.length &&
      failed.every(({ failure }) => failure.code === 'ssh' || failure.code === 'out-of-reach');
    const what = failed
      .map(({ member, address, failure }) => `${member} (${hostPort(address)}) ${failure.message}`)
      .join('; ');
    if (unasked)
      return {
        ...base,
        status: 'fail',
        message: `could not be tried: ${first.failure.message}`,
        next: first.failure.next,
      };
    return {
      ...base,
      status: 'fail',
      message: `from this host, ${what}`,
      next:
        failed.length === etcdPaths.length
          ? first.failure.next
          : `see whether that member runs (\`kbin etcd status\`), and firewalls between ${host.name} and it`,
    };
  });

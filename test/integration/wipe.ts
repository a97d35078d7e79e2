import type { Lab } from '../lab/lab.ts';

/** Makes the hosts of a lab bare again: as if kbin had never been there. Quicker than new hosts. */
export async function wipe(lab: Lab): Promise<void> {
  await Promise.all(lab.hosts.map((host) => host.sh(`${withoutControlPlane}${withoutEtcd}`)));
}

/** Takes the control plane off all hosts, and what it kept in etcd, which goes on; laid out in the fhs way. */
export async function wipeControlPlane(lab: Lab): Promise<void> {
  await Promise.all(lab.hosts.map((host) => host.sh(withoutControlPlane)));
  const [one] = lab.hosts;
  await one?.sh(`ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/etcd/pki/ca.crt \\
    --cert /etc/etcd/pki/healthcheck-client.crt --key /etc/etcd/pki/healthcheck-client.key \\
    del --prefix /registry/`);
}

/** Killed, for an apiserver that is asked to stop takes its time; `stop` then ends what systemd would start again. */
const without = (component: string) => `
systemctl kill --signal=KILL ${component}.service 2>/dev/null || true
systemctl stop ${component}.service 2>/dev/null || true
rm -rf /etc/systemd/system/${component}.service* /etc/systemd/system/*.wants/${component}.service
userdel ${component} 2>/dev/null || true; groupdel ${component} 2>/dev/null || true`;

const settled = `
rm -rf /etc/systemd/system/.kbin-* /usr/local/bin/.kbin-* /run/kbin
systemctl daemon-reload; systemctl reset-failed`;

const withoutControlPlane = `
${['kube-scheduler', 'kube-controller-manager', 'kube-apiserver'].map(without).join('')}
rm -rf /etc/kubernetes /opt/kubernetes /var/log/kubernetes /usr/local/bin/kube*${settled}`;

const withoutEtcd = `
pkill -9 -x etcd || true${without('etcd')}
rm -rf /etc/etcd /opt/etcd /var/lib/etcd /srv/etcd-wal /usr/local/bin/etcd*${settled}`;

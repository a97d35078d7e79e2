import type { Lab } from '../lab/lab.ts';

/** Makes the hosts of a lab bare again: as if kbin had never been there. Quicker than new hosts. */
export async function wipe(lab: Lab): Promise<void> {
  await Promise.all(
    lab.hosts.map((host) =>
      host.sh(
        `systemctl disable --quiet --now etcd.service 2>/dev/null || true
         pkill -9 -x etcd || true
         rm -rf /etc/systemd/system/etcd.service* /etc/systemd/system/.kbin-* /etc/etcd /opt/etcd /var/lib/etcd /srv/etcd-wal \\
           /usr/local/bin/etcd* /usr/local/bin/.kbin-* /run/kbin
         systemctl daemon-reload; systemctl reset-failed
         userdel etcd 2>/dev/null || true; groupdel etcd 2>/dev/null || true`,
      ),
    ),
  );
}

#!/usr/bin/env bash
# demo.sh (make demo): three systemd hosts in Docker, a TLS etcd deployed to them over SSH as to any others, and the
# proof that it is healthy. A second run finds the hosts and the cluster as they are and has nothing to do.
set -euo pipefail
. "$(dirname "$0")/say.sh"
cd "$KBIN_ROOT"

DIR=$KBIN_ROOT/.demo
HOSTS=k8s-master1,k8s-node1,k8s-node2
ETCD=3.5.16
kbin() {
  printf '\n$ kbin %s\n' "$*" >&2
  dist/kbin -c "$DIR/cluster.yaml" "$@"
}

mkdir -p "$DIR" && chmod 0700 "$DIR"
say 'starting three hosts'
up=$(node test/lab/cli.ts up demo --hosts "$HOSTS" --dir "$DIR")
# Certificates and the record of a cluster belong to hosts that are gone.
if grep -q ' new$' <<<"$up"; then rm -rf "$DIR/pki" "$DIR/cluster.yaml"; fi
address() { awk -v name="$1" '$1 == name { print $2 }' <<<"$up"; }

if [ ! -f "$DIR/cluster.yaml" ]; then
  say "writing $DIR/cluster.yaml"
  tarball=$(bash scripts/etcd.sh | grep -F "etcd-v$ETCD-")
  arch=
  case $(uname -m) in aarch64 | arm64) arch=', architecture: arm64' ;; esac
  cat >"$DIR/cluster.yaml" <<YAML
name: demo
hosts:
  - { name: k8s-master1, address: $(address k8s-master1), roles: [etcd, control-plane]$arch }
  - { name: k8s-node1, address: $(address k8s-node1), roles: [etcd, worker]$arch }
  - { name: k8s-node2, address: $(address k8s-node2), roles: [etcd, worker]$arch }
ssh: { user: root, identityFile: id_ed25519, knownHosts: known_hosts }
etcd: { version: $ETCD, source: $tarball }
kubernetes: { version: 1.31.13 }
YAML
fi

kbin pki init
kbin etcd deploy
kbin verify

master=$(address k8s-master1)
tls=/etc/etcd/pki
cat <<LOOK

Look around:
  dist/kbin -c .demo/cluster.yaml plan
  dist/kbin -c .demo/cluster.yaml etcd status
  dist/kbin -c .demo/cluster.yaml pki list
  ssh -i .demo/id_ed25519 -o UserKnownHostsFile=.demo/known_hosts root@$master
and there:
  systemctl status etcd
  etcdctl --endpoints https://$master:2379 --cacert $tls/ca.crt --cert $tls/healthcheck-client.crt \\
    --key $tls/healthcheck-client.key endpoint health --cluster
Break something and see what kbin says (\`etcd deploy\` mends it):
  docker exec kbin-demo-k8s-node2 systemctl stop etcd; dist/kbin -c .demo/cluster.yaml verify
Done with it:
  make demo-down
LOOK

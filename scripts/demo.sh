#!/usr/bin/env bash
# demo.sh (make demo): three systemd hosts in Docker; a TLS etcd and a Kubernetes control plane deployed to them over SSH as to
# any others; the proof that both are healthy. A second run finds the hosts and the cluster as they are and has nothing to do.
set -euo pipefail
. "$(dirname "$0")/say.sh"
cd "$KBIN_ROOT"

DIR=$KBIN_ROOT/.demo
HOSTS=k8s-master1,k8s-master2,k8s-master3
ETCD=3.5.16
KUBERNETES=1.20.2
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
  etcd=$(bash scripts/etcd.sh | grep -F "etcd-v$ETCD-")
  kubernetes=$(bash scripts/kubernetes.sh | sed -n 1p)
  arch=
  case $(uname -m) in aarch64 | arm64) arch=', architecture: arm64' ;; esac
  cat >"$DIR/cluster.yaml" <<YAML
name: demo
hosts:
$(for host in ${HOSTS//,/ }; do echo "  - { name: $host, address: $(address "$host"), roles: [etcd, control-plane]$arch }"; done)
ssh: { user: root, identityFile: id_ed25519, knownHosts: known_hosts }
etcd: { version: $ETCD, source: $etcd }
kubernetes: { version: $KUBERNETES, source: $kubernetes }
YAML
fi

kbin pki init
kbin etcd deploy
kbin control-plane deploy
kbin verify

master=$(address k8s-master1)
log_in="ssh -i .demo/id_ed25519 -o UserKnownHostsFile=.demo/known_hosts root@$master"
# kubectl as an administrator has it on the first host: kbin put the program and the kubeconfig there.
kubectl() {
  printf '\n[k8s-master1]# kubectl %s\n' "$*" >&2
  $log_in KUBECONFIG=/etc/kubernetes/admin.conf kubectl "$@" </dev/null
}
kubectl get --raw /readyz && echo
if [ -z "$(kubectl get deployments hello --ignore-not-found --output name 2>/dev/null)" ]; then
  kubectl create deployment hello --image=example/hello --replicas=2
fi
for _ in $(seq 30); do
  if [ "$(kubectl get pods --selector app=hello --output name 2>/dev/null | wc -l)" = 2 ]; then break; fi
  sleep 1
done
kubectl get deployments,replicasets,pods

tls=/etc/etcd/pki
cat <<LOOK

Look around:
  dist/kbin -c .demo/cluster.yaml plan
  dist/kbin -c .demo/cluster.yaml etcd status
  dist/kbin -c .demo/cluster.yaml pki list
  dist/kbin -c .demo/cluster.yaml control-plane status
  dist/kbin -c .demo/cluster.yaml kubeconfig alice --group dev --valid 8h -o alice.conf
  $log_in
and there:
  systemctl status etcd kube-apiserver
  KUBECONFIG=/etc/kubernetes/admin.conf kubectl get pods     (Pending: there are no nodes yet)
  etcdctl --endpoints https://$master:2379 --cacert $tls/ca.crt --cert $tls/healthcheck-client.crt \\
    --key $tls/healthcheck-client.key endpoint health --cluster
Break something and see what kbin says (\`control-plane deploy\` mends it):
  docker exec kbin-demo-k8s-master3 systemctl stop kube-apiserver; dist/kbin -c .demo/cluster.yaml verify
Done with it:
  make demo-down
LOOK

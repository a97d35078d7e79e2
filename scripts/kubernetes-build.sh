#!/usr/bin/env bash
# kubernetes-build.sh VERSION UID:GID: runs inside a throw-away lab host (scripts/kubernetes.sh). Fetches Debian 12's
# source package and compiler, builds, and leaves /out/kubernetes.tar.gz.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
version=$1 owner=$2

mirror=$(apt-get update --print-uris | sed -n "s|^'\(.*\)/dists/[a-z]*/InRelease'.*|\1|p" | head -n 1)
apt-get -qq update
apt-get -qq install -y --no-install-recommends make rsync xz-utils file which >/dev/null

# A private apt configuration: packages and sources of Debian 12.
mkdir -p /tmp/apt/lists/partial /tmp/apt/cache/archives/partial /tmp/root /tmp/source
cd /tmp/apt
for kind in deb deb-src; do
  echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm main"
done >sources.list
apt() {
  apt-get -qq -o Dir::Etc::sourcelist=/tmp/apt/sources.list -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root \
    -o Dir::State::lists=/tmp/apt/lists -o Dir::Cache=/tmp/apt/cache -o Acquire::Retries=3 "$@"
}
apt update
apt download golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
for package in *.deb; do dpkg-deb -x "$package" /tmp/root; done
cp -r /tmp/root/usr/lib/go-1.19 /usr/lib/
cp -r /tmp/root/usr/share/go-1.19 /usr/share/
(cd /tmp/source && apt source --download-only kubernetes)
orig=$(find /tmp/source -name 'kubernetes_*.orig.tar.*' ! -name '*.asc' | head -n 1)
case $orig in *"$version"*) ;; *) echo "the source package is $orig, not $version: mend scripts/kubernetes.sh" >&2; exit 1 ;; esac

export GOPATH=/tmp/go GO111MODULE=off CGO_ENABLED=0 GOFLAGS= PATH=/usr/lib/go-1.19/bin:$PATH
source=$GOPATH/src/k8s.io/kubernetes
mkdir -p "$source"
tar -xf "$orig" -C "$source" --strip-components=1
cd "$source"

# The vendored reflect2 1.0.1 crashes when built by Go 1.18 or newer; Debian's own package is a later one.
rm -rf vendor/github.com/modern-go/reflect2
cp -r /tmp/root/usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/
find vendor/github.com/modern-go/reflect2 -name '*_test.go' -delete

# Generates the OpenAPI description that kube-apiserver is built with.
nice make generated_files >/tmp/generated.log 2>&1 || { tail -n 40 /tmp/generated.log >&2; exit 1; }

minor=${version#*.}
minor=${minor%%.*}
flags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  full=k8s.io/kubernetes/vendor/$package
  flags+=" -X $full.gitVersion=v$version -X $full.gitMajor=${version%%.*} -X $full.gitMinor=$minor -X $full.gitTreeState=clean"
done
bin=/tmp/pack/kubernetes/server/bin
mkdir -p "$bin"
for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubeadm kubectl; do
  echo "kubernetes: building $program" >&2
  nice go build -trimpath -ldflags "$flags" -o "$bin/$program" "./cmd/$program"
done
"$bin/kube-apiserver" --version | grep -qx "Kubernetes v$version"
tar -C /tmp/pack --owner 0 --group 0 --numeric-owner -czf /out/kubernetes.tar.gz kubernetes
chown "$owner" /out/kubernetes.tar.gz

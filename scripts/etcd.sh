#!/usr/bin/env bash
# etcd.sh: makes sure that the etcd releases the tests deploy are in the cache and prints their paths, one a line.
# They are Debian's builds (real etcd, no download site needed), packed exactly as the official tarballs are.
set -euo pipefail
. "$(dirname "$0")/say.sh"
here=$(dirname "$0")

# etcd version and the Debian release that carries it. 3.4 → 3.5 is a true rolling upgrade.
RELEASES='3.4.23=bookworm 3.5.16=trixie'

cache=$KBIN_CACHE/test
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) die "no etcd for a $(uname -m) lab host" ;;
esac
mkdir -p "$cache"

# pack VERSION SUITE: etcd-server and etcd-client of that Debian release → a release tarball.
pack() {
  local name=etcd-v$1-linux-$arch work
  work=$(mktemp -d "$cache/work.XXXXXX")
  # shellcheck disable=SC2064 # the folder's name is known now
  trap "rm -rf '$work'" EXIT
  mkdir "$work/$name"
  say "fetching etcd $1 from Debian $2"
  bash "$here/debian-package.sh" "$2" "$work" etcd-server etcd-client
  for program in etcd etcdctl etcdutl; do
    [ ! -x "$work/usr/bin/$program" ] || cp "$work/usr/bin/$program" "$work/$name/"
  done
  "$work/$name/etcd" --version | grep -qx "etcd Version: $1" || die "Debian $2 has another etcd than $1: mend RELEASES"
  tar -C "$work" --owner 0 --group 0 --numeric-owner -czf "$work/$name.tar.gz" "$name"
  mv "$work/$name.tar.gz" "$cache/"
  rm -rf "$work"
}

for release in $RELEASES; do
  tarball=$cache/etcd-v${release%%=*}-linux-$arch.tar.gz
  if [ ! -f "$tarball" ]; then
    one_at_a_time
    [ -f "$tarball" ] || pack "${release%%=*}" "${release#*=}"
  fi
  echo "$tarball"
done

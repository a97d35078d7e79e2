#!/usr/bin/env bash
# kubernetes.sh: makes sure that a Kubernetes release for the tests is in the cache and prints its tarball's path.
# It is the whole of Debian 12's source package `kubernetes`, built by Debian 12's Go, packed exactly as the official
# server tarball is: no download site is needed. About eight minutes on two cores, once.
set -euo pipefail
. "$(dirname "$0")/say.sh"

VERSION=1.20.2
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) die "no Kubernetes for a $(uname -m) lab host" ;;
esac
folder=$KBIN_CACHE/test/kubernetes-v$VERSION-linux-$arch
tarball=$folder/kubernetes-server-linux-$arch.tar.gz

if [ ! -f "$tarball" ]; then
  one_at_a_time
  if [ ! -f "$tarball" ]; then
    image=$(bash "$(dirname "$0")/lab-image.sh")
    say "building Kubernetes $VERSION from Debian's source package (about 8 minutes)"
    mkdir -p "$folder"
    work=$(mktemp -d "$KBIN_CACHE/kubernetes.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    docker run --rm --network host -e http_proxy -e https_proxy --entrypoint /bin/bash -v "$work:/out" \
      -v "$KBIN_ROOT/scripts/kubernetes-build.sh:/build.sh:ro" \
      "$image" /build.sh "$VERSION" "$arch" "$(id -u):$(id -g)" 9>&- >&2 ||
      die "could not build Kubernetes $VERSION"
    mv "$work/kubernetes.tar.gz" "$tarball"
  fi
fi
echo "$tarball"

#!/usr/bin/env bash
# kubernetes.sh: makes sure that a Kubernetes release for the tests is in the cache, and prints its tarball's path and the
# folder that its programs were unpacked to.
# The official download, its SHA-512 verified, where the network has it; otherwise the whole of Debian 12's source package
# `kubernetes`, built by Debian 12's Go and packed exactly as the official server tarball is.
set -euo pipefail
. "$(dirname "$0")/say.sh"
here=$(dirname "$0")

VERSION=1.20.2
case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) die "no Kubernetes for a $(uname -m) lab host" ;;
esac
folder=$KBIN_CACHE/test/kubernetes-v$VERSION-linux-$arch
tarball=$folder/kubernetes-server-linux-$arch.tar.gz
programs=$folder/bin

# Leaves the tarball at $work/kubernetes.tar.gz, or fails.
download() {
  say "getting Kubernetes $VERSION (some 300 MB, once)"
  node "$here/kubernetes-download.ts" "$VERSION" "$arch" "$work/kubernetes.tar.gz" >&2 9>&-
}

build() {
  local image
  image=$(bash "$here/lab-image.sh")
  say "building Kubernetes $VERSION from Debian's source package instead (8 to 15 minutes on two cores, once)"
  docker run --rm --cidfile "$work/container" --label "kbin.build=$folder" --network host -e http_proxy -e https_proxy \
    --entrypoint /bin/bash -v "$work:/out" -v "$KBIN_ROOT/scripts/kubernetes-build.sh:/build.sh:ro" \
    "$image" /build.sh "$VERSION" "$(id -u):$(id -g)" </dev/null >&2 9>&-
}

# However this script ends, the build ends with it.
finish() {
  if [ -s "$work/container" ]; then docker rm -f "$(cat "$work/container")" >/dev/null 2>&1 || true; fi
  rm -rf "$work"
}

# The official tarball has container images beside the programs.
unpack() {
  mkdir "$work/bin"
  tar -C "$work/bin" --strip-components 3 --wildcards --exclude '*.tar' --exclude '*.docker_tag' -xzf "$tarball" \
    'kubernetes/server/bin/*'
  mv "$work/bin" "$programs"
}

if [ ! -f "$tarball" ] || [ ! -d "$programs" ]; then
  one_at_a_time 60
  mkdir -p "$folder"
  # What a run that was killed has left behind; none but this one can be at work now.
  rm -rf "$folder"/work.*
  if has docker; then
    docker ps --quiet --filter "label=kbin.build=$folder" 2>/dev/null | xargs --no-run-if-empty docker rm -f >/dev/null || true
  fi
  work=$(mktemp -d "$folder/work.XXXXXX")
  trap finish EXIT
  if [ ! -f "$tarball" ]; then
    download || build || die "could not get Kubernetes $VERSION"
    mv "$work/kubernetes.tar.gz" "$tarball"
    say "Kubernetes $VERSION is in $folder"
  fi
  [ -d "$programs" ] || unpack
fi
echo "$tarball"
echo "$programs"

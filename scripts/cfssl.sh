#!/usr/bin/env bash
# cfssl.sh: makes sure that cfssl and cfssljson, which the tests and benches compare with, are in the cache, and prints
# the folder they are in. (Its newest glibc symbol is 2.34.)
set -euo pipefail
. "$(dirname "$0")/say.sh"

bin=$KBIN_CACHE/test/cfssl
if [ ! -x "$bin/cfssl" ]; then
  one_at_a_time
  work=$(mktemp -d "$KBIN_CACHE/cfssl.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  say 'fetching cfssl from Debian'
  bash "$(dirname "$0")/debian-package.sh" trixie "$work" golang-cfssl
  mkdir -p "${bin%/*}"
  rm -rf "$bin"
  mv "$work/usr/bin" "$bin"
fi
echo "$bin"

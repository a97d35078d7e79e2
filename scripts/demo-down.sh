#!/usr/bin/env bash
# demo-down.sh (make demo-down): removes what `make demo` made. Where Docker does not run, no host of it runs either.
set -euo pipefail
. "$(dirname "$0")/say.sh"
cd "$KBIN_ROOT"

if docker info >/dev/null 2>&1; then
  say 'removing the hosts'
  node test/lab/cli.ts down demo
fi
rm -rf .demo

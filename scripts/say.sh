# shellcheck shell=sh
# Sourced by the other scripts: where things are kept, and how progress and errors are told (always on stderr).

KBIN_ROOT=$(cd "$(dirname "$0")/.." && pwd)
KBIN_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/kbin
export KBIN_ROOT KBIN_CACHE

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }

die() {
  say "$@"
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND…: directly when root, through sudo otherwise.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif has sudo; then
    sudo "$@"
  else
    die "needs root for: $* (run it as root, or install sudo)"
  fi
}

# one_at_a_time [MINUTES]: two `make` runs at once must not install or build the same thing twice; waits for the other one,
# 15 minutes unless told. The lock ends with the script; what the script leaves running (dockerd) must be started with 9>&-.
one_at_a_time() {
  mkdir -p "$KBIN_CACHE"
  exec 9>"$KBIN_CACHE/$(basename "$0" .sh).lock"
  has flock || return 0
  flock -n 9 && return 0
  say "waiting for another $(basename "$0")"
  flock -w "$((${1:-15} * 60))" 9 ||
    die "another $(basename "$0") has been running for ${1:-15} minutes; see $KBIN_CACHE"
}

#!/bin/sh
# packages.sh COMMAND=PACKAGE…: installs those Debian packages whose command, or shared library (lib….so.N), is missing.
set -eu
. "$(dirname "$0")/say.sh"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

present() {
  case $1 in
    lib*.so.*) ldconfig -p | grep -qF "$1 " ;;
    *) has "$1" ;;
  esac
}

missing=
for pair in "$@"; do
  present "${pair%%=*}" || missing="$missing ${pair#*=}"
done
[ -n "$missing" ] || exit 0

has apt-get || die "please install:$missing (this machine has no apt-get to do it with)"
one_at_a_time
say "installing$missing"
log=$KBIN_CACHE/packages.log
# shellcheck disable=SC2086 # one word per package
install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    install -y --no-install-recommends $missing </dev/null >"$log" 2>&1 9>&-
}
# The lists may be absent or older than the mirror's packages: refresh them only when the install says so.
if ! install; then
  as_root apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update </dev/null >"$log" 2>&1 9>&- || {
    tail -n 10 "$log" >&2
    die "apt-get update failed (whole log: $log)"
  }
  install || {
    tail -n 10 "$log" >&2
    die "could not install$missing (whole log: $log)"
  }
fi

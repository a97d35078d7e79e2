# Does what its arguments say, in their order, and stops at the first that fails: `VERB ARGUMENT…`, see operations.ts.
# POSIX sh; the verbs are written so that one that was already done can be done again.
set -eu
export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
umask 022

run=${KBIN_RUN:-/run/kbin}
mkdir -p "$run"
exec 8>>"$run/at-work"
flock -w 60 8 || {
  echo 'a script of an earlier run is still at work, and was not done within 60 s' >&2
  exit 75
}
echo "began $(date -u +%s)"

at=
trap 'code=$?; [ $code -eq 0 ] || echo "kbin stopped at: $at" >&2' EXIT

exists() { [ -e "$1" ] || [ -L "$1" ]; }
beside() { echo "${1%/*}/.kbin-$2-${1##*/}"; }

# Keeps what is at a path for `restore`. What an earlier, unproven run kept is older and stays.
keep() {
  old=$(beside "$1" old)
  if exists "$old"; then return; fi
  if [ -L "$1" ]; then ln -s "$(readlink "$1")" "$old"
  elif [ -f "$1" ]; then ln "$1" "$old"
  fi
}

# A hand-made folder where a bundle's link belongs is moved aside and never removed.
move_aside() {
  aside=$1.before-kbin
  while exists "$aside"; do aside=$aside~; done
  mv -T "$1" "$aside"
  old=$(beside "$1" old)
  rm -rf "$old"
  ln -s "${aside##*/}" "$old"
}

# Programs of a hand-made cluster share such a folder (an apiserver its etcd's certificates): what else is in it is found
# under its former path too, by links, for as long as it stays.
lead_back() {
  for left in "$1".before-kbin*/*; do
    aside=${left%/*}
    if exists "$left" && ! exists "$2/${left##*/}"; then ln -s "../${aside##*/}/${left##*/}" "$2"; fi
  done
}

# The unit of somebody else stays readable beside the one that takes its place; systemd reads no such name.
set_aside() {
  rm -f "$1.before-kbin"
  cp -a "$1" "$1.before-kbin"
}

# A symbolic link to a sibling, switched in one rename.
point() {
  link=$(beside "$1" link)
  rm -f "$link"
  ln -s "${2##*/}" "$link"
  mv -fT "$link" "$1"
}

# `switch STAGED PATH TARGET`. A target that exists and differs is replaced without PATH ever leading nowhere.
switch() {
  if [ -d "$2" ] && [ ! -L "$2" ]; then move_aside "$2"; else keep "$2"; fi
  if [ -d "$1" ]; then
    lead_back "$2" "$1"
    if exists "$3"; then
      point "$2" "$1"
      rm -rf "$3"
      cp -a "$1" "$3"
    else mv -T "$1" "$3"
    fi
  fi
  point "$2" "$3"
  rm -rf "$1"
}

restore() {
  old=$(beside "$1" old)
  if ! exists "$old"; then return; fi
  if [ -f "$1" ] && [ ! -L "$1" ] && [ "$old" -ef "$1" ]; then rm -f "$old"; else mv -fT "$old" "$1"; fi
}

# Of a bundle's folders only the one in force and the one before it stay.
prune() {
  before=$(readlink "$(beside "$1" old)" || :)
  if [ -z "$before" ]; then return; fi
  now=$(readlink "$1")
  for folder in "${1%/*}/.${1##*/}-"????????????????; do
    case ${folder##*/} in "$now" | "$before") ;; *) rm -rf "$folder" ;; esac
  done
}

folder() {
  [ -d "$4" ] || mkdir -p "$4"
  chown "$2:$3" "$4"
  chmod "$1" "$4"
}

account() {
  getent group "$2" >/dev/null || groupadd --system "$2"
  getent passwd "$1" >/dev/null ||
    useradd --system --no-create-home --home-dir "$3" --shell /usr/sbin/nologin --gid "$2" "$1"
}

write() {
  new=$(beside "$4" new)
  (umask 077; printf '%s\n' "$5" >"$new")
  chown "$2:$3" "$new"
  chmod "$1" "$new"
  sync "$new"
  mv -fT "$new" "$4"
}

# An upload that was not finished. Nothing else of kbin's is ever removed by its name.
discard() {
  case ${1##*/} in
  .kbin-*) rm -rf "$1" ;;
  *) echo 'that is not a leftover of kbin' >&2; exit 64 ;;
  esac
}

# `restart UNIT SECONDS`. Returns when the former process is gone: until then it would still answer and pass for the new
# one. An apiserver takes its time to stop; a later run need not wait for that, it sees the unit stopping.
restart() {
  former=$(systemctl show --property=MainPID "$1")
  former=${former#MainPID=}
  begin restart "$1"
  waited=0
  while [ "$former" != 0 ] && [ -d "/proc/$former" ] && [ $waited -lt $((($2 + 10) * 20)) ]; do
    sleep 0.05
    waited=$((waited + 1))
    [ $waited -ne 900 ] || flock -u 8
  done
}

# Never waits for readiness: a first etcd member is ready only when a majority is.
begin() {
  systemctl reset-failed "$2" 2>/dev/null || :
  systemctl --no-block "$1" "$2"
}

# What is left of a path: what was kept of it, and uploads for it that nobody uses.
clean() {
  at_path=${1%/*}/.kbin
  name=${1##*/}
  h='[0-9a-f][0-9a-f][0-9a-f]'
  rm -rf "$at_path-old-$name" "$at_path-new-$name" "$at_path-link-$name" "$at_path"-$h$h$h$h-"$name"
}

label() {
  if [ -e /sys/fs/selinux/enforce ] && command -v restorecon >/dev/null; then restorecon -R "$1"; fi
}

while [ $# -gt 0 ]; do
  at="$1 ${2-}"
  case $1 in
  account) account "$2" "$3" "$4"; shift 4 ;;
  folder) folder "$2" "$3" "$4" "$5"; shift 5 ;;
  own) chown "$3:$4" "$5"; chmod "$2" "$5"; shift 5 ;;
  tree) chown -R "$2:$3" "$4"; shift 4 ;;
  rename) keep "$3"; mv -fT "$2" "$3"; shift 3 ;;
  switch) switch "$2" "$3" "$4"; shift 4 ;;
  set-aside) set_aside "$2"; shift 2 ;;
  restore) restore "$2"; shift 2 ;;
  write) write "$2" "$3" "$4" "$5" "$6"; shift 6 ;;
  sync) sync "$2"; shift 2 ;;
  label) label "$2"; shift 2 ;;
  prune) prune "$2"; shift 2 ;;
  place) mv -fT "$2" "$3"; shift 3 ;;
  clean) clean "$2"; shift 2 ;;
  forget) rm -f "$2"; shift 2 ;;
  discard) discard "$2"; shift 2 ;;
  reload) systemctl daemon-reload; shift 1 ;;
  enable) systemctl --quiet --no-reload enable "$2"; shift 2 ;;
  stop) systemctl stop "$2"; shift 2 ;;
  start) begin start "$2"; shift 2 ;;
  restart) restart "$2" "$3"; shift 3 ;;
  *) echo "no such verb" >&2; exit 64 ;;
  esac
done

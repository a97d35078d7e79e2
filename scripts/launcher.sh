#!/bin/sh
# kbin: starts kbin.cjs, which lies beside this file, with a Node.js that fits: $KBIN_NODE, else the first in PATH that
# is new enough, else the newest in the usual places. What was found is remembered, so that the next start is all shell
# builtins: a process more would cost more than the rest of this script.

least=24

# This file's folder, through any symbolic links to it.
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
done
case $self in
  */*) program=${self%/*}/kbin.cjs ;;
  *) program=./kbin.cjs ;; # `sh kbin` in this folder
esac

cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${cache:+$cache/kbin}

start() {
  # Compiled code of the last start: about a third of the time to the first output.
  if [ -n "$cache" ] && [ -z "${NODE_COMPILE_CACHE+set}" ]; then
    NODE_COMPILE_CACHE=$cache/compiled
    export NODE_COMPILE_CACHE
  fi
  node=$1
  shift
  # ssh2 makes two buffers for each 32 KiB that it encrypts. With room for 16 MiB of new objects they are collected late,
  # and each new one is memory for the kernel to map: a small room makes a deploy of three hosts 30 MB smaller at its
  # peak, and uploads faster. With 1 MiB a run that changes nothing takes a fifth longer: it collects all the time.
  exec "$node" --max-semi-space-size=2 "$program" "$@"
}

# The memory: two lines, what was asked for and what was found. It counts while the Node found is older than it.
memory=$cache/node-path
asked="${KBIN_NODE-}|$PATH"
if [ -n "$cache" ] && [ -r "$memory" ]; then
  { IFS= read -r remembered && IFS= read -r node; } <"$memory"
  # shellcheck disable=SC3013 # -nt is in dash, busybox and POSIX 2024.
  if [ "$remembered" = "$asked" ] && [ -x "$node" ] && [ "$memory" -nt "$node" ]; then start "$node" "$@"; fi
fi

# Prints the version of a Node.js as one number that compares (v24.1.3 is 24001003), or nothing.
version_of() {
  [ -f "$1" ] && [ -x "$1" ] || return 0
  text=$("$1" --version 2>/dev/null) || return 0
  IFS=. read -r major minor patch <<EOF
${text#v}
EOF
  case $major$minor$patch in
    '' | *[!0-9]*) return 0 ;;
  esac
  echo $((major * 1000000 + minor * 1000 + patch))
}

seen=
fits() {
  version=$(version_of "$1")
  [ -n "$version" ] || return 1
  seen="$seen
  $1 is $((version / 1000000)).$((version / 1000 % 1000)).$((version % 1000))"
  [ "$version" -ge $((least * 1000000)) ]
}

use() {
  node=$1
  shift
  # A relative path means something else in another folder.
  if [ -n "$cache" ] && [ "${node#/}" != "$node" ] && mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ]; then
    # Written beside and renamed: two starts at once never read half a file.
    if printf '%s\n%s\n' "$asked" "$node" >"$memory.$$" 2>/dev/null; then
      mv -f "$memory.$$" "$memory" 2>/dev/null
    fi
  fi
  start "$node" "$@"
}

if [ -n "${KBIN_NODE-}" ]; then
  if fits "$KBIN_NODE"; then use "$KBIN_NODE" "$@"; fi
  echo "kbin: KBIN_NODE names no Node.js $least or newer: $KBIN_NODE$seen" >&2
  echo "  next: set KBIN_NODE to a newer one, or unset it to let kbin look for one" >&2
  exit 1
fi

find_in_path() {
  separator=$IFS
  IFS=:
  set -f
  for folder in $PATH; do
    for name in node nodejs; do
      if fits "${folder:-.}/$name"; then
        found=${folder:-.}/$name
        break 2
      fi
    done
  done
  set +f
  IFS=$separator
}

newest=0
find_elsewhere() {
  for candidate in \
    "$cache"/node/node_modules/node-linux-*/bin/node \
    /usr/local/bin/node /usr/bin/node /opt/node*/bin/node /usr/local/lib/nodejs/*/bin/node /snap/bin/node \
    "${NVM_DIR:-$HOME/.nvm}"/versions/node/*/bin/node \
    "${FNM_DIR:-$HOME/.local/share/fnm}"/node-versions/*/installation/bin/node \
    "${VOLTA_HOME:-$HOME/.volta}"/tools/image/node/*/bin/node \
    "$HOME"/.asdf/installs/nodejs/*/bin/node \
    "$HOME"/.local/share/mise/installs/node/*/bin/node; do
    if fits "$candidate" && [ "$version" -gt "$newest" ]; then
      newest=$version
      found=$candidate
    fi
  done
}

found=
find_in_path
[ -n "$found" ] || find_elsewhere
if [ -n "$found" ]; then use "$found" "$@"; fi

{
  echo "kbin: there is no Node.js $least or newer here"
  [ -z "$seen" ] || echo "  found: too old:$seen"
  echo "  next:  install Node.js $least or newer from your distribution or nodejs.org, or name one in KBIN_NODE"
} >&2
exit 1

/**
 * What runs on a host to receive files. A staged file lies beside its target under a name made of its digest, so that a
 * later rename is all that is left to do, and a run that follows an interrupted one finds what is there already.
 */

/** Prefix of both: `owner:group`, mode and SELinux label are set before the file gets its final name. */
const finish = `
finish() { # STAGED SHA256 MODE OWNER:GROUP TARGET
  chown "$4" "$1" && chmod "$3" "$1" || return 1
  if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then
    label=$(matchpathcon -n "$5" 2>/dev/null) && chcon "$label" "$1" || restorecon "$1" || return 1
  fi
}
digest() { sum=$(sha256sum <"$1") && printf %s "\${sum%% *}"; }
`;

/**
 * $1… in groups of 5 as finish() has them. Prints the number of each file that is staged already and right, and removes
 * what earlier runs staged for the same targets.
 */
export const findStaged = `
export LC_ALL=C
${finish}
number=0
h='[0-9a-f][0-9a-f][0-9a-f]'
while [ $# -gt 0 ]; do
  if [ -f "$1" ] && [ ! -L "$1" ] && [ "$(digest "$1")" = "$2" ] && finish "$@"; then echo "$number"; fi
  for old in "\${5%/*}"/.kbin-$h$h$h$h-"\${5##*/}"; do [ "$old" = "$1" ] || rm -f -- "$old"; done
  number=$((number + 1))
  shift 5
done
`;

/**
 * $1… in groups of 6: the size in bytes, then as finish() has them. Standard input is all files one after the other. A
 * file is made new and for root alone (a link that somebody put in its place is not followed), and gone again unless
 * everything about it is right. Exit 65: the digest is wrong.
 */
export const receive = `
export LC_ALL=C
umask 077
${finish}
now=
trap '[ -z "$now" ] || rm -f -- "$now"' EXIT
trap 'exit 129' HUP INT TERM PIPE
set -C
done_with=
take() { # SIZE STAGED SHA256 …
  now=$2
  rm -f -- "$2" || return 1
  # dd reads no byte too many, which head and cat may; the last file of a stream is what is left of it.
  if [ $# -gt 6 ]; then
    if [ "$1" = 0 ]; then : >"$2"; else dd bs="$1" count=1 iflag=fullblock status=none >"$2"; fi || return 1
  else
    cat >"$2" || return 1
  fi
}
while [ $# -gt 0 ]; do
  take "$@" || exit 1
  got=$(digest "$2") || exit 1
  [ "$got" = "$3" ] || { echo "$2: sha256 $got instead of $3" >&2; exit 65; }
  staged=$2
  shift
  finish "$@" || exit 1
  sync "$staged" || exit 1
  now=
  shift 5
done
`;

/** $1 staged, $2 target: puts the file in its place, in one step that either happens or does not. */
export const commit = `
export LC_ALL=C
[ ! -d "$2" ] || { echo "$2: is a directory" >&2; exit 1; }
mv -f -- "$1" "$2" && sync "\${2%/*}/"
`;

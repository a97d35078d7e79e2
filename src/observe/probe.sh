#!/bin/sh
# Looks at a host and changes nothing: what kbin knows of it before it compares or acts (src/observe/probe.ts).
#
# POSIX sh; needs stat, sha256sum, od, sed, df and date as GNU coreutils or busybox have them.
# Arguments are `TAG:VALUE`, see src/observe/request.ts. Prints one line per finding, `KEYWORD …`, where a path is named
# by its place among the arguments of its tag, and whatever could hold a newline is hexadecimal. The first line names
# the format and the last is `end`: output that was cut off is never taken for a whole one.
#
# In loops, `for a do shift; … set -- "$@" "…"` turns the arguments into the list of those with one tag.

export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
hex() { od -An -v -tx1 | tr -d ' \n'; }
has() { command -v "$1" >/dev/null 2>&1; }

echo 'kbin-probe 1'
echo "clock $(date -u +%s.%N)"

facts() {
  read -r value </proc/sys/kernel/hostname; echo "hostname $value"
  echo "machine $(uname -m)"
  echo "kernel $(uname -r)"
  read -r value </proc/1/comm; echo "init $value"
  [ ! -r /etc/os-release ] || while IFS= read -r value; do
    case $value in ID=*|VERSION_ID=*) echo "os $value" ;; esac
  done </etc/os-release
  if has systemctl; then systemctl --version | sed -n '1s/^/systemd /p'; fi
  if has ip; then ip -o addr show | sed 's/^/ip /'
  elif value=$(hostname -I 2>/dev/null); then echo "addresses $value"; fi
  if [ -r /sys/fs/selinux/enforce ]; then read -r value </sys/fs/selinux/enforce; echo "selinux $value"; fi
}

paths() {
  present=
  for a do shift; case $a in p:*)
    if [ -e "${a#p:}" ] || [ -L "${a#p:}" ]; then present="$present"1; set -- "$@" "${a#p:}"; else present="$present"0; fi
  esac; done
  echo "present $present"
  [ $# -eq 0 ] || stat -c 'stat %f %s %u/%g/%U/%G' -- "$@"
}

links() {
  n=0
  for a do case $a in p:*)
    if [ -L "${a#p:}" ]; then echo "link $n $(readlink -- "${a#p:}" | hex)"; fi
    n=$((n + 1))
  esac; done
}

digests() {
  for a do shift; case $a in p:*) if [ -f "${a#p:}" ]; then set -- "$@" "${a#p:}"; fi ;; esac; done
  [ $# -eq 0 ] || sha256sum -- "$@" | sed -n 's/^\\\{0,1\}\([0-9a-f]\{64\}\) .*/sha256 \1/p'
}

hashed() {
  list=
  for a do case $a in p:*) if [ -f "${a#p:}" ]; then list="$list"1; else list="$list"0; fi ;; esac; done
  echo "hashed $list"
}

texts() {
  n=0
  for a do case $a in t:*)
    if [ -f "${a#t:}" ]; then echo "text $n $(hex <"${a#t:}")"; fi
    n=$((n + 1))
  esac; done
}

owned() {
  n=0
  for a do case $a in o:*)
    a=${a#o:}
    if [ -d "${a#*:}" ] && [ -n "$(find "${a#*:}" -mindepth 1 -maxdepth 2 ! -user "${a%%:*}" 2>/dev/null | sed 1q)" ]; then
      echo "foreign $n"
    fi
    n=$((n + 1))
  esac; done
}

units() {
  for a do shift; case $a in u:*) set -- "$@" "${a#u:}" ;; esac; done
  [ $# -gt 0 ] && has systemctl || return 0
  shown=$(systemctl show --property=LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload,DropInPaths,MainPID,Result -- "$@") || return 1
  printf '%s\n' "$shown" | sed 's/^/unit /'
  systemctl show-environment 2>/dev/null | sed -n 's/^\(ETCD_[A-Z0-9_]*\)=.*/inherited \1/p'
  n=0
  printf '%s\n' "$shown" | while IFS= read -r line; do
    case $line in
    MainPID=0) n=$((n + 1)) ;;
    MainPID=*)
      process "$n" "${line#*=}"
      n=$((n + 1)) ;;
    esac
  done
}

process() {
  [ -r "/proc/$2/environ" ] || return 0
  exe=$(readlink "/proc/$2/exe")
  replaced=0
  case $exe in
  *' (deleted)') replaced=1 ;;
  *) [ "/proc/$2/exe" -ef "$exe" ] || replaced=1 ;;
  esac
  environ=$(tr '\0' '\n' <"/proc/$2/environ")
  echo "process $1 $replaced $(printf '%s\n' "$environ" | sed -n 's/^KBIN_INPUTS=//p')"
  echo "settings $1 $(printf '%s\n' "$environ" | sed -n '/^ETCD_/p' | hex)"
  echo "argv $1 $(hex <"/proc/$2/cmdline")"
}

states() {
  n=-1
  for a do case $a in
  d:*) n=$((n + 1)); data=${a#d:} ;;
  w:*) echo "data $n $(state "$data" "${a#w:}")" ;;
  m:*) if [ -f "${a#m:}" ]; then echo "marker $n $(hex <"${a#m:}")"; fi ;;
  esac; done
}

last_log() {
  last=
  for entry in "$1"/*.wal; do if [ -f "$entry" ]; then last=$entry; fi; done
  [ -n "$last" ]
}

# Whether a log was begun meanwhile, or is within five seconds: an etcd that starts for the first time has its database a
# while before that.
comes() {
  tries=0
  until last_log "$2"; do
    tries=$((tries + 1))
    { [ $tries -le 50 ] && [ -f "$1/member/snap/db" ] && is_open "$1/member/snap/db"; } || return 1
    sleep 0.1
  done
}

is_open() { ls -l /proc/[0-9]*/fd 2>/dev/null | grep -qF -- "-> $(readlink -f "$1")"; }

with_data() { echo "data $(dd if="$last" bs=512 count=1 2>/dev/null | hex)"; }

state() {
  if last_log "$2"; then with_data; return; fi
  # Without a log there is no member, whatever else of it is left. A start that died before it had a log leaves folders,
  # half a log and a database without a key: nothing that anybody could miss. That has 64 KiB and less, in blocks of 512;
  # or, where the log was being written (to WAL.tmp, which takes seconds on a slow disk), what bbolt sets aside at first:
  # 16 MiB and 24 KiB.
  below=129
  [ ! -d "$2.tmp" ] || below=32817
  if [ ! -e "$1" ]; then echo absent
  elif [ -z "$(find "$1/" -mindepth 1 ! -type d ! -path "$1/lost+found/*" ! -path "$1/member/wal*.tmp*" \
    ! \( -path "$1/member/snap/db" -size "-$below" \) | sed 1q)" ]; then echo empty
  elif comes "$1" "$2"; then with_data
  else echo foreign; fi
}

accounts() {
  for a do case $a in
  a:*) if getent passwd "${a#a:}" >/dev/null 2>&1 || grep -q "^${a#a:}:" /etc/passwd; then echo "user ${a#a:}"; fi ;;
  g:*) if getent group "${a#g:}" >/dev/null 2>&1 || grep -q "^${a#g:}:" /etc/group; then echo "group ${a#g:}"; fi ;;
  esac; done
}

space() {
  for a do shift; case $a in s:*)
    a=${a#s:}
    for left in "$a"/.kbin-*; do
      if [ -e "$left" ] || [ -L "$left" ]; then echo "leftover $(printf %s "$left" | hex)"; fi
    done
    while [ ! -d "$a" ]; do a=${a%/*}; a=${a:-/}; done
    set -- "$@" "$a"
  esac; done
  [ $# -eq 0 ] || df -Pk -- "$@" | sed '1d;s/^/space /'
}

listeners() {
  if has ss; then ss -ltnp | sed '1d;s/^/ss /'
  else
    echo proc
    sed -n 's/^ *[0-9]*: \([0-9A-F:]*\) [0-9A-F:]* 0A .*/tcp \1/p' /proc/net/tcp
    [ ! -r /proc/net/tcp6 ] || sed -n 's/^ *[0-9]*: \([0-9A-F:]*\) [0-9A-F:]* 0A .*/tcp \1/p' /proc/net/tcp6
  fi
}

facts
paths "$@" && links "$@" && hashed "$@" && digests "$@" && texts "$@" && owned "$@" || exit 1
units "$@" || exit 1
states "$@"
accounts "$@"
space "$@"
listeners
echo "clock $(date -u +%s.%N)"
echo end

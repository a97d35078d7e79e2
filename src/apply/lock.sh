# One operator at a time. $1 says who asks, in a line for people. Greets with `locked`, or with `held by …`.
# The lock is on a file descriptor: it ends with this process, and this process with the connection that holds it.
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
umask 022
run=${KBIN_RUN:-/run/kbin}
mkdir -p "$run"
exec 9>>"$run/lock"
# A run that was just killed may hold it for a moment, until its connection is found dead.
if ! flock -w 5 9; then
  echo "held by $(head -n 1 "$run/lock")"
  exit 0
fi
printf '%s, process %s on the host, since %s\n' "$1" "$$" "$(date -u '+%Y-%m-%d %H:%M:%S UTC')" >"$run/lock"
# A script of a run that was cut off may still be at work (act.sh): it must be over before anybody looks or acts.
if ! flock -w 60 "$run/at-work" true; then
  echo busy
  exit 0
fi
echo locked

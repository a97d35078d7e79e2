#!/usr/bin/env bash
# docker.sh: makes sure that a Docker engine answers; starts Debian's own when there is none.
set -eu
. "$(dirname "$0")/say.sh"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

LOG=$KBIN_CACHE/dockerd.log
PID=$KBIN_CACHE/dockerd.pid
DEADLINE_SECONDS=60

answers() { has docker && docker info >/dev/null 2>&1; }

answers && exit 0
if has docker; then seen=$(docker info 2>&1 >/dev/null | tail -n 1); else seen='no docker command'; fi
case $seen in
  *'permission denied'*) die "this user may not use Docker: add it to the docker group, or run as root ($seen)" ;;
esac
[ "$(uname -s)" = Linux ] || die "no Docker engine answers ($seen): start Docker and try again"
if [ -n "${DOCKER_HOST:-}" ]; then die "the engine at DOCKER_HOST=$DOCKER_HOST does not answer: $seen"; fi

one_at_a_time
answers && exit 0 # another run started it while this one waited
sh "$(dirname "$0")/packages.sh" dockerd=docker.io iptables=iptables
answers && exit 0 # where an init system is running, installing the package started it

if [ -d /run/systemd/system ]; then
  say 'starting the docker service'
  as_root systemctl start docker >&2 9>&-
else
  say "starting dockerd (log: $LOG)"
  # Left over from before a reboot, it would name some other process, and dockerd would refuse to start.
  case $(cat "/proc/$(cat "$PID" 2>/dev/null || echo none)/comm" 2>/dev/null || true) in
    dockerd) die "a dockerd that this script started is running but does not answer; see $LOG" ;;
    *) as_root rm -f "$PID" ;;
  esac
  if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
  # A session of its own that holds none of our files, make's job pipe included: neither a closed terminal nor a CI that
  # waits for its pipe to end is bound to it.
  (
    exec </dev/null >"$LOG" 2>&1
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      if [ "$fd" -gt 2 ]; then eval "exec $fd>&-"; fi
    done
    exec $sudo setsid dockerd --pidfile "$PID"
  ) &
fi

waited=0
until answers; do
  if [ "$waited" -ge "$DEADLINE_SECONDS" ]; then
    tail -n 15 "$LOG" >&2 || true
    die "dockerd did not answer within $DEADLINE_SECONDS s; last seen: $(docker info 2>&1 >/dev/null | tail -n 1)"
  fi
  sleep 1
  waited=$((waited + 1))
done
say "Docker $(docker version --format '{{.Server.Version}}') answers"

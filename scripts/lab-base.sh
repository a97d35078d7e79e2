#!/bin/sh
# lab-base.sh: prints the Docker image that the lab's Dockerfile starts from. Debian's own where it can be pulled,
# otherwise one made by debootstrap from the Debian mirror that this machine's apt uses.
set -eu
. "$(dirname "$0")/say.sh"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

SUITE=trixie
OFFICIAL=debian:$SUITE-slim
MADE=kbin-debian:$SUITE

has_image() { docker image inspect "$1" >/dev/null 2>&1; }

for image in "$OFFICIAL" "$MADE"; do
  if has_image "$image"; then
    echo "$image"
    exit 0
  fi
done

say "pulling $OFFICIAL"
if timeout 300 docker pull -q "$OFFICIAL" >/dev/null 2>"$KBIN_CACHE/pull.log"; then
  echo "$OFFICIAL"
  exit 0
fi
say "it cannot be pulled here: $(tail -n 1 "$KBIN_CACHE/pull.log" | cut -c 1-160)"

has apt-get || die "no registry answers and this machine has no apt-get to make a Debian image with"
sh "$(dirname "$0")/packages.sh" debootstrap=debootstrap >&2
# On a Debian machine the mirror that apt has for the release itself (asked this way it needs no downloaded lists); on
# another distribution debootstrap's default.
mirror=
if grep -qx 'ID=debian' /etc/os-release; then
  mirror=$(apt-get update --print-uris | sed -n "s|^'\(http.*\)/dists/[a-z]*/InRelease'.*|\1|p" | head -n 1)
fi
say "making $MADE with debootstrap from ${mirror:-its default mirror}"
root=$(mktemp -d "${TMPDIR:-/tmp}/kbin-debian.XXXXXX")
trap 'as_root rm -rf "$root"' EXIT
# shellcheck disable=SC2086 # no mirror means no argument: debootstrap knows a default
as_root debootstrap --variant=minbase "$SUITE" "$root" $mirror >"$KBIN_CACHE/debootstrap.log" 2>&1 </dev/null || {
  tail -n 10 "$KBIN_CACHE/debootstrap.log" >&2
  die "debootstrap failed (whole log: $KBIN_CACHE/debootstrap.log)"
}
as_root rm -rf "$root/var/cache/apt/archives" "$root/var/lib/apt/lists"
as_root tar -C "$root" -c . | docker import - "$MADE" >/dev/null
echo "$MADE"

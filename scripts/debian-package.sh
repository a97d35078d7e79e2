#!/usr/bin/env bash
# debian-package.sh SUITE DIR PACKAGE…: unpacks packages of a Debian release below DIR, without installing anything.
# apt runs in a lab host: it works there on any machine that has Docker, whatever the machine's own distribution is, and
# its mirror is the one that the image was made from. The machine's own package lists are left alone.
set -euo pipefail
. "$(dirname "$0")/say.sh"

suite=$1
dir=$2
shift 2
image=$(bash "$(dirname "$0")/lab-image.sh")

# shellcheck disable=SC2016 # the script's variables are the container's
docker run --rm -i --network host -e http_proxy -e https_proxy --entrypoint /bin/sh "$image" -s "$suite" "$@" >"$dir/packages.tar" 9>&- <<'INSIDE' ||
set -eu
exec 3>&1 >&2
suite=$1
shift
mirror=$(apt-get update --print-uris | sed -n "s|^'\(.*\)/dists/[a-z]*/InRelease'.*|\1|p" | head -n 1)
mkdir -p /tmp/apt/lists/partial /tmp/apt/cache/archives/partial /tmp/root
cd /tmp/apt
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >sources.list
apt() {
  apt-get -qq -o Dir::Etc::sourcelist=/tmp/apt/sources.list -o Dir::Etc::sourceparts=/dev/null -o APT::Sandbox::User=root \
    -o Dir::State::lists=/tmp/apt/lists -o Dir::Cache=/tmp/apt/cache -o Acquire::Retries=3 "$@"
}
apt update
apt download "$@"
for package in *.deb; do dpkg-deb -x "$package" /tmp/root; done
tar -C /tmp/root -c . >&3
INSIDE
  die "could not get $* of Debian $suite"

tar -C "$dir" -xf "$dir/packages.tar"
rm "$dir/packages.tar"

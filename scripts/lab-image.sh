#!/usr/bin/env bash
# lab-image.sh: makes sure that the lab's host image exists in Docker and prints its name.
# The name carries a digest of everything that it is built from, so that an edited Dockerfile is never missed. A copy in
# the cache spares a machine with an empty Docker the build.
set -euo pipefail
. "$(dirname "$0")/say.sh"
here=$(dirname "$0")
context=$KBIN_ROOT/test/lab

digest=$(cd "$context" && find Dockerfile files -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-12)
image=kbin-lab:$digest
copy=$KBIN_CACHE/lab/kbin-lab-$digest.tar.gz

has_image() { docker image inspect "$image" >/dev/null 2>&1; }

# The moving name is for people: `docker run kbin-lab:trixie`.
finish() {
  docker tag "$image" kbin-lab:trixie
  echo "$image"
  exit 0
}

bash "$here/docker.sh" >&2
if has_image; then finish; fi
one_at_a_time
if has_image; then finish; fi

if [ -f "$copy" ]; then
  say "loading $image from the cache"
  if docker load -q -i "$copy" >&2 9>&- && has_image; then finish; fi
  say 'the copy in the cache is not usable; building it again'
  rm -f "$copy"
fi

base=$(sh "$here/lab-base.sh")
say "building $image on $base"
log=$KBIN_CACHE/lab-image.log
# --network host: the build's apt-get then resolves and reaches what this machine does, whatever its DNS.
if ! docker build --network host --build-arg http_proxy --build-arg https_proxy --build-arg "BASE=$base" \
  -t "$image" "$context" </dev/null >"$log" 2>&1 9>&-; then
  tail -n 20 "$log" >&2
  die "docker build failed (whole log: $log)"
fi

mkdir -p "${copy%/*}"
say "keeping a copy in $copy"
# Beside the target, then renamed: a cut run leaves no half copy. Older copies go, nothing can load them any more.
part=$(mktemp "$copy.XXXXXX")
trap 'rm -f "$part"' EXIT
docker save "$image" | gzip -1 >"$part"
find "${copy%/*}" -name 'kbin-lab-*.tar.gz' -delete
mv "$part" "$copy"
finish

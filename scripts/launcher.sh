#!/bin/sh
# kbin: finds a Node.js that fits (24 or newer) and runs kbin.cjs, which lies beside this file.
# KBIN_NODE names one to use. Only shell builtins on the way to the first fitting Node: each process costs time.

least=24

# The folder of this file, through any symbolic links.
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
done
program=${self%/*}/kbin.cjs
exec node "$program" "$@"

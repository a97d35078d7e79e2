#!/bin/sh
# Reads certificates on a host and changes nothing (src/observe/certificate-files.ts). No private key leaves the host: of
# what is no certificate only mode, owner and digest are told.
#
# POSIX sh; needs stat, sha256sum, od and sed as GNU coreutils or busybox have them. Arguments are `TAG:PATH`: c a file of
# certificates, k a kubeconfig, s a secret. Prints one line per finding, `KEYWORD NUMBER …`, by the argument's number;
# the first line names the format and the last is `end`, so that output that was cut off is never taken for a whole one.

export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
hex() { od -An -v -tx1 | tr -d ' \n'; }

# A key that lies in the same file is taken out first, wherever its END line is.
certificates() {
  sed -n -e '/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/,/-----END [A-Z0-9 ]*PRIVATE KEY-----/d' \
    -e '/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/,/-----END [A-Z0-9 ]*CERTIFICATE-----/p' -- "$1"
}

# The two lines of a kubeconfig that hold certificates.
embedded() { sed -n "s/^[[:space:]-]*$2:[[:space:]]*//p" -- "$1"; }

echo 'kbin-probe 1'
n=0
for a do
  path=${a#?:}
  if [ ! -e "$path" ]; then echo "absent $n"
  elif [ ! -f "$path" ] || [ ! -r "$path" ]; then echo "odd $n"
  else
    echo "file $n $(stat -L -c '%a %U %G' -- "$path")"
    case $a in
    c:*) echo "pem $n $(certificates "$path" | hex)" ;;
    k:*)
      echo "authority $n $(embedded "$path" certificate-authority-data | hex)"
      echo "client $n $(embedded "$path" client-certificate-data | hex)" ;;
    s:*) echo "sha256 $n $(sha256sum <"$path" | sed 's/ .*//')" ;;
    esac
  fi
  n=$((n + 1))
done
echo end

#!/bin/sh
# Tells which keys lie in files on a host, and changes nothing (src/observe/key-files.ts). No secret leaves the host: of a
# private key the public half is told, where there is openssl, and of an encryption key the digest.
#
# POSIX sh; needs sha256sum, od and sed as GNU coreutils or busybox have them. Arguments are `TAG:PATH`: k a file of
# certificates and keys, e an EncryptionConfiguration of kube-apiserver. Prints one line per finding, `KEYWORD NUMBER …`,
# by the argument's number; the first line names the format and the last is `end`, so that output that was cut off is never
# taken for a whole one.

export LC_ALL=C TZ=UTC
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
hex() { od -An -v -tx1 | tr -d ' \n'; }
digest() { sha256sum | sed 's/ .*//'; }

# A private key in the same file is taken out first, wherever its END line is.
public() {
  sed -n -e '/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/,/-----END [A-Z0-9 ]*PRIVATE KEY-----/d' \
    -e '/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/,/-----END [A-Z0-9 ]*CERTIFICATE-----/p' \
    -e '/-----BEGIN [A-Z0-9 ]*PUBLIC KEY-----/,/-----END [A-Z0-9 ]*PUBLIC KEY-----/p' -- "$1"
}

# openssl reads the first one of a file.
half() {
  [ "$(grep -c -e '-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----' -- "$1")" = 1 ] &&
    openssl pkey -in "$1" -passin pass: -pubout </dev/null 2>/dev/null
}

# One word of YAML, in either of its styles, or of JSON a line: `providers`, `resource NAME`, `PROVIDER`, and
# `PROVIDER:NAME:DIGEST` for each key.
encryption() {
  list= provider= name= secret=
  sed 's/[[:space:]]*#.*//' -- "$1" | tr '{},][' '\n\n\n\n\n' |
    sed 's/["'\'']//g; s/^[-[:space:]]*//; s/[[:space:]]*$//; s/:[[:space:]]*/:/' |
    while IFS= read -r word; do
      value=${word#*:}
      case $word in
      '') ;;
      resources:*) list=resources ;;
      providers:*) list=; echo providers ;;
      name:*) name=$value ;;
      secret:*) secret=$(printf '%s\n' "$value" | digest) ;;
      aescbc:* | aesgcm:* | secretbox:*) provider=${word%%:*} name= secret= ;;
      kms:* | identity:*) provider= name= secret=; echo "${word%%:*}" ;;
      *:*) ;;
      *) [ -z "$list" ] || echo "resource $word" ;;
      esac
      if [ -n "$provider" ] && [ -n "$name" ] && [ -n "$secret" ]; then
        echo "$provider:$name:$secret"
        name= secret=
      fi
    done
}

echo 'kbin-probe 1'
n=0
for a do
  path=${a#?:}
  if [ ! -f "$path" ] || [ ! -r "$path" ]; then echo "absent $n"
  else
    case $a in
    k:*)
      echo "sha256 $n $(digest <"$path")"
      echo "public $n $(public "$path" | hex)"
      if grep -q -e '-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----' -- "$path"; then echo "half $n $(half "$path" | hex)"; fi ;;
    e:*) echo "encryption $n $(encryption "$path" | hex)" ;;
    esac
  fi
  n=$((n + 1))
done
echo end

#!/usr/bin/env bash
# Installs the Debian packages that Weir needs and this machine lacks; says which. Without root it
# prints the one line to run, and fails.
#   packages.sh build          what building needs
#   packages.sh build test     and what the tests compare with
set -euo pipefail

build=(make pkg-config libmicrohttpd-dev libdeflate-dev zlib1g-dev libsqlite3-dev
    libcurl4-gnutls-dev libyaml-dev libpcre2-dev libsnappy-dev)
test=(prometheus python3-venv openssl rsyslog)

wanted=()
for group in "$@"; do
    case $group in
        build) wanted+=("${build[@]}") ;;
        test) wanted+=("${test[@]}") ;;
        *) echo "packages.sh: no group $group" >&2; exit 2 ;;
    esac
done

missing=()
for package in "${wanted[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "missing Debian packages: ${missing[*]}"
if [ "$(id -u)" -ne 0 ]; then
    echo "run:  sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    exit 1
fi
echo "installed"

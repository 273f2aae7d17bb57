#!/usr/bin/env bash
# Fetches the newest builds that Debian has of the servers Weir is compared with, without installing
# them: Prometheus 3, promtool, its node exporter, VictoriaMetrics. They are unpacked into .peers/bin.
# Idempotent and quiet. Where they cannot be had (another mirror, another architecture) it says so and
# leaves off: what compares then takes the installed `prometheus`, or leaves the comparison out.
#   peers.sh [DIR]     (default: .peers)
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(realpath -m "${1:-.peers}")
packages=(prometheus promtool prometheus-node-exporter victoria-metrics)

[ -x "$peers/bin/victoria-metrics" ] && [ -x "$peers/bin/prometheus" ] && exit 0
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -v security | head -1 || true)
if [ -z "$site" ]; then
    echo "peers: no Debian mirror is configured here" >&2
    exit 0
fi
state=$peers/apt
mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/etc" "$peers/bin"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $site sid main" >"$state/etc/sources.list"
touch "$state/status"
apt() {
    apt-get -qq -o Dir::Etc::SourceList="$state/etc/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$state/lists" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}
log=$peers/log
if ! { apt update && (cd "$state/archives" && apt download "${packages[@]}"); } >"$log" 2>&1; then
    echo "peers: could not be fetched; $log says why" >&2
    exit 0
fi
for package in "$state"/archives/*.deb; do dpkg-deb -x "$package" "$state/root"; done
cp "$state"/root/usr/bin/{prometheus,promtool,prometheus-node-exporter,victoria-metrics} "$peers/bin/"
rm -rf "$state"
"$peers/bin/prometheus" --version 2>&1 | head -1

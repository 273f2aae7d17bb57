#!/bin/sh
# Makes the Python environment with the real clients that the end-to-end tests run.
# Idempotent and quiet: does nothing when the pinned versions are there.
# Usage: Scripts/client-venv.sh [DIR]   (default: .venv)
set -eu

cd "$(dirname "$0")/.."
venv="${1:-.venv}"
wanted="influxdb-client==1.50.0 influxdb==5.3.2 elasticsearch==9.5.1
opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1
opentelemetry-exporter-zipkin-json==1.45.1 statsd==4.0.1 datadog==0.56.0 graphyte==1.7.1"

if [ "$(cat "$venv/weir-clients" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi
python3 -m venv "$venv" || {
    echo "client-venv: python3 with venv is wanted: apt-get install python3-venv" >&2
    exit 1
}
# shellcheck disable=SC2086 # words on purpose
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check $wanted
"$venv/bin/python" -c "import influxdb, influxdb_client, elasticsearch, opentelemetry.exporter.otlp.proto.http, opentelemetry.exporter.zipkin.json, statsd, datadog, graphyte"
echo "$wanted" >"$venv/weir-clients"

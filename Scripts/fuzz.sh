#!/bin/sh
# Runs every fuzz target for SECONDS each (default 30) and fails when one finds a crash.
# Corpora are kept below .build/fuzz. Usage: Scripts/fuzz.sh [SECONDS] [TARGET...]
set -eu

cd "$(dirname "$0")/.."
seconds="${1:-30}"
[ $# -gt 0 ] && shift
targets="${*:-LineProtocolFuzz JSONLogFuzz OTLPLogFuzz OTLPSpanFuzz OTLPMetricFuzz RemoteWriteFuzz MetricTextFuzz ThriftSpanFuzz PromQLFuzz LogQLFuzz TraceQLFuzz FieldFuzz SegmentFuzz}"
export WEIR_FUZZ=1
# A crashing target must end, not wait for a debugger's commands.
export SWIFT_BACKTRACE=enable=no

for target in $targets; do
    swift build --scratch-path .build/fuzz-build --sanitize=fuzzer -Xswiftc -parse-as-library \
        --product "$target" 2>&1 | grep -E "error:|warning: unre|complete" || true
    corpus=".build/fuzz/$target"
    mkdir -p "$corpus"
    echo "fuzz: $target for $seconds s"
    ".build/fuzz-build/debug/$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$corpus-" "$corpus" 2>&1 |
        tee "$corpus.log" | grep -E "ERROR|number_of_executed_units|peak_rss|Fatal|artifact" || true
    if grep -q "ERROR: libFuzzer" "$corpus.log"; then
        echo "fuzz: $target failed; see $corpus.log" >&2
        exit 1
    fi
    grep -q "number_of_executed_units" "$corpus.log" || {
        echo "fuzz: $target did not run; see $corpus.log" >&2
        exit 1
    }
done

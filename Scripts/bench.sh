#!/bin/sh
# Builds weir and its benchmark for release, and runs it. Arguments go to weir-bench.
set -eu
cd "$(dirname "$0")/.."
swift build -c release --static-swift-stdlib --product weir
swift build -c release --static-swift-stdlib --product weir-bench
exec .build/release/weir-bench "$@"

# Everything a person does with Weir's source. `make help` lists it.

SHELL := /bin/bash
JOBS ?= $(shell nproc)
SECONDS_EACH ?= 20
QUERIES ?= 10000
SEED ?= 1

.PHONY: help demo test build release format lint bench fuzz differential clean packages test-packages

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: release ## Run a server with a simulated shop, and look at it in the terminal
	@.build/release/weir demo $(ARGS)

test: test-packages ## Build, and run every test
	swift build --build-tests -j $(JOBS)
	Scripts/client-venv.sh
	SWIFT_BACKTRACE=enable=no swift test --skip-build

build: packages ## Build for debugging
	swift build -j $(JOBS)

release: packages ## Build the program as it is shipped: .build/release/weir
	swift build -c release --product weir --static-swift-stdlib -j $(JOBS)

format: ## Format the source
	swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks Fuzz

lint: ## Check format and style
	swift format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks Fuzz

bench: packages ## Measure, beside VictoriaMetrics if it is installed; ARGS=--short for a look
	Scripts/bench.sh $(ARGS)

fuzz: packages ## Fuzz the parsers, SECONDS_EACH seconds each
	Scripts/fuzz.sh $(SECONDS_EACH)

differential: packages ## Compare PromQL with a real Prometheus: QUERIES=10000 SEED=1
	Scripts/peers.sh
	swift build --product weir-differential -j $(JOBS)
	.build/debug/weir-differential --queries $(QUERIES) --seed $(SEED)

clean: ## Remove what was built
	rm -rf .build .venv .peers

packages:
	@Scripts/packages.sh build

test-packages:
	@Scripts/packages.sh build test
	Scripts/peers.sh

# make run starts everything and shows it; make test proves it. `make` lists all.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CACHE ?= $(shell go env GOCACHE 2>/dev/null | xargs dirname)/nudge
TOOLS := $(CACHE)/tools
GOLANGCI_VERSION := v2.15.0
GOLANGCI := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
GO_FILES := $(shell git ls-files '*.go' 2>/dev/null)
PACKAGES := ./...

## help: list the targets
.PHONY: help
help:
	@sed -n 's/^## /  /p' Makefile

## build: put nudged, nudge, clickhoused and nudge-bench into bin/
.PHONY: build
build:
	@echo "building into bin/ (the first time it downloads modules and takes some minutes)"
	go build -o bin/ ./cmd/...

## engine: fetch the pinned ClickHouse engine into the cache (once)
.PHONY: engine
engine: build
	@engine=$$(bin/clickhoused fetch) && echo "the ClickHouse engine is $$engine"

## run: start everything, play the example shop, keep serving
.PHONY: run
run: engine
	@bin/nudge demo

## test: unit, script, conformance, race, simulation and end-to-end tests
.PHONY: test
test: engine
	go test -timeout 15m ./...
	go test -timeout 15m -race ./actors/... ./campaign/... ./ingest/... ./internal/... ./message/... ./ops/... ./server/... ./sink/... ./storage/... ./stream/...

## sim: the seeded simulation alone; SEEDS=100000 for more (FROM=300), SEED=7 for one
SEEDS ?= 300
SEED ?=
FROM ?= 0
.PHONY: sim
sim:
	go test ./sim -run TestWorld -count=1 -timeout 60m -seeds=$(SEEDS) -from=$(FROM) $(if $(SEED),-seed=$(SEED) -v)

## fuzz: every fuzz target for FUZZTIME (default 20s); what is found is kept in testdata/fuzz
FUZZTIME ?= 20s
.PHONY: fuzz
fuzz:
	@set -e; grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z]+).*/\1/p' $$file); do \
			echo "== $$target in $$(dirname $$file)"; \
			go test $$(dirname $$file) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x; \
		done; \
	done

## bench: the figures of docs/performance.md, as a table, JSON and a page (BENCH=--large: minutes more)
BENCH ?=
.PHONY: bench
bench: engine
	bin/nudge-bench all --json bench.json --html bench.html $(BENCH)

## bench-micro: the parts by themselves; BENCHTIME=1x only shows that they run
BENCHTIME ?= 1s
.PHONY: bench-micro
bench-micro:
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $$(grep -rlE '^func Benchmark' --include='*_timing_test.go' . \
		| xargs -n1 dirname | sort -u)

## bench-peers: nudge against River + PostgreSQL; needs PostgreSQL (Debian: postgresql)
.PHONY: bench-peers
bench-peers: engine
	bin/nudge-bench peers

## check: format, lint, tidy, vet
.PHONY: check
check: lint
	@test -z "$$(gofmt -l $(GO_FILES))" || { gofmt -l $(GO_FILES); echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	go vet -tags faults ./campaign/expr ./cmd/nudged
	go mod tidy -diff
	cd bench/peers/river && go vet ./... && go mod tidy -diff

## lint: golangci-lint, pinned, installed into the cache
.PHONY: lint
lint: $(GOLANGCI)
	$(GOLANGCI) run ./...
	cd bench/peers/river && $(GOLANGCI) run ./...

$(GOLANGCI):
	@mkdir -p $(TOOLS)
	GOBIN=$(TOOLS) GOFLAGS= go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

## attacks: play the attacks of bench/attacks against the real server; ATTACKS=TestPage for some
ATTACKS ?= .
.PHONY: attacks
attacks: engine
	NUDGE_ATTACKS=1 go test ./bench/attacks -run '$(ATTACKS)' -count=1 -v -timeout 15m

## clients: install real clients of events and of ClickHouse and run them; CLIENTS=npm: those of Go and Node only
CLIENTS ?= all
.PHONY: clients
clients: engine
	bench/clients/run $(CLIENTS) $(CACHE)/clients

## clean: remove what the build made (not the data directory)
.PHONY: clean
clean:
	rm -rf bin

## extending: add a verb, a trigger, a channel, a reason and a column to a copy, and forget each place of them in turn
EXTENDING ?= .
.PHONY: extending
extending:
	NUDGE_EXTENDING=1 go test ./internal/extending -run 'TestForgetting/$(EXTENDING)' -count=1 -v -timeout 60m

## mutants: plant each bug of sim/mutants, count the worlds that find it, rewrite the table of docs/testing.md
.PHONY: mutants
mutants:
	go run ./sim/mutants -seeds=$(SEEDS) -write

## coverage: write docs/coverage.md from the markers of the tests
.PHONY: coverage
coverage:
	go run ./internal/coverage

## faults: break real servers (half an hour; as root also the disk); FAULTS=TestKill for one row, FAULT_KILLS=1000 for more kills
FAULT_KILLS ?= 25
FAULTS ?= .
.PHONY: faults
faults: engine
	NUDGE_FAULTS=1 NUDGE_FAULT_KILLS=$(FAULT_KILLS) go test ./bench/faults -run '$(FAULTS)' -count=1 -v -timeout 120m
	@cat bench/faults/report.md

# The commands themselves live in .ci/run, so that a developer and the CI run
# the same ones. A bare `make` lists the targets.

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: check
check: ## gofmt, vet, staticcheck, go.mod tidy: changes nothing
	@.ci/run gofmt vet staticcheck tidy

.PHONY: test
test: ## all tests
	@.ci/run test

.PHONY: race
race: ## all tests under the race detector, in random order
	@.ci/run race

.PHONY: fuzz
fuzz: ## every fuzzer, 10 s each (FUZZTIME=1m for longer)
	@.ci/run fuzz

.PHONY: bench
bench: ## every benchmark once (BENCHTIME=1s to measure)
	@.ci/run bench

.PHONY: cross
cross: ## build and vet for the other systems
	@.ci/run cross

.PHONY: cover
cover: ## coverage of each function by all tests, in cover.out
	go test -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out

.PHONY: ci
ci: ## all that the CI does
	@.ci/run

# Gantry. `make help` lists the targets; `make demo` and `make test` are the two that a newcomer needs.

GO       ?= go
FUZZTIME ?= 30s
FUZZ     ?= .
ROUNDS   ?= 5
SOAK     ?= 20m
CHAOS    ?= 100000

SHELL         := bash
.SHELLFLAGS   := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS     += --warn-undefined-variables --no-print-directory

.PHONY: build demo peers test soak chaos check generate bench fuzz fuzz-decoders clean help

build: ## the program, into bin/gantry
	$(GO) build -o bin/gantry ./cmd/gantry

demo: build ## a small hospital on loopback with the gateway in front of it
	bin/gantry demo

peers: ## install what the conformance suites need (apt, with root or sudo; Maven; pip)
	$(GO) run ./conformance/peers/install

# The rooms first, then the whole program between real peers; the second prints each promise that it kept.
test: peers build ## build, vet and every test with the race detector; under ten minutes on two cores
	$(GO) vet ./...
	$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v '/conformance')
	$(GO) test -race -timeout 20m -count 1 -p 1 -v ./conformance/... | sed -u '/^=== \(RUN\|PAUSE\|CONT\|NAME\)/d'
	@CI= $(GO) run ./conformance/peers/install -list

soak: peers ## no false alarm: healthy servers, every kind of check, a busy machine, for SOAK (20m)
	SOAK=$(SOAK) $(GO) test -race -timeout 0 -count 1 -v -run '^TestSoak$$' ./conformance

chaos: ## HL7 messages, CHAOS of them (100000), while receivers, network and configuration do all that they should not
	CHAOS=$(CHAOS) $(GO) test -race -timeout 0 -count 1 -v -run '^TestChaosOfMessages$$' ./conformance

check: ## what a reviewer need not look at: form, vet, staticcheck, layers, generated files, go.mod
	@out=$$(gofmt -l .); [ -z "$$out" ] || { echo "not gofmt'ed:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test ./conformance -run 'Layers|PackageDocs|Fuzzed'
	$(MAKE) generate
	@git diff --exit-code --stat -- docs conformance/STATEMENT.md || { echo "generated files were stale; commit them"; exit 1; }
	$(GO) mod tidy -diff

generate: ## write the generated documents anew
	$(GO) generate ./...

bench: peers ## measure beside HAProxy, nginx and no middle at all; writes docs/benchmarks.md (ROUNDS=5)
	$(GO) run ./conformance/bench -rounds $(ROUNDS) -out docs/benchmarks.md

# Each target runs in one lane, two lanes beside each other. FUZZ=REGEXP chooses among "FOLDER TARGET".
fuzz: ## every fuzz target for FUZZTIME (30s); FUZZ='xds|mllp' chooses
	@grep -rHoE '^func Fuzz\w+' --include='*_test.go' . | sed 's|/[^/]*:func | |' | sort -u | grep -E '$(FUZZ)' | \
	GO='$(GO)' xargs -P 2 -I TARGET bash -c 'conformance/fuzz.sh TARGET $(FUZZTIME)'

# What strangers send: PDUs, DIMSE commands, MLLP frames, HL7 headers, fields and batches, SOAP envelopes and MTOM packages.
DECODERS := dicom FuzzAssociate|dicom FuzzPDVs|dicom FuzzCommand|FuzzScanner|dicomgate FuzzAssociation|FuzzReply|mllp FuzzDecoder|FuzzDecodeHeader|FuzzParseMessage|FuzzReadPackage|FuzzEnvelope|hl7 FuzzPath|hl7 FuzzMessages

fuzz-decoders: ## the decoders of foreign bytes, 20 s each
	@$(MAKE) fuzz FUZZ='$(DECODERS)' FUZZTIME=20s

clean: ## remove what was built
	rm -rf bin dist coverage.out

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

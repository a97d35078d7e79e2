# Everything one does with this repository. On a machine with nothing but apt (or npm and Docker) each target fetches
# what it needs by itself, into ~/.cache/kbin, and says so.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kbin
NODE_ARCH := $(subst aarch64,arm64,$(subst x86_64,x64,$(shell uname -m)))
# First on PATH: the Node that scripts/node.sh got where the machine has none that fits.
export PATH := $(CACHE)/node/node_modules/node-linux-$(NODE_ARCH)/bin:$(PATH)
BIN := node_modules/.bin

# When there is no terminal to ask on, no tool shall try to.
export npm_config_update_notifier := false

##@ Try it
.PHONY: demo demo-down
demo: build lab ## three systemd hosts in Docker, a TLS etcd and a Kubernetes control plane on them, and the proof that they work
	@bash scripts/demo.sh

demo-down: node_modules/.stamp ## remove the demo's hosts and files
	@bash scripts/demo-down.sh

##@ Work on it
.PHONY: setup node lab build test unit integration lint typecheck format fuzz bench clean help
setup: node_modules/.stamp lab ## get everything: Node, npm packages, Docker engine, host image, etcd, Kubernetes, cfssl

build: node_modules/.stamp ## dist/kbin, ready to run
	@echo 'build: dist/kbin' >&2
	@node scripts/build.ts

test: node_modules/.stamp ## lint, typecheck, unit, build and integration tests; ends with "N passed, N failed"
	@node scripts/test.ts

unit: node_modules/.stamp lab ## tests without hosts, some of them against real etcd, cfssl, openssl and ssh on loopback
	@echo 'unit: tests without hosts' >&2
	@$(BIN)/vitest run --project unit $(ARGS)

integration: build lab ## tests on systemd hosts in Docker; ARGS=test/integration/lab.test.ts for one file
	@echo 'integration: tests on systemd hosts' >&2
	@$(BIN)/vitest run --project integration $(ARGS)

lint: node_modules/.stamp ## biome: rules and format, changes nothing
	@echo 'lint: biome' >&2
	@$(BIN)/biome ci .

typecheck: node_modules/.stamp ## tsc, strict
	@echo 'typecheck: tsc' >&2
	@$(BIN)/tsc --noEmit

format: node_modules/.stamp ## let biome put the files in order
	@$(BIN)/biome check --write .

fuzz: node_modules/.stamp ## 100,000 mutated inputs through everything that reads certificates, keys and their like; ARGS='COUNT SEED'
	@echo 'fuzz: about two minutes' >&2
	@node test/fuzz/fuzz.ts $(ARGS)

bench: build lab ## how fast it is, beside the tools that it is measured against
	@echo 'bench: a few minutes' >&2
	@node bench/main.ts $(ARGS)

clean: ## remove what was built here, and labs that were left behind; ~/.cache/kbin stays
	@echo 'clean: dist, coverage, abandoned labs' >&2
	@rm -rf dist coverage
	@[ ! -e node_modules/.stamp ] || ! docker info >/dev/null 2>&1 || node test/lab/cli.ts sweep

help:
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { print "\n" substr($$0, 5) } \
	  /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node:
	@bash scripts/node.sh

# Hosts to deploy to, and what goes onto them.
lab: | node
	@sh scripts/packages.sh ssh=openssh-client ssh-keygen=openssh-client openssl=openssl
	@bash scripts/lab-image.sh >/dev/null
	@bash scripts/etcd.sh >/dev/null
	@bash scripts/cfssl.sh >/dev/null
	@bash scripts/kubernetes.sh >/dev/null

node_modules/.stamp: package-lock.json | node
	@echo 'setup: npm packages, as package-lock.json has them' >&2
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2 </dev/null
	@touch $@

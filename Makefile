# Everything a contributor runs. `make demo` needs Python 3.11+, git and make, and
# nothing else: the first run makes the virtual environment. `make test` also needs
# Chromium, which looks at the HTML page: `make chromium` installs it on Debian.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := filters generator istio tests e2e

.PHONY: help demo test check fmt fmt-check lint types unit e2e chromium bench bench-build fuzz conformance second-opinion golden clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo,dev]'
	touch $(STAMP)

demo: $(STAMP) ## build the example shop, enforce it with real Envoys, print the matrix and the cost
	$(BIN)/python -m e2e.demo

test: check ## everything that CI runs

check: fmt-check lint types unit e2e

fmt: $(STAMP) ## format the code
	$(BIN)/ruff format $(CODE)

fmt-check: $(STAMP)
	$(BIN)/ruff format --check $(CODE)

lint: $(STAMP) ## lint
	$(BIN)/ruff check $(CODE)

types: $(STAMP) ## mypy strict
	$(BIN)/mypy

unit: $(STAMP) ## unit, property and differential tests
	$(BIN)/python -m pytest tests -n auto

e2e: $(STAMP) ## tests on real Envoys
	$(BIN)/python -m pytest e2e

chromium: ## install Chromium for the tests of the HTML page (Debian and Ubuntu, as root)
	command -v chromium || { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; }

bench: $(STAMP) ## what pepmesh costs, next to what people would use instead: an hour, needs wrk
	$(BIN)/python -m e2e.bench --json build/bench/results.json --markdown build/bench/results.md --svg build/bench

bench-build: $(STAMP) ## what builds of large meshes cost: time, memory, bytes
	$(BIN)/python -m e2e.bench --only build

fuzz: SECONDS ?= 600
fuzz: $(STAMP) ## differential fuzzing: oracle, CPython and Wasm agree; SECONDS=600
	$(BIN)/python -m tests.fuzz $(SECONDS)

conformance: $(STAMP) ## all cases written by others, and our own: what agrees, what differs and why
	$(BIN)/python -m tests.conformance

second-opinion: $(STAMP) ## NetworkPolicy cases compared with network-config-analyzer, in an environment apart
	test -x .venv-nca/bin/nca || ($(PYTHON) -m venv .venv-nca && .venv-nca/bin/python -m pip install --quiet --disable-pip-version-check network-config-analyzer==2.1.0)
	$(BIN)/python -m tests.conformance.second_opinion .venv-nca/bin/nca

golden: $(STAMP) ## rewrite golden files; read the diff
	PEPMESH_UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-nca build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Two commands are enough to begin: `make demo` shows what it does, `make test` proves it.
# Every target that needs packages runs `setup` first, which takes no time when nothing changed.

PYTHON =
ARGS =
BIN = .venv/bin

# Upstream CRDs that the tests validate against; `make crds` downloads them when you have none.
ifneq ($(wildcard _crds),)
GROUNDPLANE_CRDS ?= $(CURDIR)/_crds
export GROUNDPLANE_CRDS
endif

.DEFAULT_GOAL = help
.PHONY: help setup demo test check fmt generate golden bench conformance binaries plane controlplane embedded planes browser clients faults image package push crds lock clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install everything into .venv (PYTHON=python3.12 chooses the Python)
	@sh tools/setup.sh "$(PYTHON)"

demo: setup ## Tell the life of a claim on this machine: a real PostgreSQL, a backup, a table brought back
	@$(BIN)/python tools/demo.py

test: setup ## Run all tests (ARGS='-k render' runs some)
	@$(BIN)/python -m pytest -n auto $(ARGS)

check: setup ## Check style, types, layers, and that generated files are current
	@status=0; \
	$(BIN)/ruff check . || status=1; \
	$(BIN)/ruff format --check . || status=1; \
	$(BIN)/mypy || status=1; \
	$(BIN)/lint-imports --no-logo || status=1; \
	sh tools/check-generated.sh || status=1; \
	exit $$status

fmt: setup ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

generate: setup ## Write the generated files again (APIs, Compositions, tables in docs)
	@$(BIN)/python -m groundplane generate

golden: setup ## Write the goldens and the outputs in the documents again; review what changed
	@$(BIN)/python tools/golden.py
	@$(BIN)/python tools/readme.py

bench: setup ## Measure speed against its limits (BENCH=quick takes seconds)
	@$(BIN)/python tools/bench.py

conformance: setup ## Compare the offline render with Crossplane's own reconciler (needs Go)
	@$(BIN)/python -m pytest -n auto tests/conformance $(ARGS)

binaries: setup ## Find or build the programs of a real control plane (needs Go)
	@$(BIN)/python tools/binaries.py

plane: setup ## Start a real API server and Crossplane on loopback, until Ctrl-C (needs Go)
	@$(BIN)/python tools/plane.py $(ARGS)

controlplane: setup ## Run the scenarios on a real API server and Crossplane (needs Go; ARGS='-k swap' runs some)
	@$(BIN)/python tools/play.py $(ARGS)

embedded: setup ## Run the same scenarios on the embedded plane (needs the upstream CRDs; ARGS='-k swap' runs some)
	@$(BIN)/python tools/play.py --embedded $(ARGS)

planes: setup ## Hold the embedded plane against a real API server, by client-go and fabric8 too (needs Go; GROUNDPLANE_FUZZ_OBJECTS=2000 takes longer)
	@$(BIN)/python tools/compare.py $(ARGS)

browser: setup ## Use the page in a browser as people do (needs Chromium; ARGS='-k keyboard' runs some)
	@$(BIN)/python tools/browser.py $(ARGS)

clients: setup ## Connect Java, Node, Go and Python clients by a real binding (each needs its language; ARGS=pgx runs one)
	@$(BIN)/python tools/clients.py $(ARGS)

faults: setup ## Kill, fill, break and restore a machine while its databases are written to (GROUNDPLANE_KILLS=5 is short)
	@$(BIN)/python -m pytest -n 2 tests/faults $(ARGS)

# Variables that only they read, for example `make push REGISTRY=host:port ORG=team VERSION=v0.1.0`: where packages will
# be installed from, and RUNTIME_IMAGE_TARBALL or RUNTIME_IMAGE, the function's image; docs/install.md tells more.
image: setup ## Build the function's image into dist (PLATFORMS='linux/amd64'; needs Docker)
	@$(BIN)/python tools/image.py

package: setup ## Build the packages that Crossplane installs into dist
	@$(BIN)/python tools/package.py

push: setup ## Build the packages and push them (REGISTRY=host:port ORG=path)
	@$(BIN)/python tools/package.py push

crds: setup ## Download the pinned upstream CRDs into _crds
	@$(BIN)/python tools/crds.py

lock: setup ## Pin all packages again (UPGRADE=1 moves to newer versions; needs the network)
	@$(BIN)/python tools/lock.py

clean: ## Remove everything that these targets made, except downloads
	@rm -rf .venv .venv-lock .setup.log .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@rm -rf .import_linter_cache dist _output
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

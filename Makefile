# Every target works on a fresh machine that has Python 3.11 or newer, make and the package registry.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PACKAGES := tnimport config tasks workers sandbox bench deploy
CODE := $(PACKAGES) tests
SERVERS := deploy/constraints.txt
PARTS := $(addprefix tests/,domain intake bandwidth ledger tasks web webhooks cli)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE # or each of the hundreds of processes of the suite would compile everything anew

$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'tnimport needs Python 3.11 or newer: make PYTHON=python3.12 …' >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r constraints.txt
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: demo up sandbox test coverage third-party check bench torture lock settings help

demo: $(READY) ## the whole stack here, one import with failures at every stage, its report, and exit 0 when the books balance
	$(BIN)/python -m workers.demo

up: $(READY) ## the same stack until Ctrl-C; SANDBOX=0 talks to the real APIs with the credentials in the environment
	$(BIN)/python -m workers.stack

sandbox: $(READY) ## both Bandwidth APIs in a box, on SANDBOX_PORT (8900)
	$(BIN)/python -m sandbox

test: $(READY) ## the whole suite on real servers that it starts itself
	$(BIN)/python -m pytest -n 4

coverage: $(READY) ## what the tests of the parts reach and leave out, on SQLite; at least 95 %
	$(BIN)/python -m pytest -n 4 $(PARTS) -k "not postgres" --cov --cov-report=term:skip-covered --cov-fail-under=95

third-party: $(READY) ## the published Bandwidth clients, unchanged, against the sandbox; needs node and the registries
	$(BIN)/python -m pytest tests/third_party/published_clients.py --timeout=0

check: $(READY) ## format, lint, types, import contracts, dead code, audit of the declared set
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(addprefix -p ,$(PACKAGES))
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/python deploy/audit.py

bench: $(READY) ## the benchmarks, each a ratio against its yardstick; writes bench/results.json
	$(BIN)/python -m bench

torture: $(READY) ## the long fault-injection run: kills, flushes, lost answers
	$(BIN)/python -m pytest tests/torture --torture=long --timeout=0

lock: $(READY) ## pin the declared set again, with hashes and without hosts: constraints.txt, and for servers deploy/constraints.txt
	$(BIN)/pip-compile --quiet --upgrade --all-extras --output-file constraints.txt pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --constraint constraints.txt --all-build-deps --output-file $(SERVERS) pyproject.toml
	sed -i.was '/^ *# *-c constraints.txt$$/d' $(SERVERS) && rm $(SERVERS).was
	rm -rf tnimport.egg-info  # left by the build; whoever is started here would take its version for ours

settings: $(READY) ## write docs/settings.md from the settings class
	$(BIN)/python -m config.document

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

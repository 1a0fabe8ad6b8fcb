# `make help` lists the commands. They need Python 3.10, 3.11 or 3.12 and nothing else; all goes into .venv.

# The first that fits, and rather one that can make environments (Debian's can't without python3-venv).
PYTHON ?= $(shell for module in ensurepip sys; do \
	for p in python3.12 python3.11 python3.10 python3 python; do \
		$$p -c "import sys, $$module; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))" >/dev/null 2>&1 \
		&& { echo $$p; exit; }; \
	done; done)
BIN := .venv/bin
CODE = $(wildcard main.py conftest.py source_codat codat_simulator tools unit_tests integration_tests docs/examples/parts)

# What is compiled once serves the hundreds of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint airbyte-checks format docs build structure bench soak check-live release-check clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready  ## make the environment in .venv (the others do it too)

.venv/.ready: setup.py tools/scripts/setup.sh
	@sh tools/scripts/setup.sh "$(PYTHON)"

demo: setup  ## the main job against the simulator, into a DuckDB file
	@$(BIN)/python -m tools.demo

# Two tests more at once than there are cores, as many of them wait; `PYTEST_ARGS="-n 0"` runs one after the other.
# Linters and Airbyte's checks run beside them and are shown after them; the checks are left out where PYTEST_ARGS
# chooses some of the tests.
WORKERS = $(shell $(BIN)/python -c "import os; print(min(8, (os.cpu_count() or 1) + 2))")
PYTEST = $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup
LINT = .venv/lint.log
CHECKS = .venv/airbyte-checks.log
# Not $(MAKE) itself in a recipe: make runs such a line even where it is only asked (-n) what it would do.
AGAIN = $(MAKE) -s

test: setup  ## linters, types, all tests and Airbyte's own checks
	@$(if $(PYTEST_ARGS),,$(AGAIN) $(QA)/.ready 2>$(CHECKS) || true)
	@$(AGAIN) lint >$(LINT) 2>&1 & lint=$$!; \
	$(if $(PYTEST_ARGS),:,$(AGAIN) airbyte-checks >$(CHECKS) 2>&1) & checks=$$!; \
	echo "== pytest"; \
	$(PYTEST) $(wildcard unit_tests integration_tests) $(PYTEST_ARGS); status=$$?; \
	wait $$lint || status=1; \
	cat $(LINT); \
	wait $$checks || status=1; \
	$(if $(PYTEST_ARGS),,cat $(CHECKS);) exit $$status

lint: setup  ## ruff, mypy --strict and import layers, changing nothing
	@echo "== ruff check"
	@$(BIN)/ruff check .
	@echo "== ruff format"
	@$(BIN)/ruff format --check .
	@echo "== mypy --strict"
	@$(BIN)/mypy $(CODE)
	@echo "== import layers"
	@$(BIN)/lint-imports --no-cache

format: setup  ## let ruff fix and format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup  ## write the documents' tables and pictures anew
	@PYTHONPATH=. $(BIN)/python -m tools.scripts.stream_table

build: setup  ## wheel and sdist in dist/
	@$(BIN)/python -m build --outdir dist .

structure: setup  ## which part of source_codat imports which
	@$(BIN)/python -m tools.scripts.structure

bench: setup  ## speed and cost beside other ways to read; takes minutes
	@$(BIN)/python -m tools.benchmarks

soak: setup  ## random stories against the simulator, for MINUTES (10)
	@PYTHONPATH=. $(BIN)/python -m tools.soak --minutes $(or $(MINUTES),10)

check-live: setup  ## try our assumptions on the real Codat; reads only
	@$(BIN)/python -m tools.live_check

# Airbyte's checks come with another PyAirbyte than ours, so they get an environment of their own.
QA := .venv-release
$(QA)/.ready: Makefile
	@"$(PYTHON)" -c 'import sys; sys.exit("they need Python 3.11 or 3.12" if sys.version_info < (3, 11) else 0)'
	@echo "Setting up Airbyte's checks (one to two minutes the first time)"
	@"$(PYTHON)" -m venv $(QA)
	@$(QA)/bin/python -m pip install --disable-pip-version-check -qq "airbyte-internal-ops==0.132.0" "pytest>=7.4.4,<8"
	@touch $@

airbyte-checks:  ## Airbyte's own checks; minutes the first time
	@echo "== Airbyte's checks"
	@if $(AGAIN) $(QA)/.ready; then \
		$(QA)/bin/python -W ignore -m pytest -q --noconftest -p no:warnings unit_tests/test_metadata.py; \
	else echo "skipped: airbyte-internal-ops can't be installed here"; fi

release-check: $(QA)/.ready airbyte-checks build  ## wheel and sdist on every Python found; takes minutes
	@$(BIN)/python -m pytest -q unit_tests/test_packaging.py unit_tests/test_manifest.py
	@$(BIN)/python -m tools.scripts.release_check

clean:  ## remove everything the commands made
	rm -rf .venv $(QA) .demo .bench build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .tmp
	find . -name __pycache__ -not -path './.git/*' -type d -prune -exec rm -rf {} +

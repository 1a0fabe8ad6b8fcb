# `make help` lists the commands. They need Python 3.10, 3.11 or 3.12 and nothing else; all goes into .venv.

# The first that fits, and rather one that can make environments (Debian's can't without python3-venv).
PYTHON ?= $(shell for module in ensurepip sys; do \
	for p in python3.12 python3.11 python3.10 python3 python; do \
		$$p -c "import sys, $$module; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))" >/dev/null 2>&1 \
		&& { echo $$p; exit; }; \
	done; done)
BIN := .venv/bin
CODE = $(wildcard main.py source_codat codat_simulator demo live_check benchmarks soak unit_tests integration_tests)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format build bench check-live clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready  ## make the Python environment in .venv (other commands do it by themselves)

.venv/.ready: setup.py scripts/setup.sh
	@sh scripts/setup.sh "$(PYTHON)"

demo: setup  ## the main job against the bundled Codat simulator, into a DuckDB file
	@$(BIN)/python -m demo

test: lint  ## linters, types and all tests
	@echo "== pytest"
	@$(BIN)/python -m pytest $(wildcard unit_tests integration_tests) $(PYTEST_ARGS)

lint: setup  ## ruff and mypy --strict, changing nothing
	@echo "== ruff check"
	@$(BIN)/ruff check .
	@echo "== ruff format"
	@$(BIN)/ruff format --check .
	@echo "== mypy --strict"
	@$(BIN)/mypy $(CODE)

format: setup  ## let ruff fix and format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

build: setup  ## wheel and sdist in dist/
	@$(BIN)/python -m build --outdir dist .

bench: setup  ## speed and cost beside other ways to read the same records; takes minutes
	@$(BIN)/python -m benchmarks

check-live: setup  ## try our assumptions on the real Codat (CODAT_API_KEY in the environment; reads only)
	@$(BIN)/python -m live_check

clean:  ## remove everything the commands made
	rm -rf .venv .demo .bench build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .tmp
	find . -name __pycache__ -not -path './.git/*' -type d -prune -exec rm -rf {} +

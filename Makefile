# `make` lists the tasks. Every task sets up what it needs: Python packages in this folder, servers where they are missing.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/
STAMP := .venv/.synced

# Empty is off. Where a machine's default is to keep no compiled modules, each of the some hundred processes that tests
# start would compile all that it imports, which takes agno's two seconds more.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast leaks races lint types check docs bench lock clean

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dbrouter needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'

$(STAMP): $(UV) pyproject.toml requirements.lock
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip sync --quiet --python .venv/bin/python requirements.lock
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --editable .
	@touch $(STAMP)

setup: $(STAMP) ## make .venv with everything, from the lock

demo: $(STAMP) ## run the main job on embedded SQLite (SERVE=1 keeps the server up)
	$(RUN)dbrouter demo $(if $(SERVE),--serve)

test: $(STAMP) ## start the servers and run the whole suite
	$(RUN)python -m pytest -n auto --maxprocesses 4 --dist loadgroup

test-fast: $(STAMP) ## the suite without servers and real agno runs
	$(RUN)python -m pytest tests/kernel tests/config -q

leaks: $(STAMP) ## a million random calls by tenants who share hostile ids; not one row may cross
	DBROUTER_LEAKS=10 $(RUN)python -m pytest tests/tenancy/leaks -o timeout=7200

races: $(STAMP) ## a thousand rounds of every race for one record, on memory; on databases a thousand of all together
	DBROUTER_RACES=18 $(RUN)python -m pytest tests/oracle/test_races.py -o timeout=3600

lint: $(STAMP) ## ruff and the import contracts
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)lint-imports

types: $(STAMP) ## pyright on the package, mypy on the typing tests
	$(RUN)pyright
	$(RUN)mypy tests/typing

check: $(STAMP) ## generated files are what their generators write
	$(RUN)python scripts/generate.py --check

docs: $(STAMP) ## write the generated files and docs
	$(RUN)python scripts/generate.py

bench: $(STAMP) ## side by side with agno's classes and the bare drivers
	$(RUN)python -m benchmarks

lock: $(UV) ## resolve the dependencies anew
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --all-extras --group dev pyproject.toml -o requirements.lock

clean: ## remove what the other tasks made
	rm -rf .venv .tools demo-data .pytest_cache .ruff_cache .hypothesis

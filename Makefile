# Everything below runs in $(VENV), which is made on first use from requirements/*.txt (pinned, with hashes) and made
# again only when one of them changes.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
	--fork-strategy fewest --custom-compile-command "make lock" --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check static lock clean

help:
	@echo "make demo    set up and run the whole pipeline on generated speech videos (ARGS=... for options)"
	@echo "make test    set up and run the tests (ARGS=... for pytest options)"
	@echo "make check   format, lint, types, import contracts, tests"
	@echo "make static  the same without the tests"
	@echo "make lock    pin the newest versions in requirements/ (needs uv)"
	@echo "make clean   remove the environment and everything generated"

demo: $(VENV)/.installed-run
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/pulsetui demo $(ARGS); else exec $(BIN)/pulsetui demo --no-ui $(ARGS); fi

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n auto -q $(ARGS)

check: static test

static: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The build backend is pinned and installed like the rest, so building the package asks no index for anything.
$(VENV)/.installed-run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

# requirements/dev.txt holds what run.txt and build.txt hold and the tools.
$(VENV)/.installed-dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.installed-run $@

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		command -v "$$python" >/dev/null 2>&1 || continue; \
		"$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || continue; \
		"$$python" -c 'import ensurepip, venv' 2>/dev/null || { without_venv="$$python"; continue; }; \
		echo "making $(VENV) with $$("$$python" --version)"; \
		exec "$$python" -m venv $(VENV); \
	done; \
	if [ -n "$$without_venv" ]; then \
		echo "$$without_venv can't make environments: install its venv package (Debian, Ubuntu: python3-venv)" >&2; \
	else \
		echo "pulsetui needs Python 3.11, 3.12 or 3.13; python3 here is: $$(python3 --version 2>&1)" >&2; \
		echo "install one of them, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	fi; \
	exit 1

lock:
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --upgrade --constraint requirements/dev.txt pyproject.toml -o requirements/run.txt
	echo hatchling | $(COMPILE) --upgrade --constraint requirements/dev.txt - -o requirements/build.txt

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache snapshot_report.html
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

# The two commands of this project; each does all of its own set-up.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Tests wait more than they compute, so they go by more workers than there are cores.
WORKERS ?= 4

.PHONY: screenshots demo test test-all check bench lock clean

demo: $(STAMP)  ## play the three kinds of request against the sandbox, then stay up (ARGS=--once exits)
	$(BIN)/pbx-cert-bot sandbox $(ARGS)

test: $(STAMP) check  ## style, types, the import contract, every test on SQLite, and a part of the matrices (ten minutes)
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-all: $(STAMP) check  ## every test on SQLite and on PostgreSQL, and both matrices whole (forty minutes at most)
	$(BIN)/python -m pytest -n $(WORKERS) --databases sqlite,postgresql --matrix whole $(ARGS)

screenshots: $(STAMP)  ## take the README's pictures anew (needs /usr/bin/chromium, and an emoji font to look right)
	SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/browser/test_screenshots.py

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(STAMP): pyproject.toml requirements/all.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/all.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	touch $@

bench: $(STAMP)  ## measure acknowledgements, the agenda and an idle bot
	$(BIN)/python -m bench.measure 2>/dev/null

lock: $(STAMP)  ## pin anew: versions and hashes, no index addresses
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--extra test pyproject.toml requirements/build.in -o requirements/all.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

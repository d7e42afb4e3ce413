# Every target sets up what it needs in .venv; a second run finds it there.

# Python 3.11 or later.
PYTHON ?= python3
VENV ?= .venv
# The language that `make demo-translate` translates English into.
TO ?= ru
# What Keras runs on: jax, tensorflow or torch.
export KERAS_BACKEND ?= jax

BIN := $(VENV)/bin
STAMPS := $(VENV)/installed
NODE := $(STAMPS)/node/node_modules
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
# One backend where one will do; all of them, in versions that bear each other, else.
DEV := $(if $(filter jax,$(KERAS_BACKEND)),dev-jax,dev-backends)

# Options of benchmarks/run.py, as in make bench BENCH="--quick --only additive".
BENCH ?=

# Which tests `make test` runs; MARKS="not slow" runs all checks on all mechanisms,
# MARKS=browser those that open the pages in Chromium.
MARKS ?= not slow and not thorough

.DEFAULT_GOAL := help
.PHONY: demo demo-translate test check test-all bench page axe pictures fmt help

demo: $(STAMPS)/dates-$(KERAS_BACKEND)  ## Train on dates, draw alignments, write runs/demo/report.html
	$(BIN)/regard demo dates

demo-translate: $(STAMPS)/translate-dates-$(KERAS_BACKEND)  ## The same on real sentences (TO=fr: to French)
	$(BIN)/regard demo translate --to $(TO)

test: $(STAMPS)/$(DEV)  ## The tests on one backend (KERAS_BACKEND, by default jax)
	$(PYTEST) -n 2 --dist worksteal -m "$(MARKS)" $(PYTEST_ARGUMENTS)

check: $(STAMPS)/$(DEV)  ## Format, lint, types, direction of imports, rules of the project
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q tests/meta

test-all: $(STAMPS)/dev-backends  ## Every test, slow ones too, on the three backends
	for backend in jax tensorflow torch; do \
		KERAS_BACKEND=$$backend $(PYTEST) -n 2 --dist worksteal --durations=10 || exit $$?; \
	done

bench: $(BIN)/python  ## Compare with peers on this machine (BENCH="--quick": minutes)
	$(BIN)/python benchmarks/run.py $(BENCH)

page: $(NODE)/.bin/esbuild | $(BIN)/python  ## Bundle the report page's script and style anew
	$(BIN)/python src/regard/reports/bundle.py $<

axe: $(NODE)/axe-core/axe.min.js  ## Fetch what judges whether everybody can use the pages

pictures: $(STAMPS)/$(DEV)  ## Draw the pictures anew that the tests of the pages compare with
	$(BIN)/python -m tests.reports.picturing

fmt: $(STAMPS)/$(DEV)  ## Format the code and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

help:  ## Say what the targets do
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/make \1\t\2/p' Makefile | expand -t 22

# One stamp for each set of extras (dates-jax: regard[dates,jax]), renewed with
# pyproject.toml.
comma := ,
$(STAMPS)/%: pyproject.toml | $(BIN)/python
	@echo "Installing regard[$(subst -,$(comma),$*)] into $(VENV)"
	@$(PIP) --editable ".[$(subst -,$(comma),$*)]"
	@mkdir -p $(STAMPS) && touch $@

# From npm, in the version that a file names: only who changes a page needs esbuild, only
# the tests of the pages need axe-core.
fetch = npm install --silent --no-audit --no-fund --prefix $(STAMPS)/node \
	$(1)@$$(sed -n 's/^VERSION = "\([^"]*\)".*/\1/p' $<) && touch $@

$(NODE)/.bin/esbuild: src/regard/reports/bundle.py
	$(call fetch,esbuild)

$(NODE)/axe-core/axe.min.js: tests/reports/axe.py
	$(call fetch,axe-core)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Regard needs \
	Python 3.11 or later; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

# Everything happens in .venv; the stamp files say which parts of it are up to date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check parts bench clean

run: $(VENV)/.installed  ## publish events/ and serve feeds, pages and reminders
	$(BIN)/calfeed serve

test: check parts  ## linters, types and every test
	$(BIN)/pytest

check: $(VENV)/.developing  ## linters, types, and the calendars that ship
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/calfeed check events

parts: $(VENV)/.developing  ## the browser and the parsers that tests use, where they can be installed
	@tests/parts.sh $(VENV)

bench: $(VENV)/.measuring  ## the measurements the docs quote
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "calfeed needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/pip pyproject.toml Makefile
	# --group, used below, needs pip 25.1.
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/pip install --quiet --group dev
	touch $@

$(VENV)/.measuring: $(VENV)/.developing
	$(BIN)/pip install --quiet --group bench
	touch $@

# Everything happens in .venv; the stamp files say which parts of it are up to date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run test quick check parts bench swagger-ui clean

# What `make test` runs: `make test T=tests/store`.
T ?=
PURE := tests/definitions tests/ical tests/reminders tests/test_clock.py tests/test_rooms.py

run: $(VENV)/.installed  ## publish events/ and serve feeds, pages and reminders
	$(BIN)/calfeed serve

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 17

test: check parts  ## linters, types and every test; only those in T=tests/store
	$(BIN)/pytest $(T)

quick: $(VENV)/.developing  ## the fast tests of the pure rooms, in one process
	$(BIN)/pytest -n 0 -q -m "not slow and not postgresql" $(PURE)

check: $(VENV)/.developing  ## linters, types, and the calendars that ship
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/calfeed check events

parts: $(VENV)/.developing  ## install the browser and the parsers that tests use, where permitted
	@tests/parts.sh $(VENV)

bench: $(VENV)/.measuring  ## the measurements the docs quote
	$(BIN)/python -m benchmarks

# The page of the API (Apache License 2.0). After another version, `make test T=tests/browser`.
SWAGGER_UI := 5.35.0
UI := calfeed/web/api/ui

swagger-ui:  ## fetch the files of Swagger UI again, in the version SWAGGER_UI; needs npm
	folder=$$(mktemp -d) \
	&& npm pack --silent --pack-destination $$folder swagger-ui-dist@$(SWAGGER_UI) \
	&& tar -xzf $$folder/*.tgz --strip-components 1 -C $$folder \
	&& cp $$folder/swagger-ui-bundle.js $$folder/swagger-ui-bundle.js.LICENSE.txt $(UI) \
	&& cp $$folder/LICENSE $(UI)/swagger-ui-LICENSE.txt \
	&& cp $$folder/NOTICE $(UI)/swagger-ui-NOTICE.txt \
	&& sed '/sourceMappingURL/d' $$folder/swagger-ui.css > $(UI)/swagger-ui.css \
	&& rm -r $$folder

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
	$(BIN)/pip install --quiet --editable '.[channels,mail,postgresql,push]' --group dev
	touch $@

$(VENV)/.measuring: $(VENV)/.developing
	$(BIN)/pip install --quiet --group bench
	touch $@

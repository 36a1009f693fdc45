# Everything happens in .venv; the stamp files say which parts of it are up to date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help run test quick check parts docs bench dist sbom lock swagger-ui picture-fonts clean

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

docs: $(VENV)/.documenting  ## make a site of the docs in build/site
	$(BIN)/python -m sphinx -q -W --keep-going -c docs -d build/doctrees . build/site

bench: $(VENV)/.measuring  ## the measurements the docs quote
	$(BIN)/python -m benchmarks

dist: $(VENV)/.releasing  ## build the wheel and the source distribution in dist/, and check them
	rm -rf build dist
	$(BIN)/python -m build --quiet
	$(BIN)/twine check --strict dist/*

# Of an environment with what the lock file names, as only installed packages state their licences.
sbom: $(VENV)/.releasing  ## list the libraries of an installation with their licences, in dist/
	mkdir -p dist
	rm -rf build/sbom
	$(BIN)/python -m venv --without-pip build/sbom
	$(BIN)/pip --quiet --python build/sbom install --require-hashes --no-deps -r requirements.lock
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --mc-type application --sv 1.6 \
		--output-reproducible --output-file dist/calfeed.cdx.json build/sbom

# Versions already in the files stay; delete a line, or a file, for newer ones.
lock: $(VENV)/.releasing  ## write the locked versions again, after a change of pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --universal \
		--python-version 3.11 --all-extras --generate-hashes --no-annotate \
		--output-file requirements.lock pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/uv pip compile --quiet --python-platform linux \
		--python-version 3.11 --all-extras --group dev --strip-extras --no-annotate \
		--output-file constraints.txt pyproject.toml

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

# The parts of Debian's Noto fonts (SIL Open Font License) that pictures of dates are drawn with.
NOTO := /usr/share/fonts/truetype/noto
FONTS := calfeed/web/pictures/fonts
LATIN := U+0020-007E,U+00A0-036F,U+0370-03FF,U+0400-052F,U+1E00-1EFF,U+2000-209F,U+20A0-214F,U+2190-2193,U+2212,U+25CC,U+FB00-FB06
ARABIC := U+0020-007E,U+00A0,U+00AB,U+00BB,U+0600-06FF,U+0750-077F,U+08A0-08FF,U+2000-206F,U+FB50-FDFF,U+FE70-FEFF,U+25CC

picture-fonts: $(VENV)/.developing  ## make the fonts of pictures again; needs fonts-noto-core
	$(BIN)/pip install --quiet fonttools
	for name in NotoSans-Regular NotoSerif-Bold; do \
	    $(BIN)/pyftsubset $(NOTO)/$$name.ttf --unicodes=$(LATIN) --output-file=$(FONTS)/$$name.ttf \
	    --no-hinting --notdef-outline --layout-features=kern,liga,mark,mkmk,ccmp,locl; \
	done
	for name in NotoNaskhArabic-Regular NotoNaskhArabic-Bold NotoNastaliqUrdu-Bold; do \
	    $(BIN)/pyftsubset $(NOTO)/$$name.ttf --unicodes=$(ARABIC) --output-file=$(FONTS)/$$name.ttf \
	    --no-hinting --notdef-outline --layout-features='*'; \
	done

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "calfeed needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/pip pyproject.toml constraints.txt Makefile
	# --group, used below, needs pip 25.1.
	$(BIN)/pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt \
		--editable '.[channels,mail,metrics,pictures,postgresql,push,tracing]' --group dev
	touch $@

$(VENV)/.documenting: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --group docs
	touch $@

$(VENV)/.releasing: $(VENV)/.installed
	$(BIN)/pip install --quiet --group release
	touch $@

$(VENV)/.measuring: $(VENV)/.developing
	$(BIN)/pip install --quiet --group bench
	touch $@

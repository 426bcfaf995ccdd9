# Gatehouse: what one does with a clone. Needs python3 (3.11 or newer) and make, and nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
# All tests run in several processes; chosen ones in one, which starts sooner and can be stopped in a debugger.
AT_ONCE := -p tests.at_once
# No process reads the other files.
DRILLS = $(shell grep -rl --include='test_*.py' --exclude-dir=agents 'mark\.drill' tests)
TESTS ?= tests -m 'not drill' $(AT_ONCE)

# Images for containers often set it; then each of the hundreds of processes that tests start compiles everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run install test drill agents mutants check format bench lock

help: ## List these commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

# Ctrl-C: the product drains and ends with 0; make itself still reports that it was interrupted (130).
run: $(VENV)/.packages ## Start everything in one process on http://127.0.0.1:8000 (HOST, PORT, GATEWAY_DATA_DIR)
	@exec $(BIN)/python -m gateway.cli run

install: $(VENV)/.development $(VENV)/openai-2 ## Install the locked packages, those for development included

test: $(VENV)/.development $(VENV)/openai-2 ## Run the tests; choose some with TESTS=tests/gateway
	@$(BIN)/python -m pytest $(TESTS)

drill: $(VENV)/.development $(VENV)/openai-2 ## Run the long drills: kills, outages and attacks on real processes
	@$(BIN)/python -m pytest $(DRILLS) -m drill $(AT_ONCE)

agents: $(VENV)/.development $(VENV)/agents-frameworks $(VENV)/agents-aider tests/agents/node/node_modules ## Run real agents through the gateway, each with every wire format
	@$(BIN)/python -m pytest tests/agents -m drill

mutants: $(VENV)/.development ## See whether the tests notice small changes to the pure rules; some with ONLY=catalogue/
	@$(BIN)/python -m tests.mutants --only '$(ONLY)'

check: $(VENV)/.development ## Lint, format, types, import rule, migrations, system checks and API document
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yaml

format: $(VENV)/.development ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.development ## Measure both lanes against nginx and the bare upstream; PEERS=1: LiteLLM and Portkey too
	@$(BIN)/python -m benchmarks $(if $(PEERS),--peers)

lock: $(VENV)/.development ## Resolve pyproject.toml anew into its lock files
	$(COMPILE) --custom-compile-command "make lock" --upgrade -o requirements.lock pyproject.toml
	$(COMPILE) --custom-compile-command "make lock" --upgrade -c requirements.lock --extra s3 -o requirements-s3.lock pyproject.toml
	$(COMPILE) --custom-compile-command "make lock" --upgrade -c requirements.lock --group dev -o requirements-dev.lock pyproject.toml
	$(COMPILE) --custom-compile-command "make lock" --upgrade --no-deps -o tests/sdk/openai-2.lock tests/sdk/openai-2.in
	$(COMPILE) --custom-compile-command "make lock" --upgrade -o tests/agents/frameworks.lock tests/agents/frameworks.in
	$(COMPILE) --custom-compile-command "make lock" --upgrade -o tests/agents/aider.lock tests/agents/aider.in

# An environment without pip is what an interrupted or refused `venv` leaves behind.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'Gatehouse needs Python 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo 'The environment $(VENV) could not be made. On Debian and Ubuntu: apt install python3-venv.' >&2; \
	  echo 'Elsewhere: check that this folder is writable and the disk not full.' >&2; exit 1; }
	@touch $@

$(VENV)/.packages: requirements.lock | $(VENV)/.created
	@echo 'Installing the locked packages into $(VENV) (about half a minute, once) ...'
	@$(PIP) install --quiet --require-hashes -r requirements.lock || { \
	  echo 'The packages could not be installed. They come from PyPI: check the network or proxy, or name a' >&2; \
	  echo 'mirror with PIP_INDEX_URL, and run make again.' >&2; exit 1; }
	@printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m gateway.cli "$$@"\n' '$(CURDIR)' '$(abspath $(BIN))/python' > $(BIN)/gatehouse
	@chmod +x $(BIN)/gatehouse
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.packages
	@echo 'Installing the locked packages for development into $(VENV) ...'
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock || { \
	  echo 'The packages could not be installed. They come from PyPI: check the network or proxy, or name a' >&2; \
	  echo 'mirror with PIP_INDEX_URL, and run make again.' >&2; exit 1; }
	@touch $@

# The other major version of OpenAI's SDK, laid over the locked one by a test of both.
$(VENV)/openai-2: tests/sdk/openai-2.lock | $(VENV)/.development
	@rm -rf $@ $@.new
	@$(PIP) install --quiet --require-hashes --no-deps --target $@.new -r $< || { \
	  echo 'Version 2 of the package openai could not be installed from PyPI: check the network or proxy, and run make again.' >&2; exit 1; }
	@mv $@.new $@
	@touch $@

# Agents written in Python, each with its own idea of which packages it needs.
$(VENV)/agents-%: tests/agents/%.lock | $(VENV)/.development
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $@
	@$(BIN)/uv pip install --quiet --require-hashes --python $@/bin/python -r $<
	@touch $@

tests/agents/node/node_modules: tests/agents/node/package-lock.json
	@npm ci --prefix tests/agents/node --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Everything a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
RUN_STAMP := .venv/.runtime
DEV_STAMP := .venv/.dev
ARGS ?=
WORKERS ?= 3  # one more than the cores of a small machine: many tests wait for servers and clocks
CLUSTER := tests/integration/kubernetes
CLUSTER_FIRST := $(patsubst %,$(CLUSTER)/test_%.py,stories wrong_actions slow_release action_contract)

unexport PYTHONDONTWRITEBYTECODE  # the tests start this program a hundred times: compile it once

.PHONY: help demo setup test test-long test-cluster check format lock

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(RUN_STAMP)  ## start the sandbox company, its workspace and the bot; prints one URL
	@$(BIN)/sre-bot demo $(ARGS)

setup: $(RUN_STAMP)  ## create the environment in .venv/

test: $(DEV_STAMP)  ## run the tests (≤ 15 minutes on two cores)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope -m "not long and not kubernetes" $(ARGS)
	@$(BIN)/python -m pytest -m "kubernetes and not long" $(ARGS) $(CLUSTER)

test-long: $(DEV_STAMP)  ## what takes too long for every run: full matrices, many seeds, long fuzzing
	@SRE_BOT_TEST_LONG=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "long and not kubernetes" $(ARGS)

test-cluster: $(DEV_STAMP)  ## every fault, story and action on the real Kubernetes, one after the other
	@SRE_BOT_TEST_LONG=1 $(BIN)/python -m pytest -m "long and kubernetes" $(ARGS) \
	  $(CLUSTER_FIRST) $(filter-out $(CLUSTER_FIRST),$(sort $(wildcard $(CLUSTER)/test_*.py)))

check: $(DEV_STAMP)  ## format, lint, types, import contracts, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

format: $(DEV_STAMP)  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## renew the lock files from pyproject.toml (needs uv)
	uv lock --upgrade
	uv export -q --format requirements-txt --no-emit-project --no-dev --group build -o requirements.lock
	uv export -q --format requirements-txt --no-emit-project -o requirements-dev.lock

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "sre-bot needs Python 3.11 or newer; none was found on PATH."; exit 1; }
	@echo "Creating the environment in .venv/ with $(PYTHON) …"
	@$(PYTHON) -m venv .venv

$(RUN_STAMP): requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing what the bot needs (about a minute, once) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(RUN_STAMP)
	@echo "Installing the test tools …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

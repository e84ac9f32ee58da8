# Each target makes what it needs: a virtual environment in .venv with the dependencies.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format docs pictures texts bench fuzz soak clean

SECONDS := 60

run: .venv/installed
	$(BIN)/python -m bot run

test: .venv/installed-dev
	$(BIN)/python -m pytest -n auto

check: .venv/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto

format: .venv/installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: .venv/installed-dev
	$(BIN)/python -m webhook.http.asyncapi docs/asyncapi.json

pictures: .venv/installed-dev
	$(BIN)/python -m tests.card_pictures

texts: .venv/installed-dev
	$(BIN)/python -m tests.texts

bench: .venv/installed-bench
	$(BIN)/python -m benchmarks --json .bench/figures.json

fuzz: .venv/installed-fuzz
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

soak: .venv/installed-dev
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n auto -m hypothesis
	$(BIN)/python -m tests.soak.machine
	$(BIN)/python -m tests.soak.corpus
	$(BIN)/python -m tests.soak.crash
	$(BIN)/python -m tests.soak.floods
	$(BIN)/python -m tests.soak.event_bus
	$(BIN)/python -m tests.soak.discord
	$(BIN)/python -m tests.soak.refusals
	$(BIN)/python -m tests.soak.fivem

clean:
	rm -rf .venv .fuzz .bench build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CAD Sentinel needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }  # half of one would count as made

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

.venv/installed-bench: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	@touch $@

.venv/installed-fuzz: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	@touch $@

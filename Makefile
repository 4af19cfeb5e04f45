# `make serve` and `make test` work from a bare clone with only Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: serve demo test test-slow suites lint typecheck layers units servers bench clean

serve: $(VENV)/.demo
	$(BIN)/anysgi serve examples.demo:app --port $(PORT)

# A blog moves from Flask to FastAPI in four steps, while somebody keeps blogging.
demo: $(VENV)/.demo
	cd examples/flaskr-to-fastapi && $(abspath $(BIN))/python play.py

test: lint typecheck layers units servers

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports --no-cache

units: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/servers --cov --cov-report term

servers: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/servers

# Every server, every framework, real applications, soaks: minutes, not seconds. CI runs it after `make test`.
test-slow: $(VENV)/.slow suites
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

# Flask's, werkzeug's and Starlette's own tests, and Falcon's examples, from their source distributions, into build/suites.
suites: $(VENV)/.test
	$(BIN)/python -m tests.suites

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

$(VENV)/.base: pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("anysgi needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.demo: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable . --group demo
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group test --group lint
	touch $@

$(VENV)/.slow: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --group slow
	! command -v apxs || $(BIN)/python -m pip install --quiet --group mod_wsgi || echo "mod_wsgi was not built: its tests will be skipped"
	touch $@

$(VENV)/.bench: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable ".[websocket]" --group bench
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info

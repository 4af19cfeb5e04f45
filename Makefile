# `make serve` and `make test` work from a bare clone with only Python 3.11+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
PINS ?= tests/constraints.txt
COVER ?=
PIP_INSTALL := $(BIN)/python -m pip install --quiet $(if $(PINS),--constraint $(PINS))

# Images often set it; then each of the hundreds of processes of the tests would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve demo test test-slow pythons suites lint typecheck layers units servers bench pins clean

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

# `make test COVER=--cov`, which CI runs, holds the tests to a coverage too. It makes all of Python twice as slow, so
# only what adds to it is traced: examples do, properties do not.
units: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not (slow or server or soak or hypothesis)" $(COVER)

# Real servers as processes, soaks, and properties, which hypothesis marks. tests/conftest.py: a server is started once.
servers: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "(server or soak or hypothesis) and not slow"

# Every server, every framework, real applications, soaks: minutes, not seconds. CI runs it after `make test`.
test-slow: $(VENV)/.slow suites
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow

# The tests in process on other Pythons, each in an environment of its own: `make pythons OTHERS="python3.12 python3.13"`.
OTHERS ?= $(wildcard $(HOME)/.pyenv/versions/3.1[2-9]*/bin/python)

pythons:
	$(if $(OTHERS),,$(error no other Python was found: make pythons OTHERS="python3.12 python3.13"))
	for python in $(OTHERS); do \
		version=$$($$python -c 'import platform; print(platform.python_version())') && \
		$(MAKE) units PYTHON=$$python VENV=$(VENV)-$$version || exit 1; \
	done

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
	$(PIP_INSTALL) --editable . --group demo
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(PIP_INSTALL) --editable ".[all]" --group test --group lint
	touch $@

$(VENV)/.slow: $(VENV)/.test
	$(PIP_INSTALL) --group slow
	! command -v apxs || $(PIP_INSTALL) --group mod_wsgi || echo "mod_wsgi was not built: its tests will be skipped"
	touch $@

$(VENV)/.bench: $(VENV)/.base
	$(PIP_INSTALL) --editable ".[websocket]" --group bench
	touch $@

# After a green `make PINS= test test-slow`, on the oldest Python: write down what it ran with.
pins: $(VENV)/.slow
	sed -i '/^[^#]/d' tests/constraints.txt
	$(BIN)/python -m pip freeze --exclude-editable --exclude greenlet >> tests/constraints.txt

clean:
	rm -rf $(VENV) build dist *.egg-info

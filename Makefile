# casekit: `make demo` shows everything, `make test` checks everything.
# Each target sets up .venv on first use; Python 3.11 or newer is all it needs.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.setup-done
TESTS := $(BIN)/python -m pytest -m "" -n 2 --dist loadfile
CASE ?= finance
CASES ?= finance medical voice driving

# The first Python that has wheels for everything in the lock; any other is told what to do.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: help demo test coverage app lab notebooks bench lock lint setup clean

help:
	@echo "make demo   run the case studies on the embedded data; report, bundle and demo"
	@echo "make test   run every check and test"
	@echo "make coverage   the tests again, counting the lines they reach (slower)"
	@echo "make app    open the demo in the browser"
	@echo "make lab    open the notebooks in JupyterLab"
	@echo "make notebooks  run the notebooks and store their outputs"
	@echo "make bench  measure, and write the numbers into the README"
	@echo "make lint   style and types only"
	@echo "make lock   write requirements.lock anew"

demo: $(READY)
	@for case in $(CASES); do $(BIN)/casekit run $$case || exit 1; done

test: lint
	$(TESTS) --durations 25

coverage: $(READY)
	$(TESTS) --cov --cov-report term:skip-covered

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

app: $(READY)
	@$(BIN)/casekit app $(CASE) --browser

lab: $(READY)
	@$(BIN)/jupyter lab notebooks

notebooks: $(READY)
	$(BIN)/python -m core.notebooks.store notebooks/*.ipynb

bench: $(READY)
	@$(BIN)/python -m bench

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate \
		--custom-compile-command "make lock" -o requirements.lock

setup: $(READY)

clean:
	rm -rf $(VENV)

# pip's own settings (PIP_INDEX_URL, pip.conf) say where packages come from; hashes say which.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "casekit needs Python 3.11, 3.12 or 3.13, and none is on the PATH."; \
		echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "casekit needs Python 3.11 or newer, and $(PYTHON) is older or does not run."; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }
	@test -x $(BIN)/python || echo "Setting up $(VENV), once: a few minutes"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV) || { \
		rm -rf $(VENV); \
		echo "Python cannot make a virtual environment."; \
		echo "On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -m pip install --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	@touch $(READY)

# make run    open the dashboard with its samples; offline once installed
# make test   set up and run every check and every test, the real-browser ones included
# make lint   only the checks that need no tests
PYTHON ?= python3
VENV   ?= .venv
PORT   ?= 8501
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --retries 1 --quiet

.PHONY: run test lint browser clean

run: $(VENV)/run.stamp
	$(BIN)/streamlit run Home.py --server.port $(PORT)

test: lint browser
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy core

browser:
	@.ci/chromium

$(VENV)/run.stamp: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.txt
	touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	$(PIP) -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache

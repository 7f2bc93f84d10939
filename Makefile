# Every target is complete by itself: it makes .venv and installs what it needs.
PYTHON ?= python3
DEMO_SECONDS ?= 20
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 3600
STRESS_PLANS ?= 500
STRESS_SEED ?= 0
AUTOBAHN_URL ?= ws://127.0.0.1:9001

VENV := .venv
BIN := $(VENV)/bin
MODULES := $(filter-out benchmarks/% examples/% tests/%,$(sort $(wildcard *.py */*.py)))
INSTALLED := $(shell cat $(VENV)/modules 2>/dev/null)

.PHONY: demo test bench autobahn fuzz soak stress mutants coverage clean reinstall

demo: $(VENV)/modules
	$(BIN)/ticklane demo --seconds $(DEMO_SECONDS)

# Everything CI runs.
test: $(VENV)/modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing_api.py
	$(BIN)/pytest

bench: $(VENV)/modules
	$(BIN)/python benchmarks/run.py --json build/bench.json

# Needs Autobahn's fuzzing server (`wstest -m fuzzingserver`), which runs on Python 2.7 only.
autobahn: $(VENV)/modules
	$(BIN)/python tests/autobahn/run.py $(AUTOBAHN_URL)

# Guided by coverage, where atheris installs; the same properties are tested by `make test`.
fuzz: $(VENV)/modules
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check atheris
	$(BIN)/python tests/fuzz/run.py -max_total_time=$(FUZZ_SECONDS)

# An exchange on this machine that hangs up every 20 s; fails where memory grows or a count is wrong.
soak: $(VENV)/modules
	$(BIN)/python tests/soak/run.py $(SOAK_SECONDS)

# Random fault plans of one virtual hour each; a failure is printed with the command to replay it.
stress: $(VENV)/modules
	$(BIN)/python tests/stress/run.py $(STRESS_PLANS) $(STRESS_SEED)

# Bugs planted in a copy, each of which its tests must find.
mutants: $(VENV)/modules
	$(BIN)/python tests/mutants/run.py

coverage: $(VENV)/modules
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report --skip-covered

clean:
	rm -rf $(VENV) build dist *.egg-info

# The strict editable mode, which static tools can follow, links each module: a new one needs a new
# installation, so the list of modules is kept beside it.
$(VENV)/modules: setup.cfg pyproject.toml $(if $(filter-out $(MODULES),$(INSTALLED))$(filter-out $(INSTALLED),$(MODULES)),reinstall)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]" --config-settings editable_mode=strict
	@echo $(MODULES) > $@

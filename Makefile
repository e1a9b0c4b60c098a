# Every target sets up what it needs; a second run reuses what is there.
PYTHON ?= python3
REPEATS ?= 15
SWIFT_PYTHON ?= $(shell command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs test-upstream questions between faults bench corpus smoke smoke-8 clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(READY) ## migrate a copy of the colocate presets, validate it, print both launch commands
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash scripts/demo.sh

test: $(READY) ## the tests that need no ms-swift, on all cores
	$(BIN)/python -m pytest -n auto --dist worksteal --durations=15

lint: $(READY) ## ruff, mypy --strict, who may import whom, shellcheck, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/shellcheck -x scripts/*.sh tests/upstream/*.sh .ci/run
	$(BIN)/python docs/generate.py --check

docs: $(READY) ## write the generated pages of docs/
	$(BIN)/python docs/generate.py

test-upstream: $(READY) ## thousands of presets, catalogue and roles against real ms-swift; real runs on a CPU
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	$(MAKE) --no-print-directory -j 2 faults questions

# Real runs mostly wait for one process that loads, so what only computes runs beside them, and gives way. Its
# report is shown as a whole, once it is there.
questions: $(READY) ## of test-upstream all but the real runs
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	@mkdir -p build
	@nice -n 19 $(BIN)/python -m pytest tests/upstream --ignore tests/upstream/cpu > build/questions.txt 2>&1; \
	  status=$$?; cat build/questions.txt; exit $$status

between: $(READY) ## what test-upstream asks two releases, asked those in between (slow, downloads wheels)
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	$(BIN)/python -m pytest tests/upstream/between.py

faults: $(READY) ## of test-upstream the real runs alone: a server and a learner on a CPU, and every fault
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	$(BIN)/python -m pytest tests/upstream/cpu

bench: $(READY) ## time whole processes beside tools that read the same files (slow; REPEATS=15)
	@cmp --silent benchmarks/requirements.txt .venv-bench/requirements.txt || { \
	  $(PYTHON) -m venv --clear .venv-bench && \
	  .venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt && \
	  cp benchmarks/requirements.txt .venv-bench; }
	$(BIN)/python -m benchmarks --repeats $(REPEATS) --output docs/speed

corpus: $(READY) ## measure the YAML editor on real files from package indexes (slow, downloads)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group corpus
	$(BIN)/python tests/corpus/collect.py
	$(BIN)/python -m pytest tests/corpus

smoke: $(READY) ## a real server and a real learner on two GPUs; SWIFT_PYTHON has ms-swift and vLLM
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/gpu/smoke.py --python "$(SWIFT_PYTHON)" $(SMOKE)

smoke-8: $(READY) ## the split against colocate on eight GPUs; SWIFT_PYTHON has ms-swift and vLLM
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/gpu/smoke8.py --python "$(SWIFT_PYTHON)" $(SMOKE)

clean: ## remove what the other targets made
	rm -rf $(VENV) .venv-upstream .venv-upstream-oldest .venv-upstream-cpu .venv-upstream-editor .venv-upstream-hook .venv-bench build

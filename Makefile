# Every target sets up what it needs; a second run reuses what is there.
PYTHON ?= python3
REPEATS ?= 15
SWIFT_PYTHON ?= $(shell command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Real runs that may run beside the others.
BESIDE := tests/upstream/cpu/test_real_bottlenecks.py

.DEFAULT_GOAL := help
.PHONY: help demo test long coverage lowest lint docs package test-upstream questions between faults bench corpus smoke smoke-8 clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(READY) ## migrate a copy of the colocate presets, validate it, print both launch commands
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash scripts/demo.sh

# Bytecode is kept whatever the environment says: hundreds of processes import the same modules.
test: $(READY) ## the tests that need no ms-swift, on all cores, except the long ones
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist worksteal --durations=15 -m "not long"

long: $(READY) ## the long ones: every kill of a recovery, many random presets, more of the fuzz; in test-upstream, too
	$(BIN)/python -m pytest -n auto --dist worksteal --durations=15 -m long

coverage: $(READY) ## the tests once more, with the share of lines and branches that they run (slow)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group coverage
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term

lowest: $(READY) ## the tests with the oldest dependencies that pyproject.toml allows
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-lowest
	$(BIN)/uv pip install --quiet --python .venv-lowest --resolution lowest-direct --editable .
	$(BIN)/uv pip install --quiet --python .venv-lowest --group tests
	.venv-lowest/bin/python -m pytest -n auto --dist worksteal

lint: $(READY) ## ruff, mypy (tests, too), who may import whom, shellcheck, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/shellcheck -x scripts/*.sh tests/*.sh tests/upstream/*.sh .ci/run
	$(BIN)/python docs/generate.py --check

docs: $(READY) ## write the generated pages of docs/, and build the site with all links checked into build/site
	$(BIN)/python docs/generate.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group docs
	$(BIN)/python docs/screens.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

package: $(READY) ## build the sdist and the wheel into build/package/dist, check, install and test them
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group package
	bash tests/package.sh $(BIN)/python

test-upstream: $(READY) ## thousands of presets, catalogue and roles against real ms-swift; real runs on a CPU
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	$(MAKE) --no-print-directory -j 2 faults questions

# Real runs mostly wait for one process that loads, so what only computes runs beside them, and gives way; so do
# the planted bottlenecks, each of which is larger than what that takes from it. Their report is shown as a whole,
# once it is there.
questions: $(READY) ## of test-upstream the long tests, and all but most of the real runs
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	@mkdir -p build
	@{ status=0; nice -n 19 $(BIN)/python -m pytest -m long || status=1; \
	  nice -n 19 $(BIN)/python -m pytest tests/upstream --ignore tests/upstream/cpu || status=1; \
	  nice -n 19 $(BIN)/python -m pytest $(BESIDE) || status=1; } > build/questions.txt 2>&1; \
	  cat build/questions.txt; exit $$status

between: $(READY) ## what test-upstream asks two releases, asked those in between (slow, downloads wheels)
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	$(BIN)/python -m pytest tests/upstream/between.py

faults: $(READY) ## of test-upstream the other real runs: a server and a learner on a CPU, and every fault
	PYTHON=$(PYTHON) bash tests/upstream/setup.sh
	$(BIN)/python -m pytest tests/upstream/cpu --ignore $(BESIDE)

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
	rm -rf $(VENV) .venv-lowest .venv-upstream .venv-upstream-oldest .venv-upstream-cpu .venv-upstream-editor .venv-upstream-hook .venv-bench build

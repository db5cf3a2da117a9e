.DEFAULT_GOAL := help
# Else each of the tests' hundreds of processes would compile the project again.
export PYTHONDONTWRITEBYTECODE :=
export NO_MKDOCS_2_WARNING := 1
# A command, a path or a version: `make test PYTHON=3.13` makes a new .venv where it has another Python.
PYTHON ?=
BIN := .venv/bin
COMPILE = $$(command -v uv || echo .uv/bin/uv) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --quiet
WHOLE := $(if $(filter-out 0,$(FULL)),--full --timeout 3600)

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

setup: .venv/.ready  ## .venv with everything that requirements.lock names, and the command `cartum-roapp` in it

.venv/.ready: requirements.lock requirements-uv.lock pyproject.toml setup.sh $(if $(PYTHON),named-python)
	PYTHON="$(PYTHON)" sh setup.sh
	@touch $@

demo: setup  ## sandbox, database, Prefect; import, two syncs, a change; prints the summary
	$(BIN)/cartum-roapp demo $(ARGS)

test: setup  ## unit, integration, fault and browser tests, ten minutes
	$(BIN)/pytest -m "not long and not soak" -n 4 $(ARGS)

test-faults: setup  ## the long ones: kills at calls and commits, faults mixed; a fixed sample of them, FULL=1 takes all, an hour and a half
	$(BIN)/pytest -m "long and alone" -n 2 $(WHOLE) $(ARGS)
	$(BIN)/pytest -m "long and not alone" -n 3 $(WHOLE) $(ARGS)

soak: setup  ## two hours: fifty shops under faults and kills, a full disk, clocks, the size; SOAK_MINUTES=5 for less
	$(BIN)/pytest -m soak --full -s $(ARGS)

check: setup  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup  ## the site of docs/ in build/site, with every link checked
	$(BIN)/mkdocs build --quiet

bench: setup  ## speed as a ratio to a peer measured in the same run
	$(BIN)/python -m benchmarks

lock:  ## resolve requirements.lock again from pyproject.toml, and uv itself in requirements-uv.lock
	$(COMPILE) pyproject.toml --extra embedded --extra redis --group dev -o requirements.lock
	echo uv | $(COMPILE) - -o requirements-uv.lock

named-python:

.PHONY: help named-python setup demo test test-faults soak check docs bench lock

# `make train` and `make test` are all a newcomer needs: the first of either makes .venv, once (a few minutes).
# Variables: RECIPE (see `.venv/bin/zero2one recipes`), ARGS (more arguments of the command), PYTHON (3.11 or newer).

RECIPE ?= r1_zero
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/complete

.DEFAULT_GOAL := help
.PHONY: help setup train test test-all lint bench chaos clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv: every package pinned, no compiler needed

train: $(READY)  ## train a recipe here: make train RECIPE=r1_zero ARGS="run.seed=1 ppo.clip_ratio=0.1"
	@$(BIN)/zero2one train $(RECIPE) $(ARGS)

test: $(READY)  ## the tests, without the slow ones, in two processes
	@$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadscope --no-loadscope-reorder $(ARGS)

test-all: $(READY)  ## all tests
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY)  ## style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY)  ## the benchmarks, one after the other
	@set -e; for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file $(ARGS); done

chaos: $(READY)  ## random kills of everything: 200 with simulated answers, then 20 with vLLM (an hour or two)
	@$(BIN)/python -m tests.e2e.chaos --kills 200 $(ARGS)
	@$(BIN)/python -m tests.e2e.chaos --kills 20 --engine vllm $(ARGS)

clean:  ## caches and build left-overs; .venv and runs stay
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Made last, so its existence means that the installation is whole.
$(READY): docker/requirements-cpu.lock docker/install-cpu.sh pyproject.toml
	@docker/install-cpu.sh $(VENV)
	@touch $@

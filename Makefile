PYTHON ?= python3
VENV ?= .venv
# Processes of the tests: those over HTTP wait more than they compute. None is worth more than
# another: a training is nice (10), and beside tests that aren't it would wait till they end.
WORKERS ?= 3
BIN = $(VENV)/bin
export HF_HUB_OFFLINE ?= 1

.PHONY: help demo test lint format check benchmark clean

help:  ## Show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run  ## Play the bot's work with a local Telegram (EXIT=1: stop after the table, RETRAIN=1: train, too)
	$(BIN)/python -m bot demo $(if $(EXIT),--exit) $(if $(RETRAIN),--retrain)

test: $(VENV)/.dev  ## Run the tests (ARGS="-k words": some of them)
	nice -n 10 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/.dev  ## Format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test  ## Everything that CI checks

benchmark: $(VENV)/.run  ## Speed and memory as ratios of one run
	$(BIN)/python benchmarks/batcher.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/stats.py
	$(BIN)/python benchmarks/training.py $(if $(DATA),--data $(DATA))
	$(BIN)/python benchmarks/retraining.py
	$(BIN)/python benchmarks/soak.py --messages 2000 --kills 3
	$(if $(DATA),$(BIN)/python benchmarks/learning_curve.py --gold $(DATA) --out runs/learning_curve)

clean:  ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info

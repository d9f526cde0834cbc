# Everything here works on a fresh machine: `tools/setup` installs what is missing.

# Not PYTHON, which selects the interpreter that `tools/setup` makes .venv with.
VENV_PYTHON := .venv/bin/python

# Keep compiled modules; otherwise each test process compiles its imports again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup up down test check docs format wheel lowest bench bench-fleet torture

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Create .venv, and .pulumi/bin if PATH has no Pulumi
	@tools/setup

up: setup ## Start the emulator and the gateway, bring up the stack dev there, and start the monitor
	@$(VENV_PYTHON) tools/local.py up

down: setup ## Destroy the stack dev, and stop the monitor, the emulator and the gateway
	@$(VENV_PYTHON) tools/local.py down

test: setup ## Run the tests, five at a time, with a small part of the torture tests
	@$(VENV_PYTHON) -m pytest -n 5 --dist worksteal

check: setup ## Run the linters, the type checker and the import contracts
	@$(VENV_PYTHON) -m ruff check
	@$(VENV_PYTHON) -m ruff format --check
	@$(VENV_PYTHON) -m mypy
	@for each in win32 darwin; do $(VENV_PYTHON) -m mypy --platform $$each --cache-dir .mypy_cache/$$each genesys_provider || exit; done
	@for each in examples/*/; do (cd $$each && ../../$(VENV_PYTHON) -m mypy --config-file ../../pyproject.toml --cache-dir ../../.mypy_cache/examples *.py) || exit; done
	@.venv/bin/lint-imports

format: setup ## Format the sources
	@$(VENV_PYTHON) -m ruff format

docs: setup ## Write docs/resources.md from the docstrings, and build the site into site/
	@$(VENV_PYTHON) tools/resources_page.py
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet

wheel: setup ## Build the wheel, install it into an empty environment, and use it there
	@$(VENV_PYTHON) -m tools.wheel

lowest: setup ## Run a part of the tests with the lowest versions of the packages that this one needs
	@$(VENV_PYTHON) tools/lowest.py

bench: setup ## Compare with trivial resources on the same engine, and write the tables of docs/performance.md
	@$(VENV_PYTHON) -m bench

bench-fleet: setup ## Measure 2,000 targets in 20 stacks, four at a time
	@$(VENV_PYTHON) -m bench --row fleet

torture: lowest ## Run all tests at full length: kill points, faults, random histories; and the lowest versions
	@HYPOTHESIS_PROFILE=torture $(VENV_PYTHON) -m pytest --torture -n 3 --dist worksteal

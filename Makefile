.DEFAULT_GOAL := help
.PHONY: help setup run test check format lock clean
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
heading = @printf '\n== %s ==\n' "$(1)"

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install everything: system packages, .venv, locked dependencies
	@.ci/setup all

run: ## start MAD Web on this machine (PORT=8000, HOST=127.0.0.1); Ctrl-C ends it
	@.ci/setup web && exec $(BIN)/python manage.py run --host $(HOST) --port $(PORT)

check: setup ## format, lint, types, contracts, migrations
	$(call heading,Format and lint)
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/oxlint --quiet static/js tests
	$(call heading,Types)
	@$(BIN)/mypy .
	$(call heading,Contracts between rooms and floors)
	@$(BIN)/lint-imports
	$(call heading,Migrations)
	@$(BIN)/python manage.py makemigrations --check

test: check ## everything: check, then every test on SpatiaLite, then those of the database on PostGIS and Redis
	$(call heading,Tests on SpatiaLite and the filesystem broker)
	@$(BIN)/python -m tests.stack embedded
	$(call heading,Tests on PostGIS and Redis)
	@$(BIN)/python -m tests.stack deployed

format: ## put the code in order
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## work out requirements/*.txt anew from pyproject.toml (all of them, to the newest that fit)
	@.ci/lock

clean: ## remove caches and .venv; the data in var/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

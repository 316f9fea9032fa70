# Every target sets up what it needs: each works as the first command after `git clone`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FAULT ?=
OUTPUT ?= reports/output
WAIT ?= 120s
BUDGET ?= 2h
ARGS ?=

# Works from any folder: make -C /path/to/this smoke
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo smoke check report gate verify-backups test test-fast bench soak lint format readme rules silence silences lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*##/  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

$(BIN)/.run: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(BIN)/.dev: requirements-dev.lock $(BIN)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/lint/.done: requirements-lint.lock $(BIN)/.run
	@$(BIN)/python -m venv $(VENV)/lint
	@$(VENV)/lint/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-lint.lock
	@touch $@

report: $(BIN)/.run  ## every alert, for cron: honours `for` and silences, one run at a time; ARGS for pytest
	@if mkdir -p -m 700 "$(OUTPUT)" && touch "$(OUTPUT)/.lock"; \
		then set -- flock --nonblock --conflict-exit-code 75 "$(OUTPUT)/.lock"; \
		else echo "report: cannot lock the output directory; runs may overlap" >&2; fi; \
		"$$@" $(BIN)/python -m pytest --honor-for --honor-silences --output="$(OUTPUT)" $(ARGS) || { status=$$?; \
		[ $$status -ne 75 ] || echo "report: another report is being written to $(OUTPUT); nothing was judged" >&2; exit $$status; }

gate: $(BIN)/.run  ## after a deploy: sev0 and sev1, until ok twice in a row or WAIT is over; ARGS for pytest
	@exec $(BIN)/python -m reports.commands.gate --wait=$(WAIT) --output="$(OUTPUT)" $(ARGS)

verify-backups: $(BIN)/.run  ## for cron, at night: read backups that are too large for a run, within BUDGET; ARGS for pytest
	@exec $(BIN)/python -m reports.commands.verify_backups --budget=$(BUDGET) $(ARGS)

demo: $(BIN)/.dev  ## try it: start a small real Ordinaut and judge it; FAULT=workers-stopped breaks it first
	@$(BIN)/python -m sandbox demo $(FAULT)

smoke: $(BIN)/.run  ## the severity-0 alerts
	@$(BIN)/python -m pytest -m sev0

check: $(BIN)/.run  ## every alert
	@$(BIN)/python -m pytest

test: $(BIN)/.dev $(VENV)/lint/.done  ## the suite's own tests; those that need Docker where an engine answers (.ci/docker start)
	@$(BIN)/python -m pytest tests -n 3 -rs

test-fast: $(BIN)/.dev $(VENV)/lint/.done  ## the tests that need no server, no browser, no engine
	@$(BIN)/python -m pytest tests -n 3 -m "not server and not docker and not browser"

bench: $(BIN)/.dev  ## measure what a run costs, as ratios within one run; takes minutes
	@$(BIN)/python -m bench

soak: $(BIN)/.dev  ## 500 healthy and 500 broken runs in random circumstances; ARGS="--runs=50 --seed=1"
	@$(BIN)/python -m bench.soak $(ARGS)

lint: $(BIN)/.dev $(VENV)/lint/.done  ## ruff, strict mypy, the layers, and the names that checks write as strings
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(VENV)/lint/bin/lint-imports --no-logo
	@$(BIN)/python -m pytest --collect-only --quiet --quiet

format: $(BIN)/.dev  ## format the code with ruff
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

readme: $(BIN)/.dev  ## write the generated files: README's table of alerts, results.schema.json
	@$(BIN)/python -m reports.commands.readme

rules: $(BIN)/.run  ## print the alerts as Prometheus rules; ARGS="--runbooks=https://…" is where the runbooks are
	@$(BIN)/python -m reports.commands.rules $(ARGS)

silences: $(BIN)/.run  ## list the active silences, and what is wrong with them; ARGS="--target=…"
	@$(BIN)/python -m reports.commands.silences $(ARGS)

silence: $(BIN)/.run  ## silence one alert for a while: ALERT=HighQueueDepth FOR=4h COMMENT='why'
	@$(BIN)/python -m reports.commands.silences --alert="$$ALERT" --for="$$FOR" --comment="$$COMMENT" $(ARGS)

lock: $(BIN)/.dev  ## resolve the dependencies
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@for lock in "requirements.lock pyproject.toml" "requirements-dev.lock pyproject.toml --group dev" "requirements-lint.lock --group lint"; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-annotate --custom-compile-command "make lock" -o $$lock; done

clean:  ## remove what was installed and written
	@rm -rf $(VENV) .sandbox reports/output .pytest_cache .mypy_cache .ruff_cache

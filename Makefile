# Every target sets up what it needs: each works as the first command after `git clone`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FAULT ?=
OUTPUT ?= reports/output
WAIT ?= 120s
ARGS ?=

# Works from any folder: make -C /path/to/this smoke
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help demo smoke check report gate test bench lint format readme rules silence silences lock clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*##/  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

$(BIN)/.run: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(BIN)/.dev: requirements-dev.lock $(BIN)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

report: $(BIN)/.run  ## every alert, as cron wants it: honours `for` and silences, one run at a time; ARGS for pytest
	@if mkdir -p -m 700 "$(OUTPUT)" && touch "$(OUTPUT)/.lock"; \
		then set -- flock --nonblock --conflict-exit-code 75 "$(OUTPUT)/.lock"; \
		else echo "report: nothing keeps another one from being made at the same time" >&2; fi; \
		"$$@" $(BIN)/python -m pytest --honor-for --honor-silences --output="$(OUTPUT)" $(ARGS) || { status=$$?; \
		[ $$status -ne 75 ] || echo "report: another one is being made, so none was made now" >&2; exit $$status; }

gate: $(BIN)/.run  ## after a deploy: sev0 and sev1, until well twice in a row or WAIT is over; ARGS for pytest
	@exec $(BIN)/python -m reports.commands.gate --wait=$(WAIT) --output="$(OUTPUT)" $(ARGS)

demo: $(BIN)/.dev  ## try it: a small real Ordinaut, judged; FAULT=workers-stopped breaks it first
	@$(BIN)/python -m sandbox demo $(FAULT)

smoke: $(BIN)/.run  ## the severity-0 alerts
	@$(BIN)/python -m pytest -m sev0

check: $(BIN)/.run  ## every alert
	@$(BIN)/python -m pytest

test: $(BIN)/.dev  ## the suite's own tests; those that need Docker where an engine answers (.ci/docker start)
	@$(BIN)/python -m pytest tests -n 3 -rs

bench: $(BIN)/.dev  ## what it costs, as ratios within one run; minutes long
	@$(BIN)/python -m bench

lint: $(BIN)/.dev  ## ruff and strict mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(BIN)/.dev  ## let ruff lay the code out
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

readme: $(BIN)/.dev  ## write the README's table of alerts anew
	@$(BIN)/python -m reports.commands.readme

rules: $(BIN)/.run  ## the alerts as Prometheus rules, to stdout; ARGS="--runbooks=https://…" says where the runbooks are
	@$(BIN)/python -m reports.commands.rules $(ARGS)

silences: $(BIN)/.run  ## the silences that are in force, and what is wrong with them; ARGS="--target=…"
	@$(BIN)/python -m reports.commands.silences $(ARGS)

silence: $(BIN)/.run  ## keep one alert quiet for a while: ALERT=HighQueueDepth FOR=4h COMMENT='why'
	@$(BIN)/python -m reports.commands.silences --alert="$$ALERT" --for="$$FOR" --comment="$$COMMENT" $(ARGS)

lock: $(BIN)/.dev  ## resolve the dependencies anew
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@for lock in "requirements.lock" "requirements-dev.lock --group dev"; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
			--no-annotate --custom-compile-command "make lock" pyproject.toml -o $$lock; done

clean:  ## remove what was installed and written
	@rm -rf $(VENV) .sandbox reports/output .pytest_cache .mypy_cache .ruff_cache

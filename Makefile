# Everything that is fetched and built is in .work/ (see scripts/README.md).
PYTHON ?= python3
PORT ?= 8069
CSV ?= ../shared/data/incident_event_log.csv.gz
# By the environment: what a user writes in them needs no second quoting.
export ARGS CSV PORT

SETUP = $(PYTHON) scripts/setup.py
DEV = .work/venv/bin/python scripts/dev.py

.PHONY: setup run test lint replay bench clean

setup:
	@$(SETUP)

run test lint: setup
	@$(DEV) $@

replay: setup
	@$(DEV) script replay.py "$$CSV"

bench: setup
	@$(DEV) script bench

clean:
	@$(SETUP) clean

# `make help` lists what can be done here.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ARGS ?=
# A person at a terminal sees what is downloaded, a log stays short.
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check $(shell [ -t 2 ] || echo --quiet)

# Tests start many processes: each finds what another has compiled, whatever is set outside.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup python jars demo test browser check format audit bench bench-large bench-compare faults faults-spine lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | \
	  awk -F ':.*## ' '{ printf "  make %-13s %s\n", $$1, $$2 }'

setup: $(STAMP) jars ## a virtual environment with everything that is needed, and Apache Kafka

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Tongdai needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1)." >&2; \
	  echo "Name another one: make setup PYTHON=python3.12" >&2; exit 3; }

$(STAMP): requirements.lock pyproject.toml | python
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --require-hashes -r requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

jars: $(STAMP)
	@$(BIN)/python -m workers.local.fetch

demo: setup ## everything at work on this machine, with invented customers; ARGS="--rate 100"
	$(BIN)/tongdai demo $(ARGS)

test: setup ## all tests, on a real Kafka and PostgreSQL; ARGS="-k round_robin"
	$(BIN)/pytest --numprocesses=3 --dist=loadfile $(ARGS)

browser: setup ## the website's chat window in a real Chromium (apt-get install chromium); PICTURES=docs/pictures
	PICTURES=$(PICTURES) $(BIN)/pytest -m browser tests/website $(ARGS)

check: $(STAMP) ## format, lint and types, changing nothing
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP) ## format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

audit: $(STAMP) ## whether anything that is installed is known to be vulnerable; says so when it cannot find out
	@$(BIN)/python -m tests.security.audit $(ARGS)

bench: setup ## throughput and latency beside other ways to do the same; THROUGHPUT="--rounds 2" LATENCY="--rate 100"
	@mkdir -p .tongdai
	$(BIN)/tongdai bench throughput --report .tongdai/throughput.json $(THROUGHPUT)
	$(BIN)/tongdai bench latency --report .tongdai/latency.json $(LATENCY)
	$(BIN)/tongdai bench quiet --report .tongdai/quiet.json $(QUIET)
	$(BIN)/tongdai bench desk --report .tongdai/desk.json $(DESK)
	$(BIN)/tongdai bench stored --report .tongdai/stored.json $(STORED)
	$(BIN)/tongdai bench desks --report .tongdai/desks.json $(DESKS)
	$(BIN)/tongdai bench lists --report .tongdai/lists.json $(LISTS)
	$(BIN)/tongdai bench gateway --conversations 50 --report .tongdai/gateway.json $(GATEWAY)
	$(BIN)/tongdai bench visitors --report .tongdai/visitors.json $(VISITORS)
	$(BIN)/tongdai bench ingress --report .tongdai/ingress.json $(INGRESS)
	$(BIN)/tongdai bench scale --report .tongdai/scale.json $(SCALE)

bench-large: setup ## what a message costs among ten million stored conversations: takes long, and 25 GB of tables
	@mkdir -p .tongdai
	$(BIN)/tongdai bench stored --conversations 10000000 --messages 100000 --report .tongdai/large.json $(STORED)

bench-compare: setup ## whether something became slower than the recorded ratios; SHORT=1 sees large changes only
	@mkdir -p .tongdai
	$(BIN)/tongdai bench compare --report .tongdai/compare.json \
	  $(if $(SHORT),--pairs 2 --messages 10000 --tolerance 100) $(COMPARE)

faults: setup ## every fault again and again, each run checked: for hours, goes on where it stopped; ARGS="--short"
	$(BIN)/tongdai faults run --at-once 2 --document docs/reliability.md $(ARGS)

faults-spine: setup ## kills and freezes everything while messages flow, then checks that nothing is wrong
	$(BIN)/python -m faults.spine $(ARGS)

lock: $(STAMP) ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header \
	  --no-emit-find-links --no-emit-index-url -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --no-header \
	  --no-emit-find-links --no-emit-index-url -c requirements.lock -o requirements-image.lock

clean: ## remove what was built here, the virtual environment and the local servers' data
	rm -rf $(VENV) .tongdai build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

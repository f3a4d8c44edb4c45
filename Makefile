# Every target installs what it needs: Python >= 3.11, git and make are enough.
# uv is the one on PATH, else one of our own that pip puts into .venv-uv.

PYTHON ?= python3
MINUTES ?= 25
ARGS ?=

export UV_PYTHON_DOWNLOADS ?= never

# Tests start hundreds of interpreters, and each would compile all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

# The machine's certificates, where it has any: networks with a proxy of their own need them. The second name is for older uv.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= true
export UV_NATIVE_TLS ?= $(UV_SYSTEM_CERTS)
endif

UV := $(shell uv --version >/dev/null 2>&1 && command -v uv || echo .venv-uv/bin/uv)
RUN := $(UV) run --locked --quiet

.DEFAULT_GOAL := help
.PHONY: help install demo record test test-long browser simulate bench bench-start bench-queue bench-ledger bench-page kill-ledger load bench-review record-review check format lock build hooks clean

help: ## list every target
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | awk -F ':.*## ' '{printf "make %-13s %s\n", $$1, $$2}'

install: $(filter .venv-uv/%,$(UV)) ## create or update .venv exactly as uv.lock says
	@test -d .venv || echo "installing into .venv (once) ..."
	@$(UV) sync --locked --quiet

demo: install ## a roster works a small HTTP service in a temporary repository, with recorded model replies; it stays
	@$(RUN) callboard demo --keep $(ARGS)

record: install ## record the demo anew: its roster against a loopback server that says what the recording has
	@PYTHONPATH=tests/support $(RUN) python tests/support/record_demo.py

test: install ## every test that takes seconds (ARGS="-k word" chooses)
	@$(RUN) pytest -m "not long" -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: install ## the tests that take minutes; none begins after MINUTES=25
	@CALLBOARD_PROFILE=long $(RUN) pytest -m long -n 3 --dist loadfile --no-loadscope-reorder -rs --durations=15 --minutes $(MINUTES) $(ARGS)

browser: install ## a Chromium for the tests in tests/browser: the one on PATH, else Debian's, where root may install it
	@.ci/browser $(RUN) python tests/support/browsing.py

simulate: install ## the roster's decisions under 1,000 schedules of faults (ARGS="--schedules 10000"; ARGS=SEED prints one)
	@PYTHONPATH=tests/support $(RUN) python -m simulation $(ARGS)

bench: $(filter .venv-uv/%,$(UV)) ## the bus against its peers and a bare loop, in turn (ARGS=--quick: two short rounds)
	@$(RUN) --group bench python -m benchmarks.bus $(ARGS)

bench-start: install ## how long a roster takes to start, and what an agent costs; prints JSON
	@$(RUN) python benchmarks/start_up.py $(ARGS)

bench-queue: install ## what the merge queue costs beside the gate, against git merge in a checkout; prints JSON
	@$(RUN) python benchmarks/merge_queue.py $(ARGS)

bench-ledger: install ## how fast the ledger is filled, on SQLite and Postgres, and how long reports take over 1,000 runs; prints JSON
	@PYTHONPATH=tests/support $(RUN) python benchmarks/ledger.py $(ARGS)

bench-page: install ## how soon the dashboard can be used and shows what happened, with 200 tasks and 50,000 journal rows; prints JSON
	@PYTHONPATH=tests/support $(RUN) python benchmarks/page.py $(ARGS)

kill-ledger: install ## the ledger's archiver killed with -9 again and again over a million rows; SQLite, then Postgres; prints JSON
	@PYTHONPATH=tests/support $(RUN) python benchmarks/ledger_kills.py $(ARGS)

load: install ## 100 clients of a run's events and 50 requests/s while it works: rates, latencies, its slowdown (ARGS="--rounds 1 --json")
	@PYTHONPATH=tests/support:. $(RUN) python -m benchmarks.load $(ARGS)

bench-review: install ## how well reviewers find bugs, one against three; played, or asked with ARGS="--config callboard.toml"
	@$(RUN) python -m benchmarks.review $(ARGS)

record-review: install ## record what bench-review plays anew: replies that a loopback server draws with a seed
	@PYTHONPATH=tests/support:. $(RUN) python tests/support/record_review.py

check: install ## style, types, layers, compose schema, lock file, this project's own directions
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(RUN) pytest -q tests/integration/packaging/test_compose.py
	$(RUN) python .ci/directions.py
	$(UV) lock --check
	@! grep -E '(registry|url) = "' uv.lock | grep -vE '"https://(pypi\.org/simple"|files\.pythonhosted\.org/)' \
		|| { echo "uv.lock names something else than the standard public index: run 'make lock'"; exit 1; }

format: install ## put imports and layout in order
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

lock: $(filter .venv-uv/%,$(UV)) ## bring uv.lock up to pyproject.toml, from the standard public index alone
	$(UV) lock --default-index https://pypi.org/simple

build: install ## wheel and sdist into dist/
	$(UV) build

hooks: install ## run the checks before every commit
	$(RUN) pre-commit install

clean: ## remove what the other targets made
	rm -rf .venv .venv-uv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv-uv/bin/uv:
	@echo "uv is not on PATH: installing one into .venv-uv with pip (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than Python 3.11: install a newer one, or name it: make PYTHON=python3.12"; exit 1; }
	@rm -rf .venv-uv
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		$(PYTHON) -m venv .venv-uv && .venv-uv/bin/python -m pip install --quiet uv; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
		$(PYTHON) -m venv --without-pip .venv-uv && $(PYTHON) -m pip --python .venv-uv/bin/python install --quiet uv; \
	else \
		echo "$(PYTHON) has neither venv nor pip: install them (Debian: apt install python3-venv), or uv itself"; exit 1; \
	fi

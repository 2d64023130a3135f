# `make run` and `make test` work on a fresh machine: they make an environment in .venv first.
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# the first Python that iqm-client supports (3.11 to 3.14)
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.14 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null && echo $$p && break; done)
# environments of `make foreign`, and the first Python that all of their clients support
FOREIGN := iqm34 iqm35 iqm36 qdmi qrisp
FOREIGN_PYTHON ?= $(shell for p in python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && break; done)
# compiled modules start many times faster; an empty value switches the setting off
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test fast lint fmt docs docs-cost compare bench profile archives crate-check exports-check foreign times clean constraints

run: $(STAMP)
	$(BIN)/iqm-spec run experiments/ghz.yaml --server emulator

test: $(STAMP)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

fast: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pages of docs/ that are made from the code
docs: $(STAMP)
	$(BIN)/python -m tools.make_reference
	$(BIN)/python -m tools.make_generators
	$(BIN)/python -m tools.make_commands

# our transpiling and placement against others', as tables in docs/transpiling.md and calibration.md
compare: $(STAMP)
	$(BIN)/python -m tools.compare_transpile --write
	$(BIN)/python -m tools.compare_placement --write

# errors and coverage of time models on jobs left out, as a table in docs/cost-model.md
docs-cost: $(STAMP)
	$(BIN)/python -m tools.make_cost_table --write

# speed and memory beside scripts, bare Aer and iqm-client, as tables in docs/performance.md
bench: $(STAMP)
	$(BIN)/python -m tools.bench --write

# where the time of a sweep of 200 noisy points goes
profile: $(STAMP)
	$(BIN)/python -m tools.bench.profile

# small archives of all experiments, kept in git: what is stored already is left as it is
archives: $(STAMP)
	for spec in experiments/*.yaml experiments/*.toml; do \
		$(BIN)/iqm-spec run $$spec --server emulator --yes --results experiments/archives && \
		$(BIN)/iqm-spec analyze --results experiments/archives > /dev/null || exit 1; done

# archives of stored runs, checked by the public validator of RO-Crates in an environment of its own
crate-check: $(STAMP) .venv-crate/.installed
	$(BIN)/python -m tools.check_crate

.venv-crate/.installed:
	$(PYTHON) -m venv .venv-crate
	.venv-crate/bin/python -m pip install --quiet --disable-pip-version-check roc-validator==0.13.0
	@touch $@

# circuits exported by cirq, pytket, PennyLane and qrisp (an environment of its own) come out exactly
exports-check: $(STAMP) .venv-exports/.installed
	$(BIN)/python -m tools.check_exports

.venv-exports/.installed:
	$(PYTHON) -m venv .venv-exports
	.venv-exports/bin/python -m pip install --quiet --disable-pip-version-check cirq-core==1.7.0 \
		pytket==2.18.5 pennylane==0.45.1 qrisp==0.9.10
	@touch $@

# clients that others wrote, each with environments of its own, against the emulator
foreign: $(STAMP) $(FOREIGN:%=.venv-foreign/%/.installed)
	$(BIN)/python -m tools.foreign

.venv-foreign/%/.installed: tools/foreign/pins/%.txt
	@test -n "$(FOREIGN_PYTHON)" || { echo "make foreign needs Python 3.11 or 3.12" >&2; exit 1; }
	rm -rf $(@D)
	$(FOREIGN_PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# wall times of every experiment: the first run, and the second one, which only looks things up
times: $(STAMP)
	$(BIN)/python -m tools.time_runs

constraints: $(STAMP)
	echo '# What CI runs: every package, pinned. Regenerate with `make constraints`.' > constraints.txt
	$(BIN)/pip freeze --exclude-editable >> constraints.txt

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "iqm-spec needs Python 3.11 to 3.14; none was found" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,mqt,dask,stim]'
	@touch $(STAMP)

clean:
	rm -rf $(VENV) .venv-crate .venv-exports .venv-foreign build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

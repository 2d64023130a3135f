"""Run every client of `cases.py` against an emulator; exit 1 if one of them failed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from attrs import frozen

from iqm_spec.emulator import Options, start
from tools.foreign.cases import CASES, DUT_LABELS, Case

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-foreign"
SPEED = 1000.0
"""Modelled seconds per real one: jobs take milliseconds."""
MOST_S = 900
"""The longest that a script may take, seconds: Qrisp compiles for minutes on two cores."""
WIDTH = 100


@frozen
class Told:
    """What a script told of itself; `wrong` is empty where all went well."""

    client: str
    version: str
    did: tuple[str, ...]
    wrong: str


def python_of(environment: str) -> Path:
    """The Python of an environment."""
    return ENVIRONMENTS / environment / "bin" / "python"


def run(case: Case, url: str) -> Told:
    """Run a script to its end and read the last line that it printed."""
    python = str(python_of(case.environment))
    command = [python, "-m", f"tools.foreign.clients.{case.script}", url, *case.arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=MOST_S, check=False, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return Told(case.script, "", (), f"not done after {MOST_S} s")
    try:
        line = json.loads(done.stdout.strip().rpartition("\n")[2])
        told = Told(line["client"], line["version"], tuple(line["did"]), line["wrong"])
    except (ValueError, KeyError):
        told = Told(case.script, "", (), f"it ended with {done.returncode} and told nothing")
    if told.wrong or done.returncode:
        print(done.stderr[-3000:], file=sys.stderr)
    return told


def row(case: Case, told: Told, seconds: float) -> str:
    """A script in the table: client, version, time and result; then what it did."""
    result = "FAILED" if told.wrong else "ok"
    head = f"{told.client:<26}{told.version:<9}{case.name:<28}{seconds:>5.0f} s  {result}"
    words = told.wrong or "; ".join(told.did)
    return f"{head}\n{textwrap.fill(words, WIDTH, initial_indent='    ', subsequent_indent='    ')}"


def main() -> int:
    """Run; the exit code tells whether all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="", help="cases with this in their name")
    asked = parser.parse_args()
    cases = [case for case in CASES if asked.only in case.name]
    missing = {case.environment for case in cases if not python_of(case.environment).exists()}
    if missing or not cases:
        print(f"missing in .venv-foreign: {', '.join(sorted(missing)) or 'such a case'}")
        print("`make foreign` makes the environments")
        return 2
    failed = []
    with start(Options(speed=SPEED, seed=1, dut_labels=DUT_LABELS)) as emulator:
        for case in cases:
            begin = time.monotonic()
            told = run(case, emulator.url)
            failed += [case.name] if told.wrong else []
            print(row(case, told, time.monotonic() - begin), flush=True)
    print(f"{len(cases) - len(failed)} of {len(cases)} ran", *failed, sep="; failed: ")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

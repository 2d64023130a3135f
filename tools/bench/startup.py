"""Whole processes against `python -c pass`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tools.bench import specs
from tools.bench.report import Section, at_most, same
from tools.bench.rounds import Side, iqm_spec, measure, process

ROUNDS = 9
REFERENCE = "python -c pass"
GOALS = {
    "--help": 8,
    "--version": 8,
    "validate": 25,
    "validate, a new file": 80,
    "run, all of it stored": 30,
    "status": 25,
    "ledger": 25,
}


def section(folder: Path, rounds: int | None, tell: Callable[[str], None]) -> Section:
    """Commands that have nothing to compute."""
    spec = specs.ansatz(folder, 20, noise="ideal")
    results = folder / "startup"
    process(*iqm_spec("run", spec, "--results", results))
    unseen = _unseen(folder)
    sides: dict[str, Side] = {
        REFERENCE: lambda: process(sys.executable, "-c", "pass"),
        "--help": lambda: process(*iqm_spec("--help")),
        "--version": lambda: process(*iqm_spec("--version")),
        "validate": lambda: process(*iqm_spec("validate", spec)),
        "validate, a new file": lambda: process(*iqm_spec("validate", unseen())),
        "run, all of it stored": lambda: process(*iqm_spec("run", spec, "--results", results)),
        "status": lambda: process(*iqm_spec("status", "--results", results)),
        "ledger": lambda: process(*iqm_spec("ledger", "--results", results)),
    }
    found = measure(sides, REFERENCE, rounds or ROUNDS, tell)
    again = same(found, REFERENCE)
    lines = []
    for name, goal in GOALS.items():
        ratio = found.ratio(lambda run, name=name: run[name].seconds / run[REFERENCE].seconds)  # type: ignore[misc]
        seconds = found.ratio(lambda run, name=name: run[name].seconds)  # type: ignore[misc]
        lines.append(at_most(name, ratio, goal, again, f"{seconds.median * 1000:.0f} ms"))
    words = (
        "Complete processes, divided by `python -c pass` in the same round. Modules are compiled."
    )
    return Section("Start-up", words, lines)


def _unseen(folder: Path) -> Callable[[], Path]:
    """A spec with a QASM file whose bytes were never there before, each time it is called."""
    counter = iter(range(1, 10_000))

    def write() -> Path:
        number = next(counter)
        text = (
            'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\n'
            f"h q[0];\ncx q[0],q[1];\nrz({number}e-7 + 0.{folder.name.encode().hex()[:9]}) q[0];\n"
            "measure q -> c;\n"
        )
        (folder / f"unseen{number}.qasm").write_text(text, encoding="utf-8")
        spec = specs.HEAD.format(name="unseen", target="garnet", noise="ideal")
        path = folder / f"unseen{number}.yaml"
        path.write_text(f"{spec}circuits:\n  - qasm: unseen{number}.qasm\n", encoding="utf-8")
        return path

    return write

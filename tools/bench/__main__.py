"""Measures sections and prints their tables; `--write` puts them into docs/performance.md.

python -m tools.bench [SECTION ...] [--rounds N] [--write]
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from tools.bench.report import show, write

SECTIONS = (
    "startup",
    "sweeps",
    "limit",
    "workers",
    "planning",
    "crosscheck",
    "methods",
    "results",
    "outcomes",
    "folder",
)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], metavar="SECTION")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as place:
        os.environ["IQM_SPEC_CACHE"] = f"{place}/cache"
        for name in asked.sections or SECTIONS:
            folder = Path(place) / name
            folder.mkdir()
            module = importlib.import_module(f"tools.bench.{name}")
            section = module.section(
                folder, asked.rounds, lambda text: print(text, file=sys.stderr)
            )
            found.append(section)
            print(next(show([section])), flush=True)
            if asked.write:
                write([section])
    return 0 if all(line.met is not False for part in found for line in part.lines) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The table between two markers of a Markdown page: printed, or with `--write` put in its place."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def show_or_write(table: Callable[[], str], page: Path, description: str | None) -> int:
    """The whole of a tool that makes one table; returns its exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    text = table()
    if write:
        before, rest = page.read_text(encoding="utf-8").split(BEGIN)
        whole = f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"
        page.write_text(whole, encoding="utf-8")
    else:
        print(text)
    return 0

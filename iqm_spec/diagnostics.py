"""Mistakes in a file as data, and how they are shown.

```
experiments/ghz.yaml:12:8: error[S203]: `shots` must be a whole number, got the text "1k"
   12 | shots: 1k
      |        ^^
   hint: write 1000
```
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from attrs import frozen

from iqm_spec.json_types import Json

_LONGEST_EXCERPT = 160


@frozen(order=True)
class Span:
    """A place in a file: line and columns count from 1, in characters; `end_column` excluded."""

    line: int
    column: int
    end_column: int


NOWHERE = Span(1, 1, 1)
"""Stands for a whole file."""


@frozen(order=True)
class Diagnostic:
    """One mistake: where it is, what it is, and what to do about it. Sorts by file and place."""

    file: str
    span: Span
    code: str
    message: str
    hint: str = ""
    severity: str = "error"

    def to_json(self) -> dict[str, Json]:
        """The keys that scripts rely on (`--json`)."""
        return {
            "file": self.file,
            "line": self.span.line,
            "column": self.span.column,
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "hint": self.hint,
        }


def render(diagnostics: Iterable[Diagnostic], line_of: Callable[[str, int], str | None]) -> str:
    """Text of `diagnostics` for people; `line_of(file, line)` gives a source line or None.

    A caret below the source line marks the place; long lines are cut around it.
    """
    lines = []
    for item in diagnostics:
        span = item.span
        place = f"{item.file}:{span.line}:{span.column}"
        lines.append(printable(f"{place}: {item.severity}[{item.code}]: {item.message}"))
        line = line_of(item.file, span.line)
        if line is not None and line.strip():
            is_long = len(line) > _LONGEST_EXCERPT
            start = max(0, span.column - _LONGEST_EXCERPT // 2) if is_long else 0
            excerpt = printable(line[start : start + _LONGEST_EXCERPT], " ")
            before = span.column - 1 - start
            width = max(1, min(span.end_column - span.column, len(excerpt) - before))
            lines.append(f"{span.line:5d} | {excerpt}")
            lines.append(f"{' ' * len(f'{span.line:5d}')} | {' ' * before}{'^' * width}")
        if item.hint:
            lines.append(f"   hint: {printable(item.hint)}")
    return "\n".join(lines)


def printable(text: str, instead: str = "?") -> str:
    """`text` without what a terminal would take for commands: specs come from strangers."""
    return "".join(char if char.isprintable() else instead for char in text)


_MULTIPLE_OF_PI = re.compile(
    r"\s*(?P<sign>-?)\s*(?:(?P<times>\d+(?:\.\d+)?)\s*\*?\s*)?(?:pi|π)"
    r"\s*(?:/\s*(?P<over>\d+(?:\.\d+)?))?\s*",
    re.IGNORECASE,
)


def number_meant(text: str) -> str:
    """`write 1.5707963267948966: ...` for `pi/2` and the like; a spec has no expressions."""
    match = _MULTIPLE_OF_PI.fullmatch(text)
    if match is None or not float(match["over"] or 1):
        return ""
    value = math.pi * float(match["times"] or 1) / float(match["over"] or 1)
    return f"write {-value if match['sign'] else value!r}: there are no expressions in a spec"


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean shots?` or an empty string; for hints about misspelt names."""
    from difflib import get_close_matches

    matches = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(matches)}?" if matches else ""


TreePath = tuple[str | int, ...]
"""Keys and list positions that lead to a value in a spec's tree: `("circuits", 0, "qasm")`."""


@frozen
class Problem:
    """A mistake at a place of the tree, before it has a file and a line (`Source.diagnose`).

    `on_key` points at the key instead of its value.
    """

    path: TreePath
    code: str
    message: str
    hint: str = ""
    on_key: bool = False

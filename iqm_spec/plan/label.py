"""Labels of points, short values and counted nouns in messages."""

from __future__ import annotations

from iqm_spec.diagnostics import printable
from iqm_spec.model import Values


def label(name: str, values: Values, repeat: int = 0) -> str:
    """`ghz n=3 #2`: a circuit at a point, with the number of its repeat from the second on."""
    words = [printable(name), *(f"{axis}={short(value)}" for axis, value in values)]
    return " ".join(words if repeat == 0 else [*words, f"#{repeat + 1}"])


_LONGEST = 24


def short(value: object) -> str:
    """A value in few characters: four digits of a float, the beginning of a list."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, tuple | list):
        text = ",".join(short(item) for item in value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return printable(str(value))


def count(number: int, noun: str) -> str:
    """`1 point`, `2 points`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

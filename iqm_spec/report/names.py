"""How values, points and stages are called in a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iqm_spec.diagnostics import printable
from iqm_spec.engine.event_lines import stage_label
from iqm_spec.plan.label import count, label, short
from iqm_spec.plan.plan import PlannedPoint

LONGEST = 300
"""Characters of a text from outside in a cell or a caption."""


def clean(text: object, most: int = LONGEST) -> str:
    """A text of strangers on one line: no control characters, not longer than `most`."""
    line = printable(" ".join(str(text).split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def value(item: object) -> str:
    """A value of an axis."""
    return clean(short(item), 60)


def point_name(point: PlannedPoint) -> str:
    """A point as people read it."""
    return clean(label(point.name, point.values, point.repeat), 120)


def axis_label(values: Mapping[str, Any]) -> str:
    """`n = 3, theta = 0.5`."""
    return clean(", ".join(f"{name} = {value(item)}" for name, item in values.items()), 160)


def stage_name(stage: str, emulated: bool, noisy: bool = True) -> str:
    """`aer, with noise`, `hardware`, `hardware (emulated)`."""
    if stage == "aer":
        return "aer, with noise" if noisy else "aer, without noise"
    return stage_label(stage, emulated)


def with_error(number: float, error: float | None) -> str:
    """`0.951 ± 0.007`."""
    if error is None:
        return f"{number:.4g}"
    digits = 3 if error >= 0.001 or error == 0 else 4
    return f"{number:.{digits}f} ± {error:.{digits}f}"


def merit_title(name: str) -> str:
    """`hellinger_fidelity` as a title: `Hellinger fidelity`."""
    title = clean(name.replace("_", " "), 60)
    return " ".join(_CAPITALS.get(word, word) for word in (title[:1].upper() + title[1:]).split())


_CAPITALS = {"Ghz": "GHZ", "ghz": "GHZ", "us": "(µs)", "khz": "(kHz)"}


def seconds(time: float | None) -> str:
    """A time in the unit that fits."""
    if time is None:
        return "not reported"
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if time >= 2 * size:
            return f"{time / size:.3g} {unit}"
    return f"{time:.3g} s"


def listed(names: list[str], most: int = 8) -> str:
    """The first few names, and how many more there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def left_out(rest: int, noun: str, command: str = "") -> str:
    """How many rows a table leaves out, and which command shows them; empty for none."""
    if not rest:
        return ""
    where = f"; the command iqm-spec {command} has all" if command else ""
    return f"{count(rest, f'more {noun}')} not listed{where}."


def thinned(total: int, most: int) -> list[int]:
    """Which of `total` things are shown where `most` can be: evenly, from first to last."""
    if total <= most:
        return list(range(total))
    if most == 1:
        return [0]
    return sorted({round(i * (total - 1) / (most - 1)) for i in range(most)})

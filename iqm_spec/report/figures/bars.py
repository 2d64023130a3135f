"""Outcomes side by side: ideal, simulated, measured, one row of bars per bitstring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from attrs import frozen

from iqm_spec.plan.label import count
from iqm_spec.report.figures import svg
from iqm_spec.report.figures.scale import Scale, figure, ticks
from iqm_spec.report.figures.svg import Picture, num, wide

WIDTH = 400.0
MOST_OUTCOMES = 16
_BAR, _GAP = 8.0, 7.0
_LONGEST_BITS = 26


@frozen
class Outcomes:
    """Probabilities by bitstring under one name; `shots` None where they are not counted.

    `whole`: outcomes that are not named have probability 0.
    """

    name: str
    probabilities: Mapping[str, float]
    color: int
    shots: int | None = None
    whole: bool = True


def bars(sets: Sequence[Outcomes], label: str, *, tips: bool = True) -> Picture:
    """Bars of the most frequent outcomes, and of all others together."""
    shown, rest = most_frequent(sets)
    rows = [*shown, *([None] if rest else [])]
    left = 14 + max([wide(_short(bits), 11) for bits in shown] + [wide(_others(rest), 11)])
    top = 8.0 + 17 * _legend_rows(sets)
    tall = _BAR * len(sets) + _GAP
    bottom = top + tall * len(rows)
    most = max((_end(one, bits) for one in sets for bits in shown), default=1.0)
    across = Scale(0.0, max(most * 1.04, 1e-9), left, WIDTH - 14)
    parts = [_legend(sets), _axis(across, top, bottom)]
    places = [(bits, top + i * tall + _GAP / 2) for i, bits in enumerate(rows)]
    for bits, y in places:
        name = _others(rest) if bits is None else _short(bits)
        css = "s" if bits is None else "m"
        parts.append(svg.text(left - 6, y + tall / 2, name, css, "end"))
        if bits is None:
            parts.append(_together(sets, shown, across.start + 5, y + tall / 2))
    for i, one in enumerate(sets):
        own = [(bits, y + i * _BAR) for bits, y in places if bits is not None]
        parts.append(_set(one, own, across, tips))
    return Picture(WIDTH, bottom + 34, "".join(parts), label)


def most_frequent(sets: Sequence[Outcomes]) -> tuple[list[str], int]:
    """The outcomes that are shown, in the order of their bits, and the number of the others."""
    best: dict[str, float] = {}
    for one in sets:
        for bits, value in one.probabilities.items():
            best[bits] = max(value, best.get(bits, 0.0))
    seen = {bits: value for bits, value in best.items() if value > 1e-6}
    order = sorted(seen, key=lambda bits: (-seen[bits], bits))
    return sorted(order[:MOST_OUTCOMES]), max(0, len(order) - MOST_OUTCOMES)


def _end(one: Outcomes, bits: str) -> float:
    """Where a bar ends, its error with it."""
    value = one.probabilities.get(bits, 0.0)
    return value + (sqrt(value * max(0.0, 1 - value) / one.shots) if one.shots else 0.0)


def _together(sets: Sequence[Outcomes], shown: Sequence[str], x: float, y: float) -> str:
    """What each set has left for the outcomes without bars of their own, under its key."""
    parts = [svg.text(x, y, "together", "s")]
    x += wide("together", 11) + 8
    for one in sets:
        named = sum(one.probabilities.get(bits, 0.0) for bits in shown)
        left = max(0.0, sum(one.probabilities.values()) - named)
        told = f"{left:.3f}" if one.whole else "not known"
        parts += [_key(one, x, y - 1), svg.text(x + 13, y, told, "s")]
        x += 13 + wide(told, 11) + 10
    return "".join(parts)


def _set(one: Outcomes, places: Sequence[tuple[str, float]], across: Scale, tips: bool) -> str:
    """All bars of one set, by outcome and height on the page; one path where they need no tips."""
    css = "hollow" if one.shots is None else "bar"
    drawn, whiskers, joined = [], "", ""
    for bits, y in places:
        value = one.probabilities.get(bits, 0.0)
        if value <= 0:
            continue
        wide_, tall = across(value) - across.start, _BAR - 1.6
        if tips:
            tip = f"{bits} {one.name}: {value:.4f}"
            drawn.append(svg.rect(across.start, y + 0.8, wide_, tall, css, tip))
        else:
            corner = f"M{num(across.start)} {num(y + 0.8)}"
            joined += f"{corner}h{num(wide_)}v{num(tall)}h{num(-wide_)}z"
        if one.shots:
            high = _end(one, bits)
            low, end = across(max(0.0, 2 * value - high)), across(high)
            whiskers += f"M{num(low)} {num(y + 4)}H{num(end)}"
    drawn += [svg.path(joined, css)] if joined else []
    drawn += [svg.path(whiskers, "whisker")] if whiskers else []
    return svg.group(f"c{one.color}", *drawn)


def _legend(sets: Sequence[Outcomes]) -> str:
    parts = []
    for (x, y), one in zip(_legend_places(sets), sets, strict=True):
        parts += [_key(one, x, y), svg.text(x + 15, y, one.name, "s")]
    return "".join(parts)


def _key(one: Outcomes, x: float, y: float) -> str:
    """The small square that stands for a set; its lower left corner."""
    css = "hollow" if one.shots is None else "bar"
    return svg.group(f"c{one.color}", svg.rect(x, y - 9, 10, 10, css))


def _legend_places(sets: Sequence[Outcomes]) -> list[tuple[float, float]]:
    places, x, y = [], 8.0, 13.0
    for one in sets:
        width = 26 + wide(one.name, 11)
        if x > 8 and x + width > WIDTH:
            x, y = 8.0, y + 17
        places.append((x, y))
        x += width
    return places


def _legend_rows(sets: Sequence[Outcomes]) -> int:
    return round((_legend_places(sets)[-1][1] - 13) / 17) + 1 if sets else 0


def _axis(across: Scale, top: float, bottom: float) -> str:
    parts = []
    for tick in ticks(0.0, across.high):
        x = across(tick)
        parts.append(svg.line(x, top, x, bottom, "grid"))
        parts.append(svg.text(x, bottom + 14, figure(tick), "s", "middle"))
    parts.append(svg.line(across.start, top, across.start, bottom, "axis"))
    parts.append(
        svg.text((across.start + across.end) / 2, bottom + 29, "probability", "s", "middle")
    )
    return "".join(parts)


def _short(bits: str) -> str:
    """A bitstring that fits: the middle of a long one is left out."""
    if len(bits) <= _LONGEST_BITS:
        return bits
    half = _LONGEST_BITS // 2 - 1
    return f"{bits[:half]}…{bits[-half:]}"


def _others(rest: int) -> str:
    return count(rest, "other") if rest else ""

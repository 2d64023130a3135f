"""Outcomes side by side: ideal, simulated, measured, one row of bars per bitstring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.plots.sheet import Box, Label, Place, Sheet
from iqm_spec.plots.style import (
    FAINT,
    INK,
    PAPER,
    SOFT,
    round_ticks,
    series_color,
    styled,
    text_width,
    tick_label,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 400.0
MOST_OUTCOMES = 16
_BAR, _GAP = 8.0, 7.0
_LONGEST_BITS = 26


@frozen
class Outcomes:
    """Probabilities by bitstring under one name; `shots` None where they are not counted.

    `complete`: outcomes that are not named have probability 0.
    """

    name: str
    probabilities: Mapping[str, float]
    color: int
    shots: int | None = None
    complete: bool = True

    def bar_end(self, bits: str) -> float:
        """Where a bar and its standard error end."""
        value = self.probabilities.get(bits, 0.0)
        return value + (sqrt(value * max(0.0, 1 - value) / self.shots) if self.shots else 0.0)


@styled()
def outcome_bars(sets: Sequence[Outcomes], *, tips: bool = True) -> Figure:
    """Bars of the most frequent outcomes, and the sum of all others as numbers."""
    shown, others = most_frequent(sets)
    others_name = f"{others:,} other{'s' if others > 1 else ''}" if others else ""
    left = 14 + max(text_width(name) for name in [*map(_shortened_bits, shown), others_name])
    keys = _key_places(sets)
    top = 8.0 + 17 * len({y for _, y in keys})
    row_height = _BAR * len(sets) + _GAP
    bottom = top + row_height * (len(shown) + bool(others))
    largest = max((own.bar_end(bits) for own in sets for bits in shown), default=1.0)
    limit = max(largest * 1.04, 1e-9)
    scale = (WIDTH - 14 - left) / limit
    sheet = Sheet(WIDTH, bottom + 34)

    ticks = [(tick, left + scale * tick) for tick in round_ticks(0.0, limit)]
    sheet.lines([[(x, top), (x, bottom)] for _, x in ticks], FAINT)
    sheet.lines([[(left, top), (left, bottom)]], SOFT)
    texts = [Label((x, bottom + 14), tick_label(tick), "center") for tick, x in ticks]
    texts.append(Label(((left + WIDTH - 14) / 2, bottom + 29), "probability", "center"))
    for own, (x, y) in zip(sets, keys, strict=True):
        _bars(sheet, own, [(x, y - 9, 10, 10)])
        texts.append(Label((x + 15, y), own.name))

    rows = {bits: top + i * row_height + _GAP / 2 for i, bits in enumerate(shown)}
    for i, own in enumerate(sets):
        named = [(bits, y + i * _BAR) for bits, y in rows.items() if own.probabilities.get(bits)]
        boxes = [(left, y + 0.8, scale * own.probabilities[bits], _BAR - 1.6) for bits, y in named]
        words = [f"{bits} {own.name}: {own.probabilities[bits]:.4f}" for bits, _ in named]
        _bars(sheet, own, boxes, words if tips else ())
        if own.shots:
            # one standard error to both sides of each bar's end
            errors: list[list[Place]] = []
            for bits, y in named:
                high = own.bar_end(bits)
                low = max(0.0, 2 * own.probabilities[bits] - high)
                errors.append([(left + scale * low, y + 4), (left + scale * high, y + 4)])
            sheet.lines(errors, INK)
    if others:
        y = bottom - row_height + _GAP / 2 + row_height / 2
        texts.append(Label((left - 6, y), others_name, "right"))
        texts += _sums_of_others(sheet, sets, shown, (left + 5, y))
    sheet.texts(texts, color=SOFT)
    names = [
        Label((left - 6, y + row_height / 2), _shortened_bits(bits), "right")
        for bits, y in rows.items()
    ]
    sheet.texts(names, mono=True)
    return sheet.figure


def most_frequent(sets: Sequence[Outcomes]) -> tuple[list[str], int]:
    """The outcomes that are shown, in the order of their bits, and the number of the others."""
    highest: dict[str, float] = {}
    for own in sets:
        for bits, value in own.probabilities.items():
            highest[bits] = max(value, highest.get(bits, 0.0))
    shown = {bits: value for bits, value in highest.items() if value > 1e-6}
    order = sorted(shown, key=lambda bits: (-shown[bits], bits))
    return sorted(order[:MOST_OUTCOMES]), max(0, len(order) - MOST_OUTCOMES)


def _bars(sheet: Sheet, own: Outcomes, boxes: Sequence[Box], tips: Sequence[str] = ()) -> None:
    """Boxes in the style of a set: what is not counted is hollow."""
    color = series_color(own.color)
    if own.shots is None:
        sheet.boxes(boxes, tips, fill=PAPER, stroke=color, width=1.2)
    else:
        sheet.boxes(boxes, tips, fill=color)


def _sums_of_others(
    sheet: Sheet, sets: Sequence[Outcomes], shown: Sequence[str], place: Place
) -> list[Label]:
    """What each set has left for the outcomes without bars of their own, beside its key."""
    x, y = place
    texts = [Label((x, y), "together")]
    x += text_width("together") + 8
    for own in sets:
        rest = sum(own.probabilities.values())
        rest -= sum(own.probabilities.get(bits, 0.0) for bits in shown)
        number = f"{max(0.0, rest):.3f}" if own.complete else "not known"
        _bars(sheet, own, [(x, y - 10, 10, 10)])
        texts.append(Label((x + 13, y), number))
        x += 13 + text_width(number) + 10
    return texts


def _key_places(sets: Sequence[Outcomes]) -> list[Place]:
    """Lower left corners of the small squares beside the names of sets."""
    places, x, y = [], 8.0, 13.0
    for own in sets:
        width = 26 + text_width(own.name)
        if x > 8 and x + width > WIDTH:
            x, y = 8.0, y + 17
        places.append((x, y))
        x += width
    return places


def _shortened_bits(bits: str) -> str:
    """A bitstring that fits: the middle of a long one is left out."""
    if len(bits) <= _LONGEST_BITS:
        return bits
    half = _LONGEST_BITS // 2 - 1
    return f"{bits[:half]}…{bits[-half:]}"

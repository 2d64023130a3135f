"""What two plans ask differently, in the notation of a spec, alike points together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iqm_spec.diagnostics import printable
from iqm_spec.json_types import Json
from iqm_spec.plan.explain import Difference, Explanation
from iqm_spec.plan.label import count
from iqm_spec.source.scalars import as_yaml

NOT_GIVEN = "not given"

_MOST_NAMED = 3


def in_words(found: Explanation) -> list[tuple[str, str, str]]:
    """What differs, with its value on the left and on the right.

    Both values are empty where points differ each in its own way, and are too many to be listed.
    """
    settings = [(one.what, _told(one.left), _told(one.right)) for one in found.settings]
    by_what: dict[str, list[Difference]] = {}
    for one in found.points:
        by_what.setdefault(one.what, []).append(one)
    points = [told for some in by_what.values() for told in _points(some, found.in_both)]
    return [*settings, *points]


def _told(value: Json) -> str:
    """A value as it may stand in a spec, if it was given."""
    return NOT_GIVEN if value is None else printable(as_yaml(value))


def _points(some: Sequence[Difference], in_both: int) -> Iterator[tuple[str, str, str]]:
    """One line for all points that differ alike."""
    what = some[0].what
    ways: dict[tuple[str, str], list[Difference]] = {}
    for one in some:
        ways.setdefault((_told(one.left), _told(one.right)), []).append(one)
    if len(ways) > _MOST_NAMED:
        yield f"{what} {_where(some, in_both)}, each in its own way", "", ""
        return
    for (left, right), alike in ways.items():
        yield f"{what} {_where(alike, in_both)}", left, right


def _where(some: Sequence[Difference], in_both: int) -> str:
    if len(some) == in_both > 1:
        return f"at all {in_both:,} points"
    named = "; ".join(one.point for one in some[:_MOST_NAMED])
    if len(some) <= _MOST_NAMED:
        return f"at {named}"
    return f"at {len(some):,} of {count(in_both, 'point')} ({named}; ...)"

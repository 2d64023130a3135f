"""Axis names and values of sweeps, checked by hand: a sweep may list 100,000 points.

The schema says the same (a property test compares the two); its validator takes minutes for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from iqm_spec.diagnostics import Problem, TreePath
from iqm_spec.json_types import Json
from iqm_spec.spec.words import field_name, shown
from iqm_spec.sweep.template import AXIS_NAME

_LISTS = ("points", "exclude", "include")
_SCALARS = frozenset((int, float, bool, str))


def split_sweeps(tree: Mapping[str, Json]) -> tuple[dict[str, Json], list[Problem]]:
    """`tree` with its sweeps' plain values left out, for the schema; and what is wrong in them."""
    problems: list[Problem] = []
    light = dict(tree)
    if "sweep" in tree:
        light["sweep"] = _light(tree["sweep"], ("sweep",), problems)
    circuits = tree.get("circuits")
    if isinstance(circuits, list):
        light["circuits"] = [
            {**entry, "sweep": _light(entry["sweep"], ("circuits", i, "sweep"), problems)}
            if isinstance(entry, dict) and "sweep" in entry
            else entry
            for i, entry in enumerate(circuits)
        ]
    return light, problems


def _light(sweep: Json, path: TreePath, problems: list[Problem]) -> Json:
    if not isinstance(sweep, list):
        return sweep
    return [
        _light_block(block, (*path, i), problems) if isinstance(block, dict) else block
        for i, block in enumerate(sweep)
    ]


def _light_block(
    block: Mapping[str, Any], path: TreePath, problems: list[Problem]
) -> dict[str, Json]:
    light = dict(block)
    if isinstance(block.get("grid"), dict):
        light["grid"] = _light_axes(block["grid"], (*path, "grid"), problems)
    if isinstance(block.get("zip"), list):
        light["zip"] = [
            _light_axes(group, (*path, "zip", i), problems) if isinstance(group, dict) else group
            for i, group in enumerate(block["zip"])
        ]
    for name in _LISTS:
        if isinstance(block.get(name), list):
            problems += _assignments(block[name], (*path, name))
            light[name] = []
    return light


def _light_axes(
    axes: Mapping[str, Any], path: TreePath, problems: list[Problem]
) -> dict[str, Json]:
    """Axes whose values are not listed one by one; the others are checked here."""
    light: dict[str, Json] = {}
    for name, values in axes.items():
        if not AXIS_NAME.match(name):
            problems.append(_bad_name(name, path))
        elif isinstance(values, list):
            problems += _values(values, (*path, name))
        else:
            light[name] = values
    return light


def _assignments(entries: list[Any], path: TreePath) -> Iterator[Problem]:
    for i, entry in enumerate(entries):
        if type(entry) is not dict:
            yield _wrong((*path, i), "a mapping of axis names to values", entry)
            continue
        for name, value in entry.items():
            if not AXIS_NAME.match(name):
                yield _bad_name(name, (*path, i))
            if type(value) not in _SCALARS:
                yield from _value(value, (*path, i, name))


def _values(values: list[Any], path: TreePath) -> Iterator[Problem]:
    for i, value in enumerate(values):
        if type(value) not in _SCALARS:
            yield from _value(value, (*path, i))


def _value(value: Any, path: TreePath) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield _wrong(path, "a number, a text, true, false or a flat list of these", value)
        return
    for i, item in enumerate(value):
        if type(item) not in _SCALARS:
            yield _wrong((*path, i), "a number, a text, true or false", item)


def _wrong(path: TreePath, words: str, value: Json) -> Problem:
    return Problem(path, "S203", f"{field_name(path)} must be {words}, got {shown(value)}")


def _bad_name(name: str, path: TreePath) -> Problem:
    better = re.sub(r"\W", "_", name, flags=re.ASCII)
    better = f"_{better}" if better[:1].isdigit() or not better else better
    return Problem(
        (*path, name),
        "S204",
        f"{field_name((name,))} is not a name for an axis: letters, digits and `_`,"
        " beginning with a letter or `_`",
        f"write {better}" if len(better) < 40 else "",
        on_key=True,
    )

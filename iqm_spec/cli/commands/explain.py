"""`iqm-spec explain A B`: why two specs or runs are not the same question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from iqm_spec.cli import output
from iqm_spec.cli.options import allow_code_option, json_option, stored_results_option
from iqm_spec.engine.prepare import load
from iqm_spec.plan.differences import Explanation, explain, in_words
from iqm_spec.plan.label import label
from iqm_spec.plan.plan import Plan, PlannedPoint
from iqm_spec.store import Store

MOST_LINES = 20


@click.command()
@click.argument("left", metavar="A")
@click.argument("right", metavar="B")
@allow_code_option
@stored_results_option
@json_option
def command(
    left: str, right: str, allowed_code: Sequence[str], results: Path, as_json: bool
) -> None:
    """Tell what A and B ask differently. Each is a spec file or a RUN of the results folder."""
    store = Store(results)
    found = explain(_plan(left, store, allowed_code), _plan(right, store, allowed_code))
    if as_json:
        output.answer({**data(found), "exit": 0})
        return
    for line in lines(found, left, right):
        click.echo(line)


def _plan(name: str, store: Store, allowed_code: Sequence[str]) -> Plan:
    if Path(name).suffix in (".yaml", ".yml", ".toml"):
        from iqm_spec.engine.run import plan_of

        checked = load(Path(name), (), allowed_code, store, notify=output.say)
        return plan_of(checked, store, keep=False)
    from iqm_spec.engine.saved import load_run

    return load_run(store, name).plan


def data(found: Explanation) -> dict[str, object]:
    """The explanation as JSON."""

    def told(points: Sequence[PlannedPoint]) -> list[dict[str, object]]:
        return [{"point": p.id, "circuit": p.name, "values": dict(p.values)} for p in points]

    return {
        "same": found.same,
        "settings": [{"what": d.what, "left": d.left, "right": d.right} for d in found.settings],
        "points": [
            {"point": d.point, "what": d.what, "left": d.left, "right": d.right}
            for d in found.points
        ],
        "only_left": told(found.only_left),
        "only_right": told(found.only_right),
    }


def lines(found: Explanation, left: str, right: str) -> list[str]:
    """The explanation for people; long lists are cut and counted."""
    if found.same:
        return [f"{left} and {right} ask the same"]
    differing = [f"{what}: {a} -> {b}" if a or b else what for what, a, b in in_words(found)]
    only = [
        f"only in {name}: {label(p.name, p.values, p.repeat)}"
        for name, points in ((left, found.only_left), (right, found.only_right))
        for p in points
    ]
    return _cut(differing) + _cut(only)


def _cut(told: list[str]) -> list[str]:
    if len(told) <= MOST_LINES:
        return told
    return [*told[:MOST_LINES], f"... and {len(told) - MOST_LINES:,} more"]

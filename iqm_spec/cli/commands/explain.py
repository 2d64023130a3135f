"""`iqm-spec explain A B`: show which fields make two specs or runs differ."""

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
    """Show how the plans of A and B differ. Each is a spec file or a RUN of the results folder."""
    store = Store(results)
    explanation = explain(_plan(left, store, allowed_code), _plan(right, store, allowed_code))
    if as_json:
        output.answer(data(explanation))
        return
    for line in lines(explanation, left, right):
        click.echo(line)


def _plan(name: str, store: Store, allowed_code: Sequence[str]) -> Plan:
    if Path(name).suffix in (".yaml", ".yml", ".toml"):
        from iqm_spec.engine.run import plan_of

        checked = load(Path(name), (), allowed_code, store, notify=output.say)
        return plan_of(checked, store, keep=False)
    from iqm_spec.engine.saved import load_run

    return load_run(store, name).plan


def data(explanation: Explanation) -> dict[str, object]:
    """The explanation as JSON."""

    def listed(points: Sequence[PlannedPoint]) -> list[dict[str, object]]:
        return [{"point": p.id, "circuit": p.name, "values": dict(p.values)} for p in points]

    return {
        "same": explanation.same,
        "settings": [
            {"what": d.what, "left": d.left, "right": d.right} for d in explanation.settings
        ],
        "points": [
            {"point": d.point, "what": d.what, "left": d.left, "right": d.right}
            for d in explanation.points
        ],
        "only_left": listed(explanation.only_left),
        "only_right": listed(explanation.only_right),
    }


def lines(explanation: Explanation, left: str, right: str) -> list[str]:
    """The explanation for people; long lists are cut and counted."""
    if explanation.same:
        return [f"{left} and {right} have equal plans"]
    differing = [f"{what}: {a} -> {b}" if a or b else what for what, a, b in in_words(explanation)]
    only = [
        f"only in {name}: {label(p.name, p.values, p.repeat)}"
        for name, points in ((left, explanation.only_left), (right, explanation.only_right))
        for p in points
    ]
    return [*output.first_lines(differing, MOST_LINES), *output.first_lines(only, MOST_LINES)]

"""`iqm-spec cost shots SPEC --error E`: the shots and credits that an error bar asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from attrs import evolve, frozen

from iqm_spec.cli import output
from iqm_spec.cli.options import (
    CostFlags,
    cost_flags,
    model_option,
    price_option,
    set_option,
    spec_argument,
    spec_at_server,
)
from iqm_spec.cost.precision import QUANTITIES, shots_for, standard_error
from iqm_spec.cost.ranges import amount, range_text, span
from iqm_spec.engine.prepare import UserSpec, prepare_run
from iqm_spec.engine.run import RunPreview, plan_of, preview_run
from iqm_spec.engine.session import requested_server_id, session_of
from iqm_spec.plan.label import count
from iqm_spec.plan.plan import Plan
from iqm_spec.stages.interface import RunOptions
from iqm_spec.stages.server.preview import ask_limits
from iqm_spec.store import Store


@click.command()
@spec_argument
@click.option(
    "--error", type=float, required=True, help="Standard error (one standard deviation), e.g. 0.01."
)
@click.option(
    "--of", "quantity", type=click.Choice(list(QUANTITIES)), default="probability",
    show_default=True, help="Of an outcome's probability, or a Pauli string's expectation value.",
)  # fmt: skip
@set_option
@cost_flags(price_option, model_option)
@spec_at_server
def command(
    spec: Path,
    error: float,
    quantity: str,
    overrides: Sequence[str],
    costs: CostFlags,
    allowed_code: Sequence[str],
    server: str | None,
    results: Path,
    as_json: bool,
) -> int:
    """Compute the shots that give every point of SPEC a statistical error, and what they cost.

    In the worst case: an outcome of probability 1/2, an expectation value of 0. Of the machine's
    jobs, whatever stages SPEC has; errors of the machine itself come on top, and no number of shots
    lowers them.
    """
    shots = shots_for(error, quantity)
    store = Store(results)
    with session_of(server, results, keep=False) as session:
        user_spec = UserSpec(spec, (*overrides, "stages=[hardware]"), allowed_code)
        # cached results are of the spec's shots only: both sides are priced without them
        options = RunOptions(costs=costs.read(), fresh=True)
        run = prepare_run(
            user_spec,
            store,
            session,
            options,
            output.say,
            offline=True,
            server_id=requested_server_id(server),
        )
        plan = plan_of(run.checked, store, keep=False)
        points = tuple(evolve(point, shots=shots) for point in plan.points)
        limits, server_id = ask_limits(run.session, plan), requested_server_id(server)
        now, with_error_bar = (
            _Priced(each, preview_run(run, each, store, server_id, limits))
            for each in (plan, evolve(plan, points=points))
        )
    if as_json:
        output.answer(
            {
                "error": error,
                "of": quantity,
                "shots": shots,
                "points": len(now.plan.points),
                "now": _data(now, quantity),
                "wanted": _data(with_error_bar, quantity),
                "assumptions": [
                    assumption.to_json() for assumption in with_error_bar.costs.assumptions
                ],
            }
        )
    else:
        _print(now, with_error_bar, error, quantity)
    return 0


@frozen
class _Priced:
    """A plan with its costs."""

    plan: Plan
    costs: RunPreview

    @property
    def shots(self) -> tuple[int, int]:
        """The fewest and the most of a point."""
        shots = [point.shots for point in self.plan.points]
        return min(shots), max(shots)

    @property
    def jobs(self) -> int:
        """Of all its stages."""
        return sum(len(stage.jobs) for stage in self.costs.paid_stages)


def _print(now: _Priced, with_error_bar: _Priced, error: float, quantity: str) -> None:
    what = "an outcome's probability" if quantity == "probability" else "an expectation value"
    shots, _ = with_error_bar.shots
    precision = amount(standard_error(now.shots[0], quantity))
    console = output.console()
    lines = [
        f"an error of {error:g} in {what} takes {shots:,} shots a point",
        f"  with {shots:,} shots: {_words(with_error_bar)}",
        f"  as the spec is ({span(*now.shots)} shots, error up to {precision}): {_words(now)}",
    ]
    lines += [
        f"  {assumption.name}: {assumption.value} [{assumption.source}]"
        for assumption in with_error_bar.costs.assumptions
    ]
    output.print_fitted(lines, console)


def _words(priced: _Priced) -> str:
    if not priced.jobs:
        return "all of it is in the results folder, at no cost"
    seconds = range_text(priced.costs.seconds, "s of QPU time")
    return f"{count(priced.jobs, 'job')}, {range_text(priced.costs.credits, 'credits')}, {seconds}"


def _data(priced: _Priced, quantity: str) -> dict[str, Any]:
    fewest, most = priced.shots
    return {
        "shots": [fewest, most],
        "standard_error": standard_error(fewest, quantity),
        "jobs": priced.jobs,
        "qpu_seconds": priced.costs.seconds.to_json(),
        "credits": priced.costs.credits.to_json(),
    }

"""What the noisy simulation predicted, beside what was measured."""

from __future__ import annotations

from iqm_spec.analysis.predicted import Agreement, Prediction, agreements, predictions
from iqm_spec.plan.label import count
from iqm_spec.plan.prediction import placement_profiles, predicted_successes
from iqm_spec.report.document import Block, Column, Section, Table, Text
from iqm_spec.report.names import axis_label, clean, left_out, merit_title, with_error
from iqm_spec.report.subject import Subject

_MOST_ROWS = 200


def prediction(subject: Subject) -> Section | None:
    """The section; None where no errors of the machines are known, or nothing was measured."""
    found = predictions(subject.analysed) if subject.simulates_noise else []
    if not found:
        return None
    blocks: list[Block] = [Text(_summary(agreement)) for agreement in agreements(found)]
    blocks.append(_table(subject, found))
    profiles = placement_profiles(subject.store, subject.saved.plan)
    sources = sorted({clean(profile.source) for profile in profiles.values()})
    if sources:
        blocks.append(Text(f"Success is predicted by: {'; '.join(sources)}.", "note"))
    return Section("prediction", "Predicted and measured", tuple(blocks))


def _summary(agreement: Agreement) -> str:
    figures = count(agreement.number, "value")
    text = f"{merit_title(agreement.figure)}: {figures}, measured less predicted "
    text += f"{agreement.mean_difference:+.3g} on average"
    if agreement.typical_deviation is not None:
        text += f"; typically {agreement.typical_deviation:.1f} standard errors off"
        text += f" ({agreement.beyond_two} beyond two)"
    return f"{text}."


def _table(subject: Subject, found: list[Prediction]) -> Table:
    plan = subject.saved.plan
    keys = {point.id: point.circuit_key for point in plan.points}
    successes = predicted_successes(subject.store, plan)
    rows = []
    for item in found[:_MOST_ROWS]:
        known = [successes[keys[point]] for point in item.points if keys.get(point) in successes]
        success = f"{sum(known) / len(known):.3g}" if known else ""
        deviation = item.deviation
        rows.append(
            (
                clean(item.circuit, 60),
                axis_label(item.values),
                success,
                merit_title(item.figure),
                with_error(item.predicted, item.predicted_error),
                with_error(item.measured, item.measured_error),
                "" if deviation is None else f"{deviation:+.1f}",
            )
        )
    columns = (
        *(Column(title) for title in ("circuit", "axes")),
        Column("predicted success", number=True),
        Column("figure"),
        *(Column(title, number=True) for title in ("predicted", "measured", "standard errors off")),
    )
    rest = left_out(len(found) - len(rows), "row", "analyze")
    return Table("Predicted and measured figures", columns, tuple(rows), rest, long=True)

"""What the noisy simulation predicted, beside what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iqm_spec.analysis.predicted import Agreement, Prediction, agreements, predictions
from iqm_spec.plan.label import count
from iqm_spec.plan.prediction import placement_profiles, predicted_successes
from iqm_spec.plots.series import Mark, Series, XAxis, series_plot
from iqm_spec.report.document import (
    Block,
    CaptionedPicture,
    Column,
    Pictures,
    Section,
    Table,
    Text,
)
from iqm_spec.report.names import axis_label, clean, left_out, merit_title, with_error
from iqm_spec.report.subject import Subject

LIMIT = 3.0
"""Standard errors at which a control chart has its limits."""

_MOST_ROWS = 200
_MOST_CHARTS, _FEWEST_REPEATS = 6, 3


def prediction(subject: Subject) -> Section | None:
    """The section; None where no errors of the machines are known, or nothing was measured."""
    found = predictions(subject.analysed) if subject.simulates_noise else []
    if not found:
        return None
    blocks: list[Block] = [Text(_summary(agreement)) for agreement in agreements(found)]
    if charts := list(_control_charts(subject, found)):
        blocks.append(Pictures(tuple(charts)))
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


def _control_charts(subject: Subject, found: Sequence[Prediction]) -> Iterator[CaptionedPicture]:
    """A chart for each reference circuit and figure: what was measured, repeat by repeat."""
    plan = subject.saved.plan
    points = {point.id: point for point in plan.points}
    groups: dict[tuple[str, str, str], list[tuple[int, Prediction]]] = {}
    for item in found:
        point = points.get(item.points[0]) if len(item.points) == 1 else None
        if point is not None and item.circuit in plan.header.references:
            key = item.circuit, axis_label(item.values), item.figure
            groups.setdefault(key, []).append((point.repeat, item))
    for number, ((circuit, at, figure), items) in enumerate(groups.items()):
        if len(items) >= _FEWEST_REPEATS and number < _MOST_CHARTS:
            title = f"{clean(circuit, 60)} {at}".strip()
            yield _control_chart(f"control-{number}", title, figure, sorted(items, key=_repeat))


def _repeat(item: tuple[int, Prediction]) -> int:
    return item[0]


def _control_chart(
    name: str, title: str, figure: str, items: Sequence[tuple[int, Prediction]]
) -> CaptionedPicture:
    """Measured values with limits at three standard errors around what the simulation predicts."""
    expected = sum(item.predicted for _, item in items) / len(items)
    limit = LIMIT * max(item.measured_error or 0.0 for _, item in items)
    places = [repeat + 1 for repeat, _ in items]
    marks = [
        Mark(
            place,
            item.measured,
            item.measured - 1.96 * (item.measured_error or 0.0),
            item.measured + 1.96 * (item.measured_error or 0.0),
        )
        for place, (_, item) in zip(places, items, strict=True)
    ]
    ends = (places[0], places[-1])
    levels = (
        ("predicted", expected, 6),
        ("limits", expected - limit, 1),
        ("", expected + limit, 1),
    )
    lines = [
        Series(text, tuple(Mark(x, level) for x in ends), color, style="dash", bare=True)
        for text, level, color in levels
    ]
    outside = sum(abs(item.measured - expected) > limit for _, item in items)
    caption = (
        f"{merit_title(figure)} of the reference circuit {title}, repeat by repeat. The limits are "
        f"{LIMIT:g} standard errors around the prediction; "
        f"{outside or 'none'} of {len(items)} {'is' if outside == 1 else 'are'} outside."
    )
    axis = XAxis("repeat", values=tuple(map(float, places)))
    series = [Series("measured", tuple(marks)), *lines]
    return CaptionedPicture.of(name, series_plot(series, axis, merit_title(figure)), caption)


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

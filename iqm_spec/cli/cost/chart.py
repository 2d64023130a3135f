"""Predicted against measured as a file: SVG, PNG, or a page of HTML that needs no network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iqm_spec.errors import UsageError

if TYPE_CHECKING:
    import altair as alt

    from iqm_spec.cost.time_model import TimeModel

ENDINGS = (".svg", ".html", ".png")

_SIDE = 300
"""Pixels of a plot; plots of several models stand side by side."""


def require_ending(path: Path) -> None:
    """Raises UsageError unless the name tells a format that can be written."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"{path.name!r} is no name of a picture", hint=f"it ends in {', '.join(ENDINGS)}"
        )


def picture(models: Mapping[str, TimeModel], ending: str) -> bytes:
    """The bytes of a file with one plot per model, by title; `ending` is one of `ENDINGS`."""
    import altair as alt

    chart = alt.hconcat(*(_plot(title, model) for title, model in models.items()))
    if ending == ".html":
        page: str = chart.to_html(inline=True, embed_options={"actions": False})
        # names of formats and of an editor: nothing is loaded from them, and no address stays
        return re.sub(r"https?://(?!www\.w3\.org/)", "", page).encode("utf-8")
    import vl_convert

    spec = chart.to_json()
    if ending == ".svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode("utf-8")
    return bytes(vl_convert.vegalite_to_png(spec, scale=2))


def _plot(title: str, model: TimeModel) -> alt.LayerChart | alt.FacetChart:
    """Log-log: jobs left out of their fit, with the line where both times are equal."""
    import altair as alt

    from iqm_spec.cli.cost.words import measured_rows

    rows: list[dict[str, Any]] = [
        {**row, "kind": "wild" if wild else "job"}
        for row, wild in zip(measured_rows(model), model.wild, strict=True)
    ]
    ends = [max(row[name], 1e-9) for row in rows for name in ("measured", "predicted")]
    domain = [min(ends) / 1.2, max(ends) * 1.2]
    scale = alt.Scale(type="log", domain=domain, nice=False)
    points = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(filled=True, opacity=0.6, size=28)
        .encode(
            x=alt.X("measured:Q", scale=scale, title="measured QPU time (s)"),
            y=alt.Y("predicted:Q", scale=scale, title="predicted QPU time (s)"),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=["job", "wild"], range=["#1f6fb4", "#d0441c"]),
                legend=alt.Legend(title=None) if any(model.wild) else None,
            ),
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=["job", "wild"], range=["circle", "cross"]),
                legend=alt.Legend(title=None) if any(model.wild) else None,
            ),
            tooltip=[f"{name}:Q" for name in rows[0] if name != "kind"],
        )
    )
    line = (
        alt.Chart(alt.InlineData(values=[{"at": end} for end in domain]))
        .mark_line(color="#888888", strokeDash=[4, 3])
        .encode(x=alt.X("at:Q", scale=scale), y=alt.Y("at:Q", scale=scale))
    )
    layers = alt.layer(line, points, title=title.replace("<", " "))
    return layers.properties(width=_SIDE, height=_SIDE)

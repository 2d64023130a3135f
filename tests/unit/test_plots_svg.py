"""Figures as SVG: the same bytes for the same figure, no ids, and nothing left behind."""

from __future__ import annotations

import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import matplotlib
import pytest

from iqm_spec.plots.series import Mark, Series, XAxis, series_plot
from iqm_spec.plots.sheet import Label, Sheet
from iqm_spec.plots.style import PALETTE, styled
from iqm_spec.plots.svg import Picture, page_of, picture_of, styles


def a_figure():  # type: ignore[no-untyped-def]
    marks = tuple(Mark(i, i / 10, i / 10 - 0.1, i / 10 + 0.1, f"tip {i}") for i in range(4))
    return series_plot([Series("a name", marks)], XAxis("n"), "fidelity")


def test_the_same_data_give_the_same_bytes() -> None:
    assert picture_of(a_figure(), "label") == picture_of(a_figure(), "label")


def test_pictures_of_a_page_share_no_ids_and_style_nothing_inline() -> None:
    body = picture_of(a_figure(), "").body
    assert not re.search(r"\b(id|style|href|url)\b *[=(]", body)
    used = set(re.findall(r'class="([^"]*)"', body))
    named = {name for classes in used for name in classes.split()}
    assert named
    assert all(f"svg .{name} " in styles() for name in named)


def test_every_color_has_a_dark_and_a_printed_one() -> None:
    sheet = styles()
    for name, color in PALETTE.items():
        assert sheet.count(f"--{name}: ") == 3
        assert f"--{name}: {color.dark};" in sheet


def test_a_matplotlibrc_in_the_folder_changes_nothing(tmp_path: Path) -> None:
    code = (
        "from iqm_spec.plots.bars import Outcomes, outcome_bars\n"
        "from iqm_spec.plots.svg import picture_of\n"
        "print(picture_of(outcome_bars([Outcomes('a $x$', {'0': 1.0}, 0, 10)]), '').body)\n"
    )

    def printed() -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        return done.stdout

    before = printed()
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nlines.linewidth: 9\ntext.usetex: True\n")
    assert printed() == before


def test_the_parameters_of_others_are_restored() -> None:
    before = matplotlib.rcParams["font.size"]
    with styled():
        assert matplotlib.rcParams["font.size"] == 11
    assert matplotlib.rcParams["font.size"] == before


def test_texts_are_anchored_where_they_are_aligned() -> None:
    sheet = Sheet(100, 50)
    sheet.texts([Label((10, 20), "left"), Label((90, 20), "right", "right")])
    body = picture_of(sheet.figure, "").body
    assert '<g class="f-ink"><text x="10" y="20">left</text></g>' in body
    assert '<g class="f-ink" text-anchor="end"><text x="90" y="20">right</text></g>' in body


def test_a_line_breaks_off_where_a_number_is_not_finite() -> None:
    sheet = Sheet(100, 50)
    sheet.lines([[(0, 0), (10, 0), (float("nan"), 5), (20, 9), (30, 9)]], "#000000")
    assert 'd="M0 0H10M20 9H30"' in picture_of(sheet.figure, "").body


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_figures_are_figures_of_matplotlib(kind: str) -> None:
    file = BytesIO()
    a_figure().savefig(file, format=kind)
    assert len(file.getvalue()) > 1000


def test_a_page_holds_one_figure_and_asks_for_nothing() -> None:
    page = page_of(a_figure(), "a <title>")
    assert "<title>a &lt;title&gt;</title>" in page
    assert page.count("<svg") == 1
    assert not re.search(r"https?:|<script|<link", page)


def test_attributes_cannot_be_left() -> None:
    assert 'aria-label="&quot; onload=&quot;x"' in Picture(1, 1, "", '" onload="x').inline()

"""Reports in a browser: opened from disk, offline, in light and dark, wide and narrow."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]

ENV = {"IQM_TOKEN": "token"}
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
SPEC = """\
iqm_spec: 1
name: waves
description: A report that is looked at
target: garnet
stages: [aer, mock, hardware]
shots: 100
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
  - name: turn
    qasm: turn.qasm
    parameters: {theta: "${theta}"}
sweep:
  - grid: {n: [2, 3, 4]}
  - grid: {theta: {linspace: [0, 6, 9]}}
"""
TURN = """\
OPENQASM 3.0;
include "stdgates.inc";
input float theta;
qubit[1] q;
bit[1] c;
rx(theta) q[0];
c = measure q;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium; IQM_SPEC_CHROMIUM names another one."""
    found = os.environ.get("IQM_SPEC_CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), None
    )
    if found is None:
        pytest.skip("no Chromium on this machine: reports are not looked at in a browser")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture
def reports(folder: Path, emulator: Emulator, cli: Callable[..., Any]) -> Path:
    """A folder with the report of a run, `one.html`, and of two, `two.html`; made once."""
    if (folder / "two.html").exists():
        return folder
    (folder / "waves.yaml").write_text(SPEC)
    (folder / "turn.qasm").write_text(TURN)

    def run(*args: object) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = cli(*args, cwd=folder, env=ENV)
        assert done.returncode == 0, done.stderr
        return done

    run("run", "waves.yaml", "--server", emulator.url, "--yes")
    run("report", "waves", "-o", "one.html")
    first = (folder / "results" / "runs").iterdir()
    name = next(first).name
    run("run", "waves.yaml", "--until", "aer", "--set", "aer.noise=ideal", "--set", "shots=200")
    run("report", name, "waves", "-o", "two.html")
    return folder


@pytest.fixture
def opened(browser: Any, reports: Path) -> Iterator[Callable[..., Any]]:
    """Opens a report; afterwards nothing was asked of a network and the console is silent."""
    told: list[str] = []
    asked: list[str] = []
    contexts = []

    def go(name: str, width: int = 1280, scheme: str = "light", **more: Any) -> Any:
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=scheme, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.route("**/*", lambda route: _decide(route, asked))
        page.goto((reports / name).as_uri())
        return page

    yield go
    for context in contexts:
        context.close()
    assert told == []
    assert [url for url in asked if not url.startswith("file://")] == []
    assert len(asked) == len(contexts)  # each page is one file


def _decide(route: Any, asked: list[str]) -> None:
    asked.append(route.request.url)
    if route.request.url.startswith("file://"):
        route.continue_()
    else:
        route.abort()


def unfold(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


def test_what_a_reader_sees(opened: Callable[..., Any]) -> None:
    page = opened("one.html")
    assert page.title() == "waves: report of a run"
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        *("Overview", "Figures of merit", "Predicted and measured", "Outcomes"),
        "Circuits and qubits",
        *("Machines and calibration", "Jobs, time and cost", "Versions, digests, verification"),
    ]
    assert "No quantum computer was used" in page.locator(".banner").inner_text()
    seen = [svg for svg in page.locator("svg").all() if svg.is_visible()]
    assert len(seen) > 12
    for svg in seen:
        box = svg.bounding_box()
        assert box["width"] > 40
        assert box["height"] > 20
    labels = [svg.get_attribute("aria-label") for svg in seen]
    assert any(label.startswith("Hellinger fidelity against n") for label in labels)
    assert any("hardware (emulated)" in label for label in labels)
    assert not any("mock" in label for label in labels if "jobs" not in label)


def test_any_point_can_be_chosen_with_the_keyboard(opened: Callable[..., Any]) -> None:
    page = opened("one.html")
    chooser = page.locator(".chooser")
    figures = chooser.locator("figure")
    assert figures.count() == 12
    assert [figure.is_visible() for figure in figures.all()].index(True) == 0
    chooser.locator("select").focus()
    page.keyboard.press("ArrowDown")
    assert [figure.is_visible() for figure in figures.all()].index(True) == 1
    chooser.get_by_role("button", name="Next").press("Enter")
    visible = [figure.is_visible() for figure in figures.all()]
    assert visible.index(True) == 2
    assert sum(visible) == 1


def test_the_table_of_points_is_sorted_and_searched(opened: Callable[..., Any]) -> None:
    page = opened("one.html")
    table = page.locator("#outcomes .long")
    head = table.get_by_role("columnheader", name="Hellinger fidelity")
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    column = page.evaluate(
        "[...document.querySelectorAll('#outcomes .long tbody tr')]"
        ".map((row) => parseFloat(row.lastElementChild.previousElementSibling.textContent))"
    )
    assert column == sorted(column)
    table.get_by_role("searchbox").fill("emulated")
    shown = [row for row in table.locator("tbody tr").all() if row.is_visible()]
    assert len(shown) == 12
    assert all("hardware (emulated)" in row.inner_text() for row in shown)


@pytest.mark.parametrize("name", ["one.html", "two.html"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Callable[..., Any], name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(name, scheme=scheme)
    unfold(page)
    found = axe.Axe().run(page).response
    assert len(found["passes"]) > 20
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found["violations"]] == []


@pytest.mark.parametrize("name", ["one.html", "two.html"])
@pytest.mark.parametrize("width", [420, 1280])
def test_nothing_is_wider_than_the_window(
    opened: Callable[..., Any], name: str, width: int
) -> None:
    page = opened(name, width)
    unfold(page)
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0


def test_dark_is_dark_and_paper_is_white(opened: Callable[..., Any]) -> None:
    page = opened("one.html", scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(22, 24, 27)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    page.emulate_media(media="screen", color_scheme="light")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"


def test_all_is_there_without_scripts(opened: Callable[..., Any]) -> None:
    page = opened("one.html", java_script_enabled=False)
    assert not page.locator(".chooser").is_visible()
    assert page.locator("#outcomes figure:visible").count() >= 6
    assert page.locator("#outcomes tbody tr").count() == 24
    assert page.get_by_text("With scripts off").is_visible()
    assert not opened("one.html").get_by_text("With scripts off").is_visible()


def test_two_runs_stand_beside_each_other(opened: Callable[..., Any]) -> None:
    page = opened("two.html")
    assert page.locator("h2").all_inner_texts() == [
        *("Plans", "Figures of merit", "Outcomes"),
    ]
    assert page.get_by_text("12 points in both").is_visible()
    assert "A, aer, with noise" in page.locator("#merits").inner_text()

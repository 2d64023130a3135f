"""Reports of real runs, through the command line: what is in them, as page and as Markdown."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from iqm_spec.emulator import Emulator

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., subprocess.CompletedProcess[str]]

ENV = {"IQM_TOKEN": "token-that-must-not-leak"}
GHZ = """\
iqm_spec: 1
name: pair
description: GHZ states on the emulator
target: garnet
stages: [aer, mock, hardware]
shots: 200
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep: [{grid: {n: [2, 3]}}]
"""
HOSTILE = (
    "<script>alert(1)</script> | **bold** `code` [x](http://example.org) <img src=x onerror=y>"
)
FOREIGN = """\
iqm_spec: 1
name: foreign
description: 'HOSTILE'
target: garnet
shots: 50
circuits:
  - name: bell
    qasm: "${file}"
sweep: [{grid: {file: ['<b>|`a`.qasm', '*b*.qasm']}}]
"""
BELL = """\
OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0],q[1];
measure q -> c;
"""


class Page(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


@pytest.fixture
def results(tmp_path: Path, emulator: Emulator, answer: Ask) -> Path:
    """A results folder with a run of all stages."""
    (tmp_path / "pair.yaml").write_text(GHZ)
    answer("run", "pair.yaml", "--server", emulator.url, "--yes", env=ENV)
    return tmp_path / "results"


def test_a_page_says_what_was_asked_and_what_came_out(
    results: Path, answer: Ask, tmp_path: Path
) -> None:
    told = answer("report", "pair", "-o", "pair.html")
    text = (tmp_path / "pair.html").read_text()
    assert told == {**told, "file": "pair.html", "files": 1, "bytes": len(text.encode())}
    page = Page(text)
    for part in (
        *("GHZ states on the emulator", "aer, mock, hardware", told["runs"][0]),
        *("mock (emulated)", "hardware (emulated)", "aer, with noise"),
        *("No quantum computer was used for them", "Counts of a mock are random bits"),
        *("Hellinger fidelity against n", "Before transpiling: 3 qubits", "After transpiling"),
        *("garnet: in use are", "calibration set", "qiskit-aer", "iqm-spec verify", "sha256sum"),
        "s of machine time and",
    ):
        assert part in page.text, part
    assert "token-that-must-not-leak" not in text
    assert page.count("script") == 1


def test_a_page_asks_for_nothing_and_lets_nothing_in(
    results: Path, cli: Cli, tmp_path: Path
) -> None:
    cli("report", "pair", "-o", "pair.html")
    page = Page((tmp_path / "pair.html").read_text())
    wanted = {"src", "srcset", "action", "data", "poster", "background", "style"}
    for tag, attrs in page.tags:
        assert tag not in ("img", "link", "iframe", "object", "embed", "base", "form"), tag
        assert not wanted & attrs.keys()
        assert not any(name.startswith("on") for name in attrs)
        assert (attrs.get("href") or "#").startswith("#")
    (policy,) = (a["content"] for t, a in page.tags if a.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_counts_of_the_mock_are_nowhere(results: Path, cli: Cli, tmp_path: Path) -> None:
    rows = json.loads(cli("export", "pair", "--format", "json", "--mock").stdout)["rows"]
    assert len(rows) == 2
    cli("report", "pair", "-o", "pair.html")
    text = (tmp_path / "pair.html").read_text()
    for row in rows:
        best = sorted(row["counts"].items(), key=lambda item: (-item[1], item[0]))[:3]
        told = "  ".join(f"{bits} {100 * n / 200:.0f}%" for bits, n in best)
        assert told not in text
    cells = re.findall(r"<td>(mock[^<]*)</td>", text)
    assert cells == ["mock (emulated)"]  # its verdict, and no row of counts


def test_the_same_run_gives_the_same_page(results: Path, cli: Cli, tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        assert cli("report", "pair", "-o", name).returncode == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_markdown_has_its_drawings_beside_it(results: Path, answer: Ask, tmp_path: Path) -> None:
    told = answer("report", "pair", "-o", "pair.md")
    text = (tmp_path / "pair.md").read_text()
    named = re.findall(r"!\[[^\n]*\]\(([^)]+)\)", text)
    assert len(named) == len(set(named)) == told["files"] - 1 > 8
    for path in named:
        root = ElementTree.parse(tmp_path / path).getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "**Emulated" in text
    assert "<script" not in text


def test_texts_of_strangers_stay_texts(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "foreign.yaml").write_text(FOREIGN.replace("HOSTILE", HOSTILE))
    for name in ("<b>|`a`.qasm", "*b*.qasm"):
        (tmp_path / name).write_text(BELL)
    answer("run", "foreign.yaml")
    answer("report", "-o", "foreign.html")
    page = Page((tmp_path / "foreign.html").read_text())
    assert HOSTILE in page.text
    assert "bell file=<b>|`a`.qasm" in page.text
    assert page.count("script") == 1
    assert page.count("img") == page.count("b") == 0
    answer("report", "-o", "foreign.md")
    text = (tmp_path / "foreign.md").read_text()
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    from markdown_it import MarkdownIt

    shown = MarkdownIt("commonmark", {"html": True}).enable("table").render(outside)
    inert = Page(shown)
    assert inert.count("script") == inert.count("b") == inert.count("a") == 0
    images = [attrs["src"] or "" for tag, attrs in inert.tags if tag == "img"]
    assert all(src.startswith("foreign-figures/") for src in images)
    assert HOSTILE.replace("  ", " ") in inert.text


def test_code_of_the_spec_is_never_run(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "mine.py").write_text(
        "from qiskit import QuantumCircuit\n"
        "from pathlib import Path\n"
        "def bell():\n"
        "    with Path('calls').open('a') as file: file.write('x')\n"
        "    circuit = QuantumCircuit(2, 2)\n"
        "    circuit.h(0)\n"
        "    circuit.cx(0, 1)\n"
        "    circuit.measure([0, 1], [0, 1])\n"
        "    return circuit\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "iqm_spec: 1\nname: mine\ntarget: garnet\nshots: 50\n"
        "circuits: [{generator: 'python:mine:bell'}]\n"
    )
    answer("run", "mine.yaml", "--allow-code", "mine")
    calls = (tmp_path / "calls").read_text()
    answer("report", "-o", "mine.html")
    assert (tmp_path / "calls").read_text() == calls
    text = Page((tmp_path / "mine.html").read_text()).text
    assert "which a report does not run" in text
    assert "After transpiling" in text


def test_two_runs_are_compared(
    results: Path, emulator: Emulator, answer: Ask, tmp_path: Path
) -> None:
    first = answer("status")["runs"][-1]["run"]
    answer("run", "pair.yaml", "--until", "aer", "--set", "aer.noise=ideal", env=ENV)
    told = answer("report", first, "pair", "-o", "both.html")
    assert told["runs"][0] == first
    page = Page((tmp_path / "both.html").read_text())
    assert "two runs compared" in page.text
    assert "noise.garnet" in page.text
    assert "2 points in both" in page.text
    assert "A, aer, with noise" in page.text
    assert "B, aer, without noise" in page.text


def test_a_sweep_of_400_points_stays_small(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "map.yaml").write_text(
        "iqm_spec: 1\nname: map\ntarget: garnet\nshots: 100\ncircuits:\n"
        "  - generator: qaoa_maxcut\n"
        "    args: {num_qubits: 4, edges: [[0, 1], [1, 2], [2, 3], [3, 0]],"
        " gammas: '${gamma}', betas: '${beta}'}\n"
        "sweep: [{grid: {gamma: {linspace: [0, 3, 20]}, beta: {linspace: [0, 1.5, 20]}}}]\n"
    )
    answer("run", "map.yaml")
    told = answer("report", "-o", "map.html")
    assert told["bytes"] < 3_000_000
    page = Page((tmp_path / "map.html").read_text())
    assert page.count("option") == 400
    assert "Hellinger fidelity over gamma and beta" in page.text
    assert answer("report", "-o", "map.md")["bytes"] < 1_500_000


def test_a_run_that_broke_off_is_told_as_such(
    tmp_path: Path, emulator: Emulator, answer: Ask
) -> None:
    (tmp_path / "pair.yaml").write_text(GHZ)
    answer("run", "pair.yaml", "--server", emulator.url, "--yes", "--detach", env=ENV, exit_code=9)
    answer("report", "-o", "half.html")
    text = Page((tmp_path / "half.html").read_text()).text
    assert "Hellinger fidelity" in text  # of the simulation
    assert "Not complete. Jobs of the hardware (emulated) stage had not ended" in text
    assert "Last looked at" in text
    assert "mock (emulated)" in text


def test_a_job_that_the_server_does_not_know_is_no_waiting_one(
    tmp_path: Path, emulator: Emulator, answer: Ask, cli: Cli
) -> None:
    (tmp_path / "pair.yaml").write_text(GHZ)
    order = ("run", "pair.yaml", "--server", emulator.url, "--yes")
    answer(*order, "--until", "mock", env=ENV)
    emulator.faults([{"on": "job", "fault": "status", "status": 404, "error_code": "not_found"}])
    answer(*order, env=ENV, exit_code=5)
    done = cli("report", "-o", "gone.html")
    assert done.returncode == 0
    assert "2 of 4 results (one for each point and stage) are missing" in done.stderr
    assert "wait for their jobs" not in done.stderr
    text = Page((tmp_path / "gone.html").read_text()).text
    for part in (
        *("Not complete. The hardware (emulated) stage failed", "no result given"),
        *("no counts: its job brought none", "No job has a measured time yet"),
    ):
        assert part in text, part
    assert "waiting for its job" not in text
    answer("resume", "latest", "--server", emulator.url, "--yes", env=ENV)
    answer("report", "-o", "found.html")
    assert "Not complete" not in Page((tmp_path / "found.html").read_text()).text


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("nothing",), 2, "there is no run"),
        (("-o", "report.pdf"), 2, "reports are written as .html or .md"),
        (("-o", "no/such/place.html"), 2, "make its folder first"),
        (("pair", "pair", "pair"), 2, "one run, or compares two"),
    ],
)
def test_mistakes_are_told(
    results: Path, cli: Cli, args: tuple[str, ...], code: int, says: str
) -> None:
    done = cli("report", *args)
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_circuits_on_other_qubits_are_drawn_each(tmp_path: Path, answer: Ask) -> None:
    (tmp_path / "places.yaml").write_text(
        "iqm_spec: 1\nname: places\ntarget: garnet\nshots: 20\ncircuits:\n"
        "  - {generator: bell, layout: '${pair}'}\n"
        "sweep: [{grid: {pair: [[QB1, QB2], [QB8, QB9]]}}]\n"
    )
    answer("run", "places.yaml")
    answer("report", "-o", "places.html")
    text = Page((tmp_path / "places.html").read_text()).text
    assert "garnet: in use are QB1, QB2." in text
    assert "garnet: in use are QB8, QB9." in text
    assert "pair = (QB1, QB2), (QB8, QB9)" in text

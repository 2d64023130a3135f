"""`iqm-spec calibration`: figures, what moved, what is missing, and without a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.emulator import Emulator, Options
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., Any]

ENV = {"IQM_TOKEN": "any"}
UNKNOWN = "2f3a4b5c-0000-4000-8000-123456789abc"

SPEC = """\
iqm_spec: 1
name: pair
target: garnet
shots: 100
stages: [mock, hardware]
circuits: [{generator: bell}]
"""


@pytest.fixture(scope="module")
def uneven() -> Iterator[Emulator]:
    """Machines whose qubits differ; tests move only what no other test reads."""
    with start(Options(speed=1e4, spread=0.5, calibration_seed=7, drift=0.1)) as emulator:
        yield emulator
        emulator.faults([])


@pytest.fixture
def machines(uneven: Emulator) -> Iterator[Emulator]:
    yield uneven
    uneven.faults([])


def steady(text: str) -> str:
    """Text without how long ago that was, and without spaces at the ends of lines."""
    text = re.sub(r"\((\d+ \w+ ago|just now)\)", "(AGE)", text)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


def figures(document: Any) -> Any:
    return {key: document[key] for key in ("calibration_set_id", "qubits", "couplings")}


# --- what is shown -------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 110])
@pytest.mark.parametrize("target", ["garnet", "deneb"])
def test_what_a_person_sees(
    machines: Emulator, cli: Cli, columns: int, target: str, snapshot: SnapshotAssertion
) -> None:
    done = cli("calibration", target, "--server", machines.url, env=ENV, columns=columns)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert steady(done.stdout) == snapshot


def test_the_document_has_every_figure(machines: Emulator, answer: Ask) -> None:
    document = answer("calibration", "sirius", "--server", machines.url, env=ENV)
    assert (document["target"], document["server"], document["from_folder"]) == (
        "sirius",
        machines.url,
        False,
    )
    assert document["age_seconds"] > 0
    assert document["calibrated_at"] == "2026-11-01T00:00:00+00:00"
    assert (document["missing"], document["invalid"]) == ([], [])
    assert len(document["qubits"]) == 17, "16 qubits and a resonator"
    assert len(document["couplings"]) == 16
    qubit = document["qubits"]["QB2"]
    assert {name for name in qubit if not name.endswith("_error")} == {
        *("t1", "t2", "t2_echo", "prx_fidelity"),
        *("readout_error_0", "readout_error_1", "readout_fidelity"),
    }
    assert qubit["t1_error"] == pytest.approx(0.03 * qubit["t1"])
    assert set(document["qubits"]["CR1"]) == {"t1", "t1_error", "t2", "t2_error"}
    assert {"cz_fidelity", "move_fidelity"} <= set(document["couplings"]["QB1-CR1"])
    assert "against" not in document


def test_an_even_machine_has_no_best_and_no_worst(emulator: Emulator, cli: Cli) -> None:
    done = cli("calibration", "deneb", "--server", emulator.url, env=ENV)
    assert done.returncode == 0
    assert "best" not in done.stdout


def test_a_server_with_one_machine_needs_no_target(answer: Ask) -> None:
    with start(Options(on_premises="garnet", spread=0.5)) as emulator:
        document = answer("calibration", "--server", emulator.url, env=ENV)
    assert document["target"] == "default"
    assert len(document["qubits"]) == 20


# --- other sets, and what moved ------------------------------------------------------------------


@pytest.fixture(scope="module")
def moved() -> Iterator[tuple[Emulator, str, str]]:
    """A machine that was moved far, with the ids of its sets before and after."""
    with start(Options(speed=1e4, spread=0.5, calibration_seed=7)) as emulator:
        first = emulator.move_calibration("garnet", 0.0)
        yield emulator, first, emulator.move_calibration("garnet", 0.2)


def test_a_set_can_be_named(moved: tuple[Emulator, str, str], answer: Ask) -> None:
    emulator, first, second = moved
    at = ("calibration", "garnet", "--server", emulator.url)
    default = answer(*at, env=ENV)
    assert default["calibration_set_id"] == second
    named = answer(*at, "--set", second.upper(), env=ENV)
    assert figures(named) == figures(default)
    older = answer(*at, "--set", first, env=ENV)
    assert older["calibration_set_id"] == first
    assert older["qubits"]["QB1"]["t1"] != default["qubits"]["QB1"]["t1"]
    assert older["calibrated_at"] < default["calibrated_at"]


@pytest.mark.parametrize("columns", [60, 110])
def test_what_moved_is_shown(
    moved: tuple[Emulator, str, str], cli: Cli, columns: int, snapshot: SnapshotAssertion
) -> None:
    emulator, first, _ = moved
    asked = ("calibration", "garnet", "--server", emulator.url, "--against", first)
    done = cli(*asked, env=ENV, columns=columns)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    begins = next(i for i, line in enumerate(lines) if line.startswith("against"))
    assert steady("\n".join(lines[begins:])) == snapshot


def test_what_moved_as_data(moved: tuple[Emulator, str, str], answer: Ask, cli: Cli) -> None:
    emulator, first, second = moved
    asked = ("calibration", "garnet", "--server", emulator.url)
    document = answer(*asked, "--against", first, env=ENV)
    against = document["against"]
    assert against["calibration_set_id"] == first
    # per qubit T1, T2, T2 echo, prx and two readout errors; 30 couplings
    assert against["compared"] == 20 * 6 + 30
    assert (against["gone"], against["new"]) == ([], [])
    changes = {(item["place"], item["quantity"]): item for item in against["changes"]}
    t1 = changes["QB2", "t1"]
    older = answer(*asked, "--set", first, env=ENV)
    assert (t1["before"], t1["after"]) == (
        older["qubits"]["QB2"]["t1"],
        document["qubits"]["QB2"]["t1"],
    )
    assert t1["standard_errors"] == pytest.approx(abs(t1["after"] - t1["before"]) / t1["error"])
    assert 0.5 < sum(item["significant"] for item in changes.values()) / len(changes) < 0.95
    same = answer(*asked, "--against", second, env=ENV)["against"]
    assert (same["compared"], same["changes"]) == (150, [])
    text = cli(*asked, "--against", second, env=ENV).stdout
    assert text.endswith("\n0 of 150 figures moved\n"), "and no table"


def test_against_a_run_is_the_set_that_it_was_planned_for(
    tmp_path: Path, answer: Ask, cli: Cli
) -> None:
    (tmp_path / "pair.yaml").write_text(SPEC)
    with start(Options(speed=1e4, spread=0.5)) as emulator:
        at = ("--server", emulator.url)
        run = answer("run", "pair.yaml", "--yes", *at, env=ENV)["run"]
        before = answer("calibration", "garnet", *at, env=ENV)["calibration_set_id"]
        emulator.move_calibration("garnet", 0.3)
        document = answer("calibration", "garnet", "--against", run, *at, env=ENV)
        assert document["against"]["calibration_set_id"] == before
        assert document["calibration_set_id"] != before
        assert (
            answer("calibration", "garnet", "--against", "latest", *at, env=ENV)["against"]
            == (document["against"])
        )
        other = cli("calibration", "emerald", "--against", run, *at, env=ENV)
    assert other.returncode == 2
    assert f"run {run} was not planned for a calibration set of emerald" in other.stderr


# --- the results folder --------------------------------------------------------------------------


def test_without_the_server_the_folder_has_what_it_kept(
    tmp_path: Path, answer: Ask, cli: Cli
) -> None:
    with start(Options(speed=1e4, spread=0.5)) as emulator:
        at = ("--server", emulator.url)
        first = answer("calibration", "garnet", *at, env=ENV)
        emulator.move_calibration("garnet")
        second = answer("calibration", "garnet", *at, env=ENV)
        # an older set that is asked for is not the newest because of that
        answer("calibration", "garnet", "--set", first["calibration_set_id"], *at, env=ENV)
    document = answer("calibration", "garnet", *at, env=ENV)
    assert document["from_folder"] is True
    assert figures(document) == figures(second)
    older = first["calibration_set_id"]
    compared = answer("calibration", "garnet", "--against", older, *at, env=ENV)["against"]
    assert compared["calibration_set_id"] == older
    assert compared["changes"]
    # without credentials nothing is asked
    offline = cli("calibration", "garnet", *at)
    assert offline.returncode == 0
    assert "there are no credentials" in offline.stderr
    assert "this is the set that the folder kept last" in offline.stderr
    assert f"garnet: calibration set {second['calibration_set_id']}" in offline.stdout
    named = answer("calibration", "garnet", "--set", older, *at)
    assert figures(named) == figures(first)
    assert named["from_folder"] is False, "a set with an id never changes"
    verified = answer("verify", "results")
    assert verified["exit"] == 0


def test_without_server_and_folder_there_is_nothing(cli: Cli) -> None:
    with start(Options(speed=1e4)) as emulator:
        url = emulator.url
    done = cli("calibration", "garnet", "--server", url, env=ENV)
    assert done.returncode == 6
    assert "the connection was refused" in done.stderr
    done = cli("calibration", "garnet")
    assert done.returncode == 4
    assert "--server emulator" in done.stderr


# --- figures that are missing or invalid ----------------------------------------------------------

GAPS: Any = {
    "on": "metrics",
    "fault": "rewrite",
    "times": None,
    "observations": {
        "*.QB3.t1_time": None,
        "metrics.irb.cz.*.QB1__QB2.*": None,
        "metrics.rb.prx.*.QB5.*": {"invalid": True},
        "*.QB7.t2_time": {"value": None},
        "metrics.ssro.measure.*.QB9.*": {"value": "NaN"},
    },
}


def test_missing_and_invalid_figures_are_named(machines: Emulator, answer: Ask, cli: Cli) -> None:
    machines.faults([GAPS])
    document = answer("calibration", "garnet", "--server", machines.url, env=ENV)
    assert "t1" not in document["qubits"]["QB3"]
    assert "cz_fidelity" not in document["couplings"]["QB1-QB2"]
    assert set(document["qubits"]["QB9"]) >= {"t1", "t2", "prx_fidelity"}
    assert "readout_fidelity" not in document["qubits"]["QB9"]
    assert {"t1 of QB3", "cz_fidelity of QB1-QB2", "prx_fidelity of QB5"} <= set(
        document["missing"]
    )
    assert set(document["invalid"]) == {
        *("prx_fidelity of QB5", "t2 of QB7"),
        *(f"readout_{name} of QB9" for name in ("error_0", "error_1", "fidelity")),
    }
    done = cli("calibration", "garnet", "--server", machines.url, "-o", "map.svg", env=ENV)
    assert done.returncode == 0
    assert "missing: QB3 T1, QB1-QB2 cz error\n" in done.stdout
    invalid = next(line for line in done.stdout.splitlines() if line.startswith("invalid"))
    assert set(invalid.removeprefix("invalid: ").split(", ")) == {
        *("QB5 prx error", "QB7 T2", "QB9 0 read as 1", "QB9 1 read as 0", "QB9 readout error"),
    }
    row = next(line for line in done.stdout.splitlines() if line.startswith(" QB3 "))
    assert row.split()[1] == "-"


def test_many_missing_figures_are_counted(machines: Emulator, cli: Cli) -> None:
    machines.faults([{**GAPS, "observations": {"*.t1_time": None}}])
    done = cli("calibration", "garnet", "--server", machines.url, env=ENV)
    assert "missing: QB1 T1, QB2 T1, QB3 T1, QB4 T1, QB5 T1, QB6 T1 and 14 more" in done.stdout
    assert "T1 µs" not in done.stdout, "no column without a figure"


def test_no_figures_at_all_still_make_tables_and_a_map(machines: Emulator, cli: Cli) -> None:
    machines.faults([{**GAPS, "observations": {"*": None}}])
    asked = ("calibration", "garnet", "--server", machines.url, "-o", "map.png")
    done = cli(*asked, env=ENV)
    assert done.returncode == 0, done.stderr
    assert "QB20" in done.stdout


def test_a_server_without_metrics_is_refused(machines: Emulator, cli: Cli) -> None:
    machines.faults([{"on": "metrics", "fault": "status", "status": 404, "times": None}])
    done = cli("calibration", "garnet", "--server", machines.url, env=ENV)
    assert done.returncode == 4
    assert "the server gives no quality metrics of garnet" in done.stderr


# --- maps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "begins"),
    [("map.svg", b"<?xml"), ("map.png", b"\x89PNG"), ("map.pdf", b"%PDF"), ("MAP.PNG", b"\x89PNG")],
)
def test_a_map_is_written(
    machines: Emulator, cli: Cli, tmp_path: Path, name: str, begins: bytes
) -> None:
    done = cli("calibration", "garnet", "--server", machines.url, "-o", name, env=ENV)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert f"{name} written" in done.stderr


def test_a_map_with_json_leaves_the_document_alone(machines: Emulator, cli: Cli) -> None:
    asked = ("calibration", "garnet", "--server", machines.url, "-o", "map.svg", "--json")
    assert json.loads(cli(*asked, env=ENV).stdout)["target"] == "garnet"


# --- what cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        ((), 2, "name a target"),
        ((), 2, "deneb, emerald, garnet, sirius"),
        (("nope",), 4, "no quantum computer called nope"),
        (("garnett",), 4, "garnet"),
        (("garnet", "--set", "nope"), 2, "nope is no id of a calibration set"),
        (("garnet", "--set", UNKNOWN), 4, f"no calibration set {UNKNOWN} of garnet"),
        (("garnet", "--set", UNKNOWN), 4, "`iqm-spec calibration garnet` shows"),
        (("garnet", "--against", UNKNOWN), 4, f"no calibration set {UNKNOWN}"),
        (("garnet", "--against", "nope"), 2, "there is no run 'nope'"),
        (("garnet", "-o", "map.txt"), 2, ".svg, .png, .pdf"),
        (("garnet", "-o", "nowhere/map.png"), 2, "nowhere/map.png cannot be written"),
        (("garnet", "emerald"), 2, "emerald"),
    ],
)
def test_wrong_arguments(
    machines: Emulator, cli: Cli, args: tuple[str, ...], code: int, words: str
) -> None:
    done = cli("calibration", *args, "--server", machines.url, env=ENV)
    assert done.returncode == code
    assert words in done.stderr
    assert done.stdout == ""


def test_without_credentials_a_target_is_needed(cli: Cli) -> None:
    done = cli("calibration")
    assert done.returncode == 2
    assert "name a target" in done.stderr

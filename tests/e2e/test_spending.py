"""Costs through the command line: previewed, held to a budget, measured, summed, and justified.

The emulator has a price and a run-time law of its own that nothing here is told of.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.emulator import Emulator, Options, TimeWindow
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., subprocess.CompletedProcess[str]]

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SPECS = sorted([*EXPERIMENTS.glob("*.yaml"), *EXPERIMENTS.glob("*.toml")])
ENDS = ("low", "expected", "high")
TOKEN = {"IQM_TOKEN": "a-token"}
SPEC = """\
iqm_spec: 1
name: pair
description: Bell pairs of several sizes
target: garnet
stages: [mock, hardware]
shots: 200
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep: [{grid: {n: [2, 3]}}]
"""
SHOTS = "shots=${s}", "sweep=[{grid: {n: [2, 3], s: [100, 200, 300, 400, 500, 600]}}]"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pair.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def run(spec: Path, emulator: Emulator, answer: Ask) -> Ask:
    def go(*args: object, **kwargs: Any) -> Any:
        asked = ("run", spec, "--server", emulator.url, "--yes")
        return answer(*asked, *args, env=TOKEN, **kwargs)

    return go


def hardware(told: Any) -> Any:
    return next(stage for stage in told["stages"] if stage["stage"] == "hardware")


def intents(folder: Path) -> list[Any]:
    """What was ever to be submitted to a machine."""
    found = [json.loads(p.read_text()) for p in folder.glob("results/jobs/*/*-intent-*.json")]
    return [one["fields"] for one in found if one["fields"]["stage"] == "hardware"]


def submitted(folder: Path) -> int:
    """Number of machines' jobs that were ever intended."""
    return len(intents(folder))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_preview_holds_what_the_run_then_took(
    path: Path, emulator: Emulator, answer: Ask
) -> None:
    stages = ("--set", "stages=[mock, hardware]", "--set", "require={}")
    args = ("run", path, "--server", emulator.url, "--yes", *stages)
    seen = hardware(answer(*args, "--dry-run", env=TOKEN))
    answer(*args, env=TOKEN)
    (total,) = answer("ledger")["totals"]
    assert total["jobs"] == total["jobs_compared"] == len(seen["jobs"])
    assert total["jobs_within_range"] == total["jobs"]
    assert seen["qpu_seconds"]["low"] < total["measured_seconds"] < seen["qpu_seconds"]["high"]
    assert seen["credits"]["low"] < total["credits_measured"] < seen["credits"]["high"]


def test_a_dry_run_adds_up_and_names_what_it_rests_on(run: Ask, tmp_path: Path) -> None:
    told = run("--dry-run", "--set", SHOTS[0], "--set", SHOTS[1])
    machine = hardware(told)
    assert [(job["circuits"], job["shots"]) for job in machine["jobs"]] == [
        (2, shots) for shots in (100, 200, 300, 400, 500, 600)
    ]
    for figure in ("qpu_seconds", "credits"):
        for end in ENDS:
            whole = sum(job[figure][end] for job in machine["jobs"])
            assert machine[figure][end] == pytest.approx(whole)
            assert told["total"][figure][end] == pytest.approx(whole)
            assert all(stage[figure][end] == 0 for stage in told["stages"][:-1])
    sizes = [job["qpu_seconds"]["expected"] for job in machine["jobs"]]
    assert sizes == sorted(sizes)
    (plan, apart) = told["batchings"]
    assert (plan["jobs"], apart["jobs"]) == (6, 12)
    assert plan["credits"]["expected"] < apart["credits"]["expected"]
    assert {one["seller"] for one in told["sellers"]} == {"Amazon Braket", "Scaleway"}
    price = told["assumptions"][0]
    assert price["name"] == "price per second of garnet"
    assert (price["value"], "emulator's answer" in price["source"]) == ("0.3 credits", True)
    assert all({"name", "value", "source", "date"} == set(one) for one in told["assumptions"])
    assert [point["standard_error"] for point in told["points"][:2]] == [
        pytest.approx(0.05), pytest.approx(0.5 / 200**0.5),
    ]  # fmt: skip
    assert not (tmp_path / "results").exists()


def test_without_a_server_the_published_price_is_told_with_its_date(
    spec: Path, answer: Ask
) -> None:
    told = answer("run", spec, "--dry-run", "--server", "http://localhost:9", env=TOKEN)
    price = told["assumptions"][0]
    assert (price["value"], price["date"]) == ("0.3 credits", "2026-08-23")
    assert any("not the server's own" in note for note in told["notes"])


def test_over_budget_nothing_is_submitted(run: Ask, tmp_path: Path) -> None:
    for option in (("--set", "budget.credits=0.1"), ("--max-credits", "0.1")):
        assert "would be refused" in run("--dry-run", *option)["notes"][0]
        done = run(*option, exit_code=4)
        assert hardware(done)["status"] == "refused"
        assert "does not cover" in hardware(done)["verdict"][0]
        assert submitted(tmp_path) == 0


def test_what_was_spent_counts_in_the_next_run(run: Ask, tmp_path: Path, answer: Ask) -> None:
    run()
    spent = answer("ledger")["totals"][0]["credits_measured"]
    assert spent > 0
    more = ("--set", "sweep=[{grid: {n: [2, 3, 4]}}]")
    upper = hardware(run("--dry-run", *more))["credits"]["high"]
    short = ("--set", f"budget.credits={spent + upper * 0.99}")
    assert hardware(run(*more, *short, exit_code=4))["status"] == "refused"
    assert submitted(tmp_path) == 1
    # --max-credits looks at this invocation alone
    assert hardware(run(*more, "--max-credits", upper * 1.01))["status"] == "passed"
    assert submitted(tmp_path) == 2


def test_a_cached_point_costs_nothing(run: Ask) -> None:
    run()
    again = hardware(run("--dry-run"))
    assert (again["cached"], again["jobs"]) == (2, [])
    assert again["credits"] == dict.fromkeys(ENDS, 0)
    grown = hardware(run("--dry-run", "--set", "sweep=[{grid: {n: [2, 3, 4]}}]"))
    assert [job["circuits"] for job in grown["jobs"]] == [1]


def test_the_model_learns_from_what_was_measured(run: Ask, answer: Ask, tmp_path: Path) -> None:
    more = ("--set", SHOTS[0], "--set", "sweep=[{grid: {n: [2, 3], s: [150, 650]}}]")
    before = hardware(run("--dry-run", *more))["qpu_seconds"]
    run("--set", SHOTS[0], "--set", SHOTS[1])
    told = run("--dry-run", *more)
    after = hardware(told)["qpu_seconds"]
    assert after["high"] - after["low"] < 0.5 * (before["high"] - before["low"])
    assert any("fitted to 6 jobs" in one["value"] for one in told["assumptions"])
    run(*more)
    total = next(
        one for one in answer("ledger", "--by", "experiment")["accounts"] if one["jobs"] == 8
    )
    assert (total["jobs_compared"], total["jobs_within_range"]) == (8, 8)
    for path in tmp_path.glob("results/jobs/*/*-intent-*.json"):
        fields = json.loads(path.read_text())["fields"]
        assert ("estimate" in fields) == (fields["stage"] == "hardware")


def test_in_a_timeslot_the_most_valuable_go_first_and_the_rest_is_held_back(
    spec: Path, answer: Ask, tmp_path: Path
) -> None:
    text = SPEC.replace("name: pair", "name: slot\nmode: timeslot")
    dear = "  - {name: dear, generator: bell, priority: 5, shots: 300}\n"
    spec.write_text(text.replace("sweep:", f"{dear}sweep:"))
    with start(Options(speed=1000, slots=(TimeWindow("garnet", 0, 3600 * 24),))) as emulator:
        ask = ("run", spec, "--server", emulator.url, "--yes")
        seen = answer(*ask, "--dry-run", "--slot", "25s", env=TOKEN)
        assert [job["shots"] for job in hardware(seen)["jobs"]] == [300, 200]
        (slot,) = seen["timeslots"]
        assert (slot["machine"], slot["jobs_that_fit"], slot["ask_minutes"]) == ("garnet", 1, 5)
        done = answer(*ask, "--slot", "25s", env=TOKEN, exit_code=4)
        assert hardware(done)["submitted"] == 1
        assert "1 job of 2 held back" in " ".join(hardware(done)["verdict"])
        (intent,) = intents(tmp_path)
        assert intent["shots"] == 300
        done = answer(*ask, "--slot", "10m", env=TOKEN)
        assert hardware(done)["status"] == "passed"
    assert submitted(tmp_path) == 2


def test_without_a_booked_slot_nothing_is_submitted(run: Ask, tmp_path: Path) -> None:
    done = run("--set", "mode=timeslot", exit_code=4)
    assert "no timeslot is booked on garnet" in hardware(done)["verdict"][0]
    assert submitted(tmp_path) == 0


def test_resume_keeps_to_the_budget_of_the_spec(
    run: Ask, answer: Ask, emulator: Emulator, tmp_path: Path
) -> None:
    run("--set", "budget.credits=0.1", exit_code=4)
    done = answer("resume", "--yes", env=TOKEN, exit_code=4)
    assert "budget of 0.1 credits" in hardware(done)["verdict"][0]
    assert not [line for line in emulator.submissions() if line["alias"] == "garnet"]
    assert submitted(tmp_path) == 0


def plain(text: str) -> str:
    """A text without what changes from run to run."""
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{6,16}", "DATE-TIME-RANDOM", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"[0-9a-f]{64}", "SHA256", text)
    text = re.sub(r"\| [01]\.\d{3} (?=\|)", "| FIDELITY ", text)
    text = re.sub(r"(answer, made up: a rehearsal's \|) [0-9-]{10}", r"\1 DATE", text)
    text = re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"\| 20\d\d-\d\d \|", "| MONTH |", text)
    return re.sub(r"20\d\d-\d\d(-\d\d)? (\(today\)|  )", "DATE ", text)


def test_the_papers(spec: Path, answer: Ask, cli: Cli, snapshot: SnapshotAssertion) -> None:
    run = ("run", spec, "--server", "emulator")
    answer(*run, "--until", "mock")
    asked = cli("justify", spec, "--server", "emulator")
    assert asked.returncode == 0
    assert plain(asked.stdout) == snapshot(name="request")
    answer(*run)
    closed = cli("justify", "pair", "--closeout")
    assert closed.returncode == 0
    assert plain(closed.stdout) == snapshot(name="closeout")
    asked = ("justify", "pair", "--closeout", "-o", "paper.html", "-o", "paper.md")
    assert cli(*asked).returncode == 0
    done = cli(*asked)  # somebody may have filled it in
    assert (done.returncode, "exists already" in done.stderr) == (4, True)
    assert cli(*asked, "--force").returncode == 0
    page = (spec.parent / "paper.html").read_text()
    assert (spec.parent / "paper.md").read_text() == closed.stdout
    assert page.startswith("<!doctype html>")
    assert "<table>" in page
    assert "src=" not in page
    assert "<script" not in page


def test_a_description_cannot_break_a_paper(spec: Path, cli: Cli) -> None:
    hostile = "<script>alert(1)</script> | # ![x](http://evil/x.png) **bold**"
    done = cli("justify", spec, "--set", f"description={json.dumps(hostile)}", "-o", "p.html")
    assert done.returncode == 0, done.stderr
    page = (spec.parent / "p.html").read_text()
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_without_a_hardware_stage_there_is_nothing_to_ask_for(spec: Path, cli: Cli) -> None:
    done = cli("justify", spec, "--set", "stages=[aer]")
    assert done.returncode == 4
    assert "no hardware stage" in done.stderr

"""What a server says of its machines, its times, its token and its results is used."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator, Options
from iqm_spec.stages.server.tariff import timings_of
from iqm_spec.store import Store
from tests.emulators import start

pytestmark = pytest.mark.slow

Ask = Callable[..., Any]
Cli = Callable[..., subprocess.CompletedProcess[str]]

TOKEN = "token-that-must-not-leak"
ENV = {"IQM_TOKEN": TOKEN}
SPEC = """\
iqm_spec: 1
name: pair
target: garnet
stages: [mock, hardware]
shots: 200
circuits: [{generator: bell}]
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "pair.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def at(spec: Path, emulator: Emulator) -> tuple[object, ...]:
    return (spec, "--server", emulator.url)


def always(call: str, **fields: Any) -> dict[str, Any]:
    return {"on": call, "times": None, "fault": "rewrite", **fields}


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    paths = sorted(folder.glob(f"results/jobs/*/*-{kind}-*.json"))
    return [json.loads(path.read_text())["fields"] for path in paths]


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_a_machine_that_is_not_online_is_said_before_consent(
    at: tuple[object, ...], cli: Cli, answer: Ask, emulator: Emulator
) -> None:
    down = {"operational_status": "maintenance", "health": {"healthy": False}}
    emulator.faults([always("computer", qc="garnet", set=down)])
    said = (
        "garnet is not online (`maintenance`): jobs wait until the machine is back",
        "garnet is not healthy according to its server: jobs may wait or fail",
    )
    preview = answer("run", *at, "--dry-run", env=ENV)
    assert set(said) <= set(preview["notes"])
    done = cli("run", *at, env=ENV)
    assert done.returncode == 4  # nobody agreed
    assert len(emulator.submissions()) == 1  # the mock's
    bill = squeezed(done.stderr).partition("about to")[2]
    assert all(text in bill for text in said)


def test_the_servers_own_times_are_kept_shown_and_learned_from(
    at: tuple[object, ...], cli: Cli, answer: Ask, emulator: Emulator, tmp_path: Path
) -> None:
    # a server whose timeline does not tell when the run began
    emulator.faults([always("job", remove=["timeline"], set={"runtime_ms": 4250})])
    done = cli("run", *at, "--yes", env=ENV)
    assert done.returncode == 0, done.stderr
    assert "the server itself estimated" in squeezed(done.stderr)
    (completed,) = [one for one in events(tmp_path, "completed") if one["qpu_seconds"]][1:]
    assert completed["qpu_seconds"] == 4.25
    estimate = completed["server_estimate_seconds"]
    assert 0.8 < estimate < 2
    (job,) = [
        one for one in answer("status", "latest")["run"]["jobs"] if one["stage"] == "hardware"
    ]
    assert (job["measured_seconds"], job["server_estimate_seconds"]) == (4.25, estimate)
    (measured,) = timings_of(Store(tmp_path / "results"), computer="garnet")
    assert [timing.qpu_seconds for timing in measured.timings] == [4.25]
    (account,) = answer("ledger")["totals"]
    assert account["measured_seconds"] == 4.25
    page = tmp_path / "page.html"
    cli("report", "latest", "-o", page)
    assert "server estimate s" in page.read_text()
    reproduced = cli("reproduce", "latest")
    assert reproduced.returncode == 0, reproduced.stderr


@pytest.mark.parametrize("status", ["expired", "aborted"])
def test_a_terminal_status_that_is_not_listed_ends_the_job(
    status: str, at: tuple[object, ...], answer: Ask, emulator: Emulator, tmp_path: Path
) -> None:
    words = [{"message": "it waited for too long", "error_code": "job_expired"}]
    rule = always("job", set={"status": status, "errors": words, "artifacts": []})
    emulator.faults([rule])
    done = answer("run", *at, "--yes", exit_code=5, env=ENV)
    assert [stage["status"] for stage in done["stages"]] == ["failed", "skipped"]
    (failed,) = events(tmp_path, "failed")
    assert failed["status"] == status
    assert "it waited for too long" in failed["message"]


BAD_COUNTS: list[Any] = [
    [{"measurement_keys": ["x"], "counts": {"0": 200}}],
    [{"counts": {"0x3": 200}}],
    {"results": []},
]


@pytest.mark.parametrize("counts", [*BAD_COUNTS, "<html>counts</html>"])
def test_counts_that_cannot_be_read_are_made_of_the_measurements(
    counts: Any, at: tuple[object, ...], answer: Ask, cli: Cli, emulator: Emulator
) -> None:
    rule = {"on": "measurement-counts", "fault": "status", "status": 200, "body": counts}
    emulator.faults([{**rule, "times": None}])
    done = answer("run", *at, "--yes", env=ENV)
    assert [stage["status"] for stage in done["stages"]] == ["passed", "passed"]
    (row,) = [
        row
        for row in json.loads(cli("export", "latest", "--json").stdout)["rows"]
        if row["stage"] == "hardware"
    ]
    assert sum(row["counts"].values()) == 200


def test_where_neither_can_be_read_the_first_reason_is_told(
    at: tuple[object, ...], answer: Ask, emulator: Emulator
) -> None:
    bad = {"fault": "status", "status": 200, "times": None}
    emulator.faults(
        [
            {**bad, "on": "measurement-counts", "body": BAD_COUNTS[0]},
            {**bad, "on": "measurements", "body": [{"y": []}]},
        ]
    )
    done = answer("run", *at, "--yes", exit_code=5, env=ENV)
    assert "measurement keys do not fit" in " ".join(done["stages"][0]["verdict"])


def test_doctor_tells_expiry_price_and_bookable_slots(
    at: tuple[object, ...], answer: Ask, emulator: Emulator
) -> None:
    now = datetime.now(UTC)
    soon = now + timedelta(hours=5)
    tokens = [
        {"last_characters": TOKEN[-4:], "expires_at": soon.isoformat()},
        {"last_characters": "abcd", "expires_at": now.isoformat()},
        {"last_characters": "", "expires_at": now.isoformat()},
        {"last_characters": TOKEN[-4:], "expires_at": "never"},
    ]
    slots = [
        {
            "start": (now + timedelta(hours=n, minutes=1)).isoformat(),
            "end": (now + timedelta(hours=n, minutes=31)).isoformat(),
            "price": "90.00",
            "reference": f"r{n}",
        }
        for n in (3, 1, 5, 7)
    ]
    emulator.faults(
        [
            always("tokens", set={"tokens": tokens}),
            always("timeslots", qc="garnet", set={"available_slots": slots}),
        ]
    )
    asked = answer("doctor", *at, env=ENV)
    assert TOKEN not in json.dumps(asked)
    checks = {one["name"]: one for one in asked["checks"]}
    assert checks["credentials"]["status"] == "warning"
    assert "it expires in 5 h (" in checks["credentials"]["found"]
    assert checks["garnet price"]["found"] == "0.30 credits per second of QPU time"
    bookable = checks["garnet bookable slots"]["found"]
    assert bookable.startswith("in 1 h")
    assert bookable.count("30 min for 90.00 credits") == 3
    assert bookable.endswith("and 1 more")


def test_results_of_another_calibration_set_say_so(spec: Path, cli: Cli, answer: Ask) -> None:
    with start(Options(speed=1e4)) as emulator:
        at = (spec, "--server", emulator.url, "--yes")
        answer("run", *at, env=ENV)
        moved = emulator.move_calibration("garnet")
        again = answer("run", *at, "--replan", env=ENV)
        said = " ".join(again["stages"][-1]["verdict"])
        assert f"the plan is for {moved}; `--fresh` measures again" in said
        assert len(emulator.submissions()) == 2
        fresh = answer("run", *at, "--fresh", env=ENV)
        assert "measures again" not in " ".join(fresh["stages"][-1]["verdict"])
        assert len(emulator.submissions()) == 4


def test_doctor_knows_what_is_no_iqm_server(
    at: tuple[object, ...], answer: Ask, emulator: Emulator
) -> None:
    emulator.faults(
        [{"on": "computers", "fault": "status", "status": 200, "body": [1, 2], "times": None}]
    )
    checks = answer("doctor", *at, exit_code=4, env=ENV)["checks"]
    (listed,) = [one for one in checks if one["name"] == "quantum computers"]
    assert listed["status"] == "problem"
    assert "is this an IQM server?" in listed["found"]


def test_results_that_are_late_are_waited_for(
    at: tuple[object, ...], answer: Ask, emulator: Emulator
) -> None:
    absent = {"fault": "status", "status": 404, "error_code": "artifact_not_found"}
    both = ("measurement-counts", "measurements")
    emulator.faults([{**absent, "on": on, "times": 2} for on in both])
    done = answer("run", *at, "--yes", env=ENV)
    assert [stage["status"] for stage in done["stages"]] == ["passed", "passed"]
    emulator.faults([{**absent, "on": on, "times": None} for on in both])
    waiting = answer("run", *at, "--yes", "--fresh", "--wait", "3s", exit_code=9, env=ENV)
    assert waiting["stages"][0]["status"] == "waiting"
    emulator.faults([])
    assert answer("resume", "latest", "--yes", env=ENV)["exit"] == 0

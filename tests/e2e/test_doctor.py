"""`iqm-spec doctor` in a process of its own, against emulators that offer this and refuse that."""

from __future__ import annotations

import json
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from iqm_spec.emulator import Emulator, Options, TimeWindow
from tests.emulators import start

pytestmark = pytest.mark.slow

Cli = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[..., Any]

SPEC = """\
iqm_spec: 1
name: ghz
target: garnet
stages: [aer, mock, hardware]
shots: 300
circuits:
  - generator: ghz
    args: {num_qubits: "${n}"}
sweep:
  - grid: {n: [2, 3, 4]}
"""
SECRET = "a-token-that-nobody-shall-see"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "ghz.yaml"
    path.write_text(SPEC)
    return path


def by_name(document: Any) -> dict[str, dict[str, str]]:
    checks = {check["name"]: check for check in document["checks"]}
    assert all(check.keys() == {"name", "status", "found", "hint"} for check in checks.values())
    assert len(checks) == len(document["checks"])
    return checks


def token(seconds: float) -> str:
    """A JWT that says when it expires."""
    claims = urlsafe_b64encode(json.dumps({"exp": time.time() + seconds}).encode()).decode()
    return f"head.{claims.rstrip('=')}.{SECRET}"


def test_the_built_in_emulator_is_fine_and_leaves_nothing(spec: Path, answer: Ask) -> None:
    checks = by_name(answer("doctor", spec, "--server", "emulator"))
    assert {check["status"] for check in checks.values()} == {"ok"}
    assert "garnet:mock" in checks["quantum computers"]["found"]
    assert checks["spec"]["found"].endswith("valid, 3 points")
    assert checks["garnet limits"]["found"] == "3 circuits, at most 300 shots: 1 job"
    assert checks["garnet pay-as-you-go"]["found"] == "open now"
    assert [path.name for path in spec.parent.iterdir()] == ["ghz.yaml"]


def test_the_text_fits_sixty_columns(spec: Path, cli: Cli) -> None:
    done = cli("doctor", spec, "--server", "emulator", "--set", "mode=timeslot", columns=60)
    assert done.returncode == 4
    assert max(map(len, done.stdout.splitlines())) <= 60
    text = " ".join(done.stdout.split())
    assert "problem garnet timeslots: none is booked in the next 7 days -> someone with" in text
    assert "of about 5 min" in text


def test_a_booked_timeslot_and_a_window_later(spec: Path, answer: Ask) -> None:
    options = Options(
        slots=(TimeWindow("garnet", 0, 3600),),
        windows=(TimeWindow("garnet", 7200, 9000),),
        limits={"max_circuits_per_job": 2},
    )
    with start(options) as emulator:
        env = {"IQM_TOKEN": SECRET, "IQM_SERVER_URL": emulator.url}
        checks = by_name(answer("doctor", spec, "--set", "mode=timeslot", env=env))
        assert checks["garnet timeslots"]["found"].startswith("booked now, until in")
        assert checks["garnet timeslots"]["status"] == "ok"
        assert checks["garnet limits"]["found"].endswith("2 jobs")
        checks = by_name(answer("doctor", spec, env=env))
        assert checks["garnet pay-as-you-go"]["found"].startswith("the next window opens in 2 h")
        assert emulator.ledger() == []


def test_credentials_are_told_and_never_shown(
    spec: Path, answer: Ask, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMULATED_TOKEN", SECRET)
    with start(Options(token_env="EMULATED_TOKEN")) as emulator:
        at = ("doctor", spec, "--server", emulator.url)

        def found(code: int, **env: str) -> dict[str, str]:
            asked = answer(*at, exit_code=code, env=env)
            assert SECRET not in json.dumps(asked)
            checks = by_name(asked)
            assert checks["server"]["status"] == "ok"
            return checks["credentials"]

        none = found(4)
        assert (none["status"], none["found"]) == (
            "problem",
            "neither IQM_TOKEN nor IQM_TOKENS_FILE is set",
        )
        assert "--server emulator" in none["hint"]
        wrong = found(4, IQM_TOKEN="wrong")
        assert wrong["found"] == "IQM_TOKEN is set, and the server does not accept it"
        right = found(0, IQM_TOKEN=SECRET)
        assert right["found"].startswith(
            "IQM_TOKEN is set, and the server accepts it; it expires in 365 days ("
        )
        assert "both set" in found(4, IQM_TOKEN=SECRET, IQM_TOKENS_FILE="x")["found"]
        file = tmp_path / "tokens.json"
        file.write_text(json.dumps({"access_token": token(-60)}))
        assert "has expired" in found(4, IQM_TOKENS_FILE=str(file))["found"]
        done = cli(*at, env={"IQM_TOKEN": f"{SECRET} with spaces"})
        assert done.returncode == 4
        assert SECRET not in done.stdout + done.stderr


def test_a_token_that_expires_soon_is_told(spec: Path, answer: Ask, emulator: Emulator) -> None:
    def told(seconds: float) -> tuple[str, str]:
        env = {"IQM_TOKEN": token(seconds)}
        asked = answer("doctor", spec, "--server", emulator.url, env=env)
        assert SECRET not in json.dumps(asked)
        check = by_name(asked)["credentials"]
        return check["status"], check["found"]

    status, found = told(3 * 3600 + 20)
    assert status == "warning"
    assert "it expires in 3 h (" in found
    assert told(30 * 86400)[0] == "ok"
    assert told(-60)[0] == "warning"  # whatever it says, the server accepts it


def test_no_server_is_there(spec: Path, answer: Ask) -> None:
    env = {"IQM_TOKEN": SECRET}
    at = ("doctor", spec, "--server", "http://127.0.0.1:9")
    checks = by_name(answer(*at, exit_code=6, env=env))
    assert checks["server"]["status"] == "problem"
    assert "refused" in checks["server"]["found"]
    assert checks["credentials"]["found"] == "IQM_TOKEN is set"
    assert checks["quantum computers"]["status"] == "unknown"
    only_aer = by_name(answer(*at, "--set", "stages=[aer]"))
    assert only_aer["server"]["status"] == only_aer["credentials"]["status"] == "warning"


def test_a_wrong_spec_is_told_beside_everything_else(spec: Path, answer: Ask, cli: Cli) -> None:
    spec.write_text(SPEC.replace("garnet", "granet").replace("ghz\n    args", "gzh\n    args"))
    asked = answer("doctor", spec, "--server", "emulator", exit_code=3)
    checks = by_name(asked)
    assert checks["spec"]["found"].endswith("2 errors")
    assert checks["quantum computers"]["status"] == "ok"
    assert [one["code"] for one in asked["diagnostics"]] == ["S501", "S405"]
    done = cli("doctor", spec, "--server", "emulator")
    assert "did you mean garnet?" in done.stderr


def test_a_target_that_the_server_does_not_list(spec: Path, answer: Ask) -> None:
    with start(Options(on_premises="garnet")) as emulator:
        at = ("--server", emulator.url)
        env = {"IQM_TOKEN": SECRET}
        checks = by_name(answer("doctor", spec, *at, exit_code=4, env=env))
        assert checks["garnet"]["status"] == "problem"
        assert "it lists: default" in checks["garnet"]["found"]
        assert checks["garnet:mock"]["status"] == "warning"
        override = ("--set", "target=default", "--set", "stages=[hardware]")
        checks = by_name(answer("doctor", spec, *at, *override, env=env))
        assert checks["default"]["status"] == "ok"
        assert checks["default health"]["status"] == "ok"
        assert checks["default status"]["status"] == "unknown"
        assert checks["default pay-as-you-go"]["status"] == "unknown"


def test_what_the_server_keeps_to_itself_is_unknown(spec: Path, answer: Ask) -> None:
    absent = {"fault": "status", "times": None}
    faults = (
        {**absent, "on": "computer", "status": 404},
        {**absent, "on": "limits", "status": 403, "error_code": "forbidden"},
        {**absent, "on": "health", "status": 503, "body": "<html>503</html>"},
        {**absent, "on": "queue", "status": 404, "body": ""},
        {**absent, "on": "timeslots", "status": 404, "body": ""},
        {**absent, "on": "architecture", "status": 404, "body": ""},
    )
    with start(Options(faults=faults)) as emulator:
        env = {"IQM_TOKEN": SECRET}
        checks = by_name(answer("doctor", spec, "--server", emulator.url, env=env))
    parts = ("health", "status", "queue", "limits", "pay-as-you-go", "calibration")
    assert {checks[f"garnet {part}"]["status"] for part in parts} == {"unknown"}
    assert "503" in checks["garnet health"]["found"]


def test_a_calibration_set_that_moved_and_then_went(spec: Path, answer: Ask) -> None:
    with start(Options(speed=1e4)) as emulator:
        env = {"IQM_TOKEN": SECRET}
        at = ("--server", emulator.url, "--set", "stages=[mock, hardware]")
        answer("run", spec, *at, "--until", "mock", env=env)
        fine = by_name(answer("doctor", spec, *at, env=env))["garnet calibration"]
        assert fine["found"].endswith("today's default")
        pinned = fine["found"].split(",")[0]
        moved = emulator.move_calibration("garnet")
        told = by_name(answer("doctor", spec, *at, env=env))["garnet calibration"]
        assert told["status"] == "warning"
        assert told["found"] == f"{pinned} exists; today's default is {moved}"
        named = ("--set", "calibration=00000000-0000-4000-8000-000000000000")
        gone = by_name(answer("doctor", spec, *at, *named, exit_code=4, env=env))
        assert gone["garnet calibration"]["status"] == "problem"


def test_an_address_that_is_none_is_a_usage_error(cli: Cli) -> None:
    done = cli("doctor", "--server", "http://example.org")
    assert done.returncode == 2
    assert "in the clear" in done.stderr

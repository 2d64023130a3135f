"""What `doctor` makes of versions, folders and of what a machine offers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iqm_spec.doctor.computer import Need, machine_checks, moment, needs_of, span
from iqm_spec.doctor.local import (
    Status,
    environment_checks,
    exit_code,
    fine,
    folder_check,
    lies_in,
    problem,
    unknown,
    version_check,
    warning,
)
from iqm_spec.errors import ExitCode
from iqm_spec.model import Mode, SpecPoint
from iqm_spec.server_api.computers import ComputerInfo, Slot

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("36.0.0", "<37,>=36", True),
        ("36.9", ">=36,<37", True),
        ("37.0.0", ">=36,<37", False),
        ("35.2.1", ">=36,<37", False),
        ("2.1.2", ">=2.1,<2.2", True),
        ("2.10.0", ">=2.1,<2.2", False),
        ("3.11.7", ">=3.11,<3.15", True),
        ("3.15.0", ">=3.11,<3.15", False),
        ("1.0", "==1", True),
        ("1.0.1", "!=1.0.1", False),
        ("5", "", True),
    ],
)
def test_versions_lie_in_ranges(version: str, wanted: str, fits: bool) -> None:
    assert lies_in(version, wanted) is fits
    assert version_check("x", version, wanted).code == (ExitCode.DONE if fits else ExitCode.FAILED)


def test_what_is_not_installed_is_a_problem() -> None:
    check = version_check("iqm-client", None, ">=36")
    assert (check.status, check.finding) == (Status.PROBLEM, "not installed")


def test_this_environment_is_fit() -> None:
    checks = {check.name: check for check in environment_checks()}
    assert list(checks) == ["python", "iqm-spec", "iqm-client", "qiskit", "qiskit-aer"]
    assert {check.status for check in checks.values()} == {Status.OK}
    assert checks["iqm-client"].finding.startswith("36.")


def test_a_folder_is_looked_at_and_left_as_it_was(tmp_path: Path) -> None:
    assert folder_check(tmp_path).finding.endswith("is writable")
    deep = tmp_path / "a" / "b"
    assert folder_check(deep).finding.endswith("can be created")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").write_text("a file stands in the way")
    check = folder_check(deep)
    assert (check.status, check.code) == (Status.PROBLEM, ExitCode.FAILED)
    assert "Not a directory" in check.finding


def test_exit_codes_of_all_checks_together() -> None:
    good = [fine("a", ""), warning("b", "", "c"), unknown("d", "")]
    assert exit_code(good) is ExitCode.DONE
    refused, unreachable = problem("e", "", ""), problem("f", "", "", ExitCode.UNREACHABLE)
    wrong = problem("g", "", "", ExitCode.SPEC)
    assert exit_code([*good, refused]) is ExitCode.REFUSED
    assert exit_code([refused, unreachable]) is ExitCode.UNREACHABLE
    assert exit_code([unreachable, wrong, refused]) is ExitCode.SPEC
    assert exit_code([refused.softened, unreachable.softened]) is ExitCode.DONE
    assert refused.softened.status is Status.WARNING


def point(shots: int = 100, target: str = "garnet", **options: object) -> SpecPoint:
    return SpecPoint(0, "c", (), 0, "ghz", {}, None, shots, None, {}, options, target)  # type: ignore[arg-type]


def test_needs_stand_apart_by_machine_shots_and_options() -> None:
    needs = needs_of([point(), point(), point(300), point(heralding="zeros"), point(5, "emerald")])
    garnet = needs["garnet"]
    assert (garnet.circuits, garnet.shots, garnet.executions) == (4, 300, 600)
    assert sorted(garnet.groups) == [(100, 1), (100, 2), (300, 1)]
    assert needs["emerald"].executions == 5
    assert not garnet.resets_actively
    assert needs_of([point(active_reset_cycles=2)])["garnet"].resets_actively


@pytest.mark.parametrize(
    ("groups", "limits", "jobs"),
    [
        (((100, 10),), {}, 1),
        (((100, 501),), {}, 2),  # IQM's own habit where nothing is told
        (((100, 10),), {"max_circuits": 4}, 3),
        (((100, 10),), {"max_executions": 500}, 2),
        (((250, 2),), {"max_shots": 100}, 3),
        (((250, 2),), {"max_executions": 100}, 6),
        (((100, 1), (200, 1)), {}, 2),
    ],
)
def test_jobs_within_limits(
    groups: tuple[tuple[int, int], ...], limits: dict[str, int], jobs: int
) -> None:
    assert Need("garnet", groups).jobs(ComputerInfo("garnet", **limits)) == jobs  # type: ignore[arg-type]


def test_a_timeslot_holds_the_highest_time_with_a_margin_in_steps_of_five_minutes() -> None:
    slot = Need("garnet", ((20_000, 100),)).slot(2)
    assert slot.seconds.low < 2_000_000 * 350e-6 < slot.seconds.high
    assert slot.minutes % 5 == 0
    assert 0 <= slot.minutes - slot.seconds.high / 0.9 / 60 < 5
    assert Need("garnet", ((1, 1),)).slot(1).minutes == 5


def check(
    offer: ComputerInfo, name: str, mode: Mode = Mode.PAY_AS_YOU_GO
) -> tuple[str, str, str, int]:
    need = Need("garnet", ((20_000, 100),))
    (found,) = [
        one for one in machine_checks(offer, need, mode, NOW) if one.name == f"garnet {name}"
    ]
    return found.status.value, found.finding, found.hint, int(found.code)


def slots(*hours: tuple[float, float]) -> tuple[Slot, ...]:
    return tuple(Slot(NOW + a * HOUR, NOW + b * HOUR) for a, b in hours)


@pytest.mark.parametrize("name", ["health", "status", "queue", "limits", "pay-as-you-go"])
def test_what_is_not_told_is_unknown(name: str) -> None:
    status, found, _, code = check(ComputerInfo("garnet"), name)
    assert (status, code) == ("unknown", 0)
    assert found.startswith("the server does not report")


def test_why_it_is_not_told_stands_in_the_notes() -> None:
    offer = ComputerInfo("garnet", notes=("health: no such page", "timeslots: forbidden"))
    assert check(offer, "health")[:2] == ("unknown", "no such page")
    status, found, hint, code = check(offer, "timeslots", Mode.TIMESLOT)
    assert (status, found, code) == ("unknown", "forbidden", 0)
    assert "about 20 min" in hint


@pytest.mark.parametrize(
    ("offer", "name", "status", "text"),
    [
        (ComputerInfo("garnet", healthy=True), "health", "ok", "healthy"),
        (ComputerInfo("garnet", healthy=False), "health", "warning", "not healthy"),
        (ComputerInfo("garnet", operational_status="online"), "status", "ok", "online"),
        (
            ComputerInfo("garnet", operational_status="maintenance"),
            "status",
            "warning",
            "maintenance",
        ),
        (ComputerInfo("garnet", queue_length=1), "queue", "ok", "1 job waiting"),
        (ComputerInfo("garnet", max_circuits=50), "limits", "ok", "at most 20,000 shots: 2 jobs"),
        (
            ComputerInfo("garnet", max_shots=10_000),
            "limits",
            "ok",
            "more shots are split over jobs",
        ),
        (ComputerInfo("garnet", max_circuits=1, max_queued=20), "limits", "warning", "20 may wait"),
        (
            ComputerInfo("garnet", windows=()),
            "pay-as-you-go",
            "warning",
            "no window in the next 7 days",
        ),
        (ComputerInfo("garnet", windows=slots((-1, 168))), "pay-as-you-go", "ok", "open now"),
    ],
)
def test_what_is_told(offer: ComputerInfo, name: str, status: str, text: str) -> None:
    found = check(offer, name)
    assert found[0] == status
    assert text in found[1]
    assert found[3] == 0
    assert (found[2] != "") == (status == "warning")


@pytest.mark.usefixtures("berlin")
def test_windows_in_words_and_local_time() -> None:
    def told(*hours: tuple[float, float]) -> str:
        return check(ComputerInfo("garnet", windows=slots(*hours)), "pay-as-you-go")[1]

    assert told((30, 31), (14.5, 15), (-5, -4)) == (
        "the next window opens in 14 h 30 min (Tue 24 Nov 03:30 CET)"
    )
    assert told((-1, 2)) == "open now; the window closes in 2 h (Mon 23 Nov 15:00 CET)"


@pytest.mark.usefixtures("berlin")
def test_timeslots_booked_now_later_or_not_at_all() -> None:
    def told(*hours: tuple[float, float]) -> tuple[str, str, str, int]:
        return check(ComputerInfo("garnet", booked=slots(*hours)), "timeslots", Mode.TIMESLOT)

    assert told((-1, 2), (5, 6)) == (
        "ok", "booked now, until in 2 h (Mon 23 Nov 15:00 CET)", "", 0,
    )  # fmt: skip
    assert told((5, 6))[:2] == (
        "ok", "the next one begins in 5 h (Mon 23 Nov 18:00 CET) and lasts 1 h",
    )  # fmt: skip
    status, _, hint, _ = told((-1, 0.2))
    assert status == "warning"
    assert "too short" in hint
    status, found, hint, code = told((-2, -1))
    assert (status, code) == ("problem", ExitCode.REFUSED)
    assert found == "none is booked in the next 7 days"
    assert "role PI or Scheduler" in hint
    assert "about 20 min" in hint
    assert "sister machines" in hint


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0.2, "less than a minute"),
        (59, "59 min"),
        (60, "1 h"),
        (135, "2 h 15 min"),
        (24 * 60, "1 day"),
        (51 * 60, "2 days 3 h"),
        (-5, "less than a minute"),
    ],
)
def test_spans_in_words(minutes: float, words: str) -> None:
    assert span(timedelta(minutes=minutes)) == words


@pytest.mark.usefixtures("berlin")
def test_moments_are_local() -> None:
    assert moment(NOW + 3 * HOUR, NOW) == "in 3 h (Mon 23 Nov 16:00 CET)"

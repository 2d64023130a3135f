"""What journals of jobs lack, told from a run's events and the names of files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from iqm_spec.store import Store, verify
from iqm_spec.store.events import RunStarted, SimulatorVersion, SpecName
from iqm_spec.store.references import lost_completions, lost_of_jobs
from tests.journals import append

NOW = datetime(2026, 11, 22, 21, 30, 5, tzinfo=UTC)
JOB, OTHER = "a" * 64, "b" * 64
PASSED, FAILED = "passed", "failed"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A folder with two jobs: the second was completed at its second attempt."""
    store = Store(tmp_path / "results")
    records = store.put_pack("mock-records", {}, [])
    for job, attempt in ((JOB, 1), (OTHER, 2)):
        for number in range(1, attempt + 1):
            journal = store.job(job)
            journal.claim("claimed", number)
            for kind in ("intent", "submitted", "completed" if number == attempt else "failed"):
                more = {"records": records} if kind == "completed" else {}
                append(journal, kind, number, **more)
    return store


def run_of(store: Store, *events: tuple[str, dict[str, object]]) -> str:
    text = store.put_file(b"iqm_spec: 1\n")
    started = RunStarted(
        plan=text,  # any object: what it holds is not looked at here
        text=text,
        spec=SpecName("ghz", "0" * 64),
        simulator=SimulatorVersion("0.17.2", "iqm-spec/aer/1"),
        wanted=("mock",),
    )
    run = store.start_run("ghz", NOW, started)
    for kind, fields in events:
        store.append_event(run, kind, fields)  # type: ignore[arg-type]
    return run


def used(*attempts: tuple[str, int], stage: str = "mock") -> tuple[str, dict[str, object]]:
    named = [[job, number, "x"] for job, number in attempts]
    return "used", {"stage": stage, "realm": "emulator", "attempts": named}


def ended(status: str, stage: str = "mock") -> tuple[str, dict[str, object]]:
    verdict = {"stage": stage, "status": status, "emulated": True, "verdict": []}
    numbers = dict.fromkeys(("jobs", "cached", "points", "submitted"), 1)
    return "ended", {"stages": [{**verdict, **numbers}]}


def remove(store: Store, job: str, kind: str) -> None:
    (path,) = (store.root / "jobs" / job).glob(f"*-{kind}-*")
    path.unlink()


def test_nothing_is_lost_of_whole_journals(store: Store) -> None:
    run = run_of(store, used((JOB, 1), (OTHER, 2)), ended(PASSED))
    assert lost_of_jobs(store.root, store.load_run(run)) == {}
    assert verify(store).ok


def test_a_completion_is_missed_where_its_stage_passed(store: Store) -> None:
    run = run_of(store, used((JOB, 1), (OTHER, 2)), ended(PASSED))
    remove(store, OTHER, "completed")
    state = store.load_run(run)
    assert lost_completions(store.root, state) == [OTHER]
    assert lost_of_jobs(store.root, state) == {OTHER: "lacks its `completed` event"}
    (problem,) = verify(store).problems
    assert (problem.path, problem.code) == (f"jobs/{OTHER}", "missing")
    assert run in problem.message


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([used((JOB, 1)), ended(FAILED)], id="the stage failed"),
        pytest.param([used((JOB, 1))], id="the stage goes on"),
        pytest.param([used((JOB, 1)), ended(PASSED, "hardware")], id="another stage passed"),
        pytest.param([ended(PASSED), used((JOB, 1))], id="asked again after it had passed"),
        pytest.param(
            [used((OTHER, 2)), ended(PASSED), used((JOB, 1)), ended("waiting")], id="it waits again"
        ),
        pytest.param([used(("../x", 1), ("", 1))], id="no keys of jobs"),
    ],
)
def test_a_job_need_not_have_been_completed(
    store: Store, events: list[tuple[str, dict[str, object]]]
) -> None:
    run = run_of(store, *events)
    remove(store, JOB, "completed")
    assert lost_completions(store.root, store.load_run(run)) == []


def test_gaps_and_absent_journals_are_told(store: Store) -> None:
    run = run_of(store, used((JOB, 1), ("c" * 64, 1)), ended(FAILED))
    remove(store, JOB, "submitted")
    assert lost_of_jobs(store.root, store.load_run(run)) == {
        JOB: "lacks its event number 3",
        "c" * 64: "is not there",
    }

"""A job's status, timeline, place in the queue and end, told from its files and the clock."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from iqm_spec.emulator.clock import (
    FINISH_S,
    JOB_OVERHEAD_S,
    PREPARE_S,
    SHOT_S,
    Times,
    circuit_duration,
    run_seconds,
)
from iqm_spec.emulator.computers import EmulatedComputer, computers
from iqm_spec.emulator.jobs import (
    EmulatedJob,
    ahead,
    cancel,
    delete,
    describe,
    enqueue,
    load,
    store,
    view,
)
from iqm_spec.emulator.messages import ApiError, Fate
from iqm_spec.emulator.options import Options, TimeWindow
from iqm_spec.emulator.state import State, open_state
from iqm_spec.model import NativeCircuit, Op
from iqm_spec.targets import error_profile

ID = "11111111-2222-3333-4444-555555555555"
GARNET = computers()["garnet"]


@pytest.fixture
def state(tmp_path: Path) -> State:
    return open_state(tmp_path)


def job(**changes: Any) -> EmulatedJob:
    """Accepted at the time 1000; waits 10 s, is ready at 1000 + 10 + 0.25 + 5 + 0.1."""
    made = EmulatedJob(
        id=ID,
        alias="garnet",
        machine="garnet",
        use_timeslot=False,
        tag="mine",
        payload_sha256="0" * 64,
        calibration_set_id="c",
        shots=100,
        heralding=False,
        seed="s",
        times=Times(1000.0, 10.0, 5.0, 1.0),
        fate=None,
    )
    return evolve(made, **changes)


def finish(state: State, made: float, failure: Any = None) -> None:
    state.write(f"jobs/{ID}.result.json", {"made": made, "failure": failure})


FAILURE = {"message": "no shots", "error_code": "no_shots_left"}


@pytest.mark.parametrize(
    ("now", "made", "cancelled", "fate", "status"),
    [
        (1000, None, None, None, "waiting"),
        (1009.9, 1001, None, None, "waiting"),
        (1010, 1001, None, None, "processing"),
        (1015.3, 1001, None, None, "processing"),
        (1015.4, 1001, None, None, "completed"),
        (1020, None, None, None, "processing"),
        (1020, 1021, None, None, "processing"),
        (1021, 1021, None, None, "completed"),
        (1005, 1001, 1002, None, "cancelled"),
        (1012, 1001, 1011, None, "cancelled"),
        (1030, 1001, 1020, None, "completed"),
        (1030, 1025, 1020, None, "cancelled"),
        (1005, None, None, Fate("failed"), "waiting"),
        (1012, None, None, Fate("failed"), "processing"),
        (1016, None, None, Fate("failed"), "failed"),
        (9999, None, None, Fate("stuck"), "waiting"),
        (9999, None, 5000, Fate("stuck"), "cancelled"),
        (1005, None, None, Fate("cancelled"), "waiting"),
        (1010, None, None, Fate("cancelled"), "cancelled"),
    ],
)
def test_the_status_follows_from_files_and_clock(
    state: State,
    now: float,
    made: float | None,
    cancelled: float | None,
    fate: Fate | None,
    status: str,
) -> None:
    one = job(fate=fate)
    store(state, one, b"{}")
    if made is not None:
        finish(state, made)
    if cancelled is not None:
        state.create(f"jobs/{ID}.cancelled.json", {"at": cancelled})
    assert load(state, ID.upper()) == one
    assert view(state, one, now).status == status


def test_a_completed_job_tells_its_modelled_times(state: State) -> None:
    store(state, job(), b"{}")
    finish(state, 1001)
    told: Any = describe(state, view(state, job(), 1020))
    assert told["runtime_ms"] == 5000
    assert told["tag"] == "mine"
    assert told["queue_position"] is None
    assert told["artifacts"] == [{"type": "measurements"}, {"type": "measurement_counts"}]
    at = {entry["status"]: entry["timestamp"][17:26] for entry in told["timeline"]}
    assert at["created"] == "40.000000"
    assert at["received"] == "50.000000"
    assert at["execution_started"] == "50.250000"
    assert at["execution_ended"] == "55.250000"
    assert at["ready"] == "55.350000"
    assert [entry["timestamp"] for entry in told["timeline"]] == sorted(
        entry["timestamp"] for entry in told["timeline"]
    )


def test_speed_shortens_the_wait_and_not_the_timeline(state: State) -> None:
    fast = job(times=Times(1000.0, 10.0, 5.0, 100.0))
    store(state, fast, b"{}")
    finish(state, 1000.01)
    assert view(state, fast, 1000.09).status == "waiting"
    seen = view(state, fast, 1000.16)
    assert seen.status == "completed"
    told: Any = describe(state, seen)
    assert told["timeline"][-1]["timestamp"].startswith("1970-01-01T00:16:55.35")


def test_what_is_known_grows_with_the_job(state: State) -> None:
    store(state, job(), b"{}")
    finish(state, 1001)
    waiting: Any = describe(state, view(state, job(), 1001))
    assert waiting["compilation"] is None
    assert waiting["artifacts"] == []
    assert [entry["status"] for entry in waiting["timeline"]] == ["created"]
    running: Any = describe(state, view(state, job(), 1011))
    assert running["compilation"] == {
        "calibration_set_id": "c",
        "execution_runtime_estimate_ms": 5000,
    }
    assert running["timeline"][-1]["status"] == "execution_started"
    assert running["runtime_ms"] is None


def test_a_failed_job_tells_why(state: State) -> None:
    store(state, job(), b"{}")
    finish(state, 1001, FAILURE)
    told: Any = describe(state, view(state, job(), 1020))
    assert told["status"] == "failed"
    assert told["errors"] == [{**FAILURE, "source": "iqm-station-control"}]
    assert told["timeline"][-1]["status"] == "failed"


def test_cancelling_is_refused_once_there_is_an_end(state: State) -> None:
    now = time.time()
    alive = job(times=Times(now, 60.0, 5.0, 1.0))
    store(state, alive, b"{}")
    cancel(state, alive)
    told: Any = describe(state, view(state, alive))
    assert told["status"] == "cancelled"
    assert told["timeline"][-1]["status"] == "aborted"
    with pytest.raises(ApiError) as refused:
        cancel(state, alive)
    assert (refused.value.status, refused.value.error_code) == (403, "illegal_job_status")


def test_a_deleted_job_is_gone(state: State) -> None:
    store(state, job(times=Times(time.time(), 60.0, 5.0, 1.0)), b"{}")
    delete(state, load(state, ID))
    with pytest.raises(ApiError) as gone:
        load(state, ID)
    assert gone.value.status == 404


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "4", ID[:-1], "x" * 5000])
def test_what_is_no_id_names_no_job(state: State, name: str) -> None:
    with pytest.raises(ApiError) as error:
        load(state, name)
    assert error.value.status == 404
    assert len(error.value.message) < 100


def place(
    state: State,
    options: Options,
    name: str,
    *,
    slot: bool = False,
    computer: EmulatedComputer = GARNET,
) -> float | None:
    now = state.born
    return enqueue(state, options, computer, name, 10.0, now, slot)


def test_jobs_stand_in_line(state: State) -> None:
    options = Options(queue_seconds=30)
    busy = PREPARE_S + 10 + FINISH_S
    assert place(state, options, "a") == pytest.approx(30)
    assert place(state, options, "b") == pytest.approx(30 + busy)
    assert place(state, options, "c") == pytest.approx(30 + 2 * busy)
    assert place(state, options, "d", computer=computers()["emerald"]) == pytest.approx(30)
    assert [ahead(state, GARNET, name, state.born + 1) for name in "abc"] == [0, 1, 2]
    state.create("jobs/b.cancelled.json", {"at": 0})
    assert ahead(state, GARNET, "c", state.born + 1) == 1
    assert ahead(state, GARNET, "c", state.born + 31) == 0


@pytest.mark.parametrize(
    ("options", "slot", "expected"),
    [
        (Options(windows=(TimeWindow("garnet", 100, 200),)), False, 100),
        (Options(windows=(TimeWindow("garnet", 0, 200), TimeWindow("garnet", 5, 9))), False, 0),
        (Options(windows=(TimeWindow("emerald", 100, 200),)), False, 0),
        (Options(windows=(TimeWindow("garnet", -9, -1),)), False, None),
        (Options(slots=(TimeWindow("garnet", 100, 200),)), False, 0),
        (Options(slots=(TimeWindow("garnet", 100, 200),)), True, 100),
        (Options(slots=(TimeWindow("garnet", 100, 200),), queue_seconds=150), True, 150),
        (Options(slots=(TimeWindow("garnet", 100, 200),), speed=50), True, 100),
    ],
)
def test_windows_and_slots_say_when(
    state: State, options: Options, slot: bool, expected: float | None
) -> None:
    found = place(state, options, "a", slot=slot)
    assert found is None if expected is None else found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "slot", "code"),
    [
        (Options(), True, "no_booked_timeslots"),
        (Options(slots=(TimeWindow("emerald", 0, 9),)), True, "no_booked_timeslots"),
        (Options(slots=(TimeWindow("garnet", -9, -1),)), True, "no_booked_timeslots"),
        (Options(timeslot_only=("garnet",)), False, "timeslot_required"),
    ],
)
def test_modes_do_not_mix(state: State, options: Options, slot: bool, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        place(state, options, "a", slot=slot)
    assert (refused.value.status, refused.value.error_code) == (403, code)


def test_the_queue_of_one_user_is_bounded(state: State) -> None:
    options = Options(queue_seconds=30, limits={"max_queued_jobs_per_user": 2})
    place(state, options, "a")
    place(state, options, "b")
    with pytest.raises(ApiError) as refused:
        place(state, options, "c")
    assert refused.value.error_code == "quota_exceeded"


def test_the_model_of_run_time() -> None:
    assert run_seconds(1000, [1e-6, 3e-6]) == pytest.approx(
        JOB_OVERHEAD_S + 1000 * (2 * SHOT_S + 4e-6)
    )
    profile = error_profile("garnet")
    assert profile is not None
    ops = (
        Op("r", (0,), (1.0, 0.0)),
        Op("cz", (0, 1)),
        Op("delay", (1,), (1e-6,)),
        Op("r", (0,), (1.0, 0.0)),
        Op("barrier", (0, 1)),
        Op("r", (0,), (1.0, 0.0)),
        Op("measure", (0,), (), (0,)),
    )
    circuit = NativeCircuit(("QB1", "QB2"), (("c0", 1),), ops)
    assert circuit_duration(circuit, profile) == pytest.approx(20e-9 + 40e-9 + 1e-6 + 20e-9)

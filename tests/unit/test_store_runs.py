"""Runs and their journals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from iqm_spec.errors import StoreCorrupt, UsageError
from iqm_spec.store import Journal, Store, verify

pytestmark = pytest.mark.usefixtures("any_shape")

NOW = datetime(2026, 11, 22, 23, 30, 5, tzinfo=timezone(timedelta(hours=2)))


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_a_run_is_the_join_of_its_events(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.start_run("ghz", NOW, {"shots": 10, "status": "begun"})
    assert run.startswith("ghz-20261122-213005-")
    store.append_event(run, "job-stored", {"job": 1})
    store.append_event(run, "ended", {"status": "done"})
    state = Store(tmp_path).load_run(run)
    assert (state.id, state.name) == (run, "ghz")
    assert state.started == datetime(2026, 11, 22, 21, 30, 5, tzinfo=UTC)
    assert [(event.seq, event.kind) for event in state.events] == [
        (1, "started"),
        (2, "job-stored"),
        (3, "ended"),
    ]
    assert state.fields == {"shots": 10, "status": "done", "job": 1}
    assert [event.fields for event in state.events if event.kind == "ended"] == [{"status": "done"}]


def test_events_that_two_people_wrote_are_ordered_alike(tmp_path: Path) -> None:
    """The same seq twice, as after a merge of two clones."""
    one, two = Store(tmp_path / "one"), Store(tmp_path / "two")
    run = one.start_run("ghz", NOW, {})
    source = tmp_path / "one" / "runs" / run
    target = tmp_path / "two" / "runs" / run
    target.mkdir(parents=True)
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    one.append_event(run, "ended", {"by": 1})
    two.append_event(run, "ended", {"by": 2})
    for path in [*source.iterdir(), *target.iterdir()]:
        for folder in (source, target):
            (folder / path.name).write_bytes(path.read_bytes())
    assert [event.seq for event in one.load_run(run).events] == [1, 2, 2]
    assert one.load_run(run) == two.load_run(run)
    assert verify(one).ok


def test_the_same_event_twice_is_two_events(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.start_run("ghz", NOW, {})
    for _ in range(3):
        store.append_event(run, "tick", {"n": 1})
    assert [event.seq for event in store.load_run(run).events] == [1, 2, 3, 4]


def test_only_one_claim_of_a_number_succeeds(tmp_path: Path) -> None:
    journal = Journal(Store(tmp_path).folder, tmp_path / "jobs" / ("b" * 64))
    other = Journal(Store(tmp_path).folder, tmp_path / "jobs" / ("b" * 64))
    assert journal.claim("claimed", 1)
    assert not other.claim("claimed", 1)
    other.append("released", {})
    assert not journal.claim("claimed", 1)
    assert other.claim("claimed", 2)
    assert verify(Store(tmp_path)).ok


def test_files_of_others_in_a_run_are_passed_over(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.start_run("ghz", NOW, {})
    (tmp_path / "runs" / run / "notes.txt").write_text("mine")
    (tmp_path / "runs" / "empty-20260101-000000-000000").mkdir()
    (tmp_path / "runs" / "README").write_text("")
    assert [state.id for state in store.runs()] == [run]
    assert len(store.load_run(run).events) == 1


def test_a_changed_event_is_corrupt(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.start_run("ghz", NOW, {"shots": 1})
    (path,) = (tmp_path / "runs" / run).iterdir()
    path.write_bytes(path.read_bytes().replace(b":1", b":2", 1))
    with pytest.raises(StoreCorrupt, match="has a checksum mismatch"):
        store.load_run(run)


def test_runs_come_by_start(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ids = [store.start_run(name, later(n), {}) for n, name in enumerate(["z", "a", "m"])]
    assert [state.id for state in store.runs()] == ids


def test_a_run_is_resolved(tmp_path: Path) -> None:
    store = Store(tmp_path)
    old = store.start_run("ghz", NOW, {})
    new = store.start_run("ghz", later(1), {})
    tomorrow = store.start_run("ghz-wide", later(24 * 60), {})
    newest = store.start_run("bell", later(48 * 60), {})
    cases = {
        old: old,
        "ghz": new,
        "latest": newest,
        "ghz-wide": tomorrow,
        "ghz-w": tomorrow,
        "b": newest,
        new[:-2]: new,
    }
    assert {selector: store.resolve(selector).id for selector in cases} == cases


def test_an_ambiguous_or_unknown_run_names_candidates(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(UsageError, match="holds no runs"):
        store.resolve("latest")
    ids = [store.start_run("ghz", later(n), {}) for n in range(7)]
    with pytest.raises(UsageError) as caught:
        store.resolve("gh")
    assert caught.value.message == f"'gh' could be 7 runs: {', '.join(ids[:1:-1])}, ..."
    with pytest.raises(UsageError, match="there is no run 'ghx'") as caught:
        store.resolve("ghx")
    assert caught.value.hint == "did you mean ghz?"
    for selector in ("", "../objects", "nothing"):
        with pytest.raises(UsageError):
            store.resolve(selector)
        with pytest.raises(UsageError):
            store.load_run(selector)
        with pytest.raises(UsageError):
            store.append_event(selector, "x", {})
    with pytest.raises(UsageError):
        store.append_event("ghz-20260101-000000-abcdef", "x", {})


@pytest.mark.parametrize("name", ["", "GHZ", "a/b", "-a", "a" * 65])
def test_a_run_has_a_specs_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        Store(tmp_path).start_run(name, NOW, {})


def test_what_is_no_event_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="time zone"):
        store.start_run("ghz", datetime(2026, 1, 1), {})  # noqa: DTZ001
    run = store.start_run("ghz", NOW, {})
    with pytest.raises(ValueError, match="kind"):
        store.append_event(run, "Not/One", {})
    with pytest.raises(ValueError, match="too large"):
        store.append_event(run, "big", {"text": "x" * (1 << 25)})
    assert len(store.load_run(run).events) == 1

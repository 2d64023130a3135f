"""The emulator's memory: files that several processes share."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from iqm_spec.emulator.state import open_state
from iqm_spec.errors import JobFailed


def test_a_file_is_created_by_one_alone(tmp_path: Path) -> None:
    state = open_state(tmp_path / "new" / "deep")
    won: list[int] = []
    threads = [
        threading.Thread(target=lambda i=i: state.create("jobs/x", i) and won.append(i))
        for i in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [state.read("jobs/x")] == won
    assert [p.name for p in (state.root / "jobs").iterdir()] == ["x"]


def test_a_lock_is_held_by_one_alone(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    with state.lock("a"):
        with open_state(tmp_path).lock_file("a", wait=False) as mine:
            assert not mine
        with state.lock_file("b", wait=False) as mine:
            assert mine
    with state.lock_file("a", wait=False) as mine:
        assert mine


def test_lines_stay_whole_and_the_birth_is_remembered(tmp_path: Path) -> None:
    first, second = open_state(tmp_path), open_state(tmp_path)
    assert first.born == second.born
    threads = [
        threading.Thread(target=lambda s=s: [s.append("ledger.jsonl", {"x": "y" * 500})] * 1)
        for s in (first, second) * 20
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first.lines("ledger.jsonl") == [{"x": "y" * 500}] * 40


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(JobFailed, match=r"thesis\.tex"):
        open_state(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_state_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JobFailed, match="cannot keep the emulator's state"):
        open_state(tmp_path / "file" / "below")

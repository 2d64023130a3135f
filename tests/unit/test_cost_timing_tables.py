"""Timing and job tables: what is read, and every mistake of a file with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.cost.job_shape import uniform_job
from iqm_spec.cost.timing_tables import (
    MACHINES,
    MOST_BYTES,
    MOST_MISTAKES,
    MOST_ROWS,
    JobTable,
    TableError,
    measured_table,
    read_jobs,
    read_timings,
)
from iqm_spec.diagnostics import Diagnostic, render
from iqm_spec.errors import ExitCode
from iqm_spec.source import line_reader

HEAD = "num_qubits,depth,circuits,shots,qpu_seconds"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(text: str | bytes) -> JobTable:
    path = Path("t.csv")
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_timings(path)


def mistakes(text: str | bytes) -> tuple[Diagnostic, ...]:
    with pytest.raises(TableError) as error:
        table(text)
    assert error.value.exit_code is ExitCode.USAGE
    return error.value.diagnostics


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n2,5,10,1000,4.5\n",
        f"{HEAD}\n2,5,10,1000,4.5",
        f"\ufeff{HEAD}\r\n2,5,10,1000,4.5\r\n",
        f"{HEAD}\r2,5,10,1000,4.5\r",
        f"\n# measured on a Monday\n{HEAD}\n\n 2 , 5.0,1e1,1000.0,+4.50e0\n,,,,\n",
        "qpu_seconds,shots,batches,depth,num_qubits\n4.5,1000,10,5,2\n",
        "num_qubits,depth,num_circuits,shots,qpu_seconds,error\n2,5,10,1000,4.5,\n",
        'Num_Qubits,DEPTH,Circuits,shots,"qpu_seconds"\n2,5,"10",1000,4.5,,\n',
    ],
)
def test_a_table_is_read_however_it_was_saved(text: str) -> None:
    (job,) = table(text).jobs
    assert (job.shape, job.seconds) == (uniform_job(2, 5, 10, 1000), 4.5)


def test_failed_jobs_and_other_columns_are_left_out_and_told() -> None:
    found = table(f'{HEAD},error,note\n2,5,1,1000,,"timeout,\nagain",x\n2,5,1,1000,4.5,,y\n')
    assert len(found.timings) == 1
    assert found.jobs[0].line == 4
    assert found.notes == (
        "column not used: note",
        "rows with a text in `error`, left out as failed: 1",
    )


def test_the_public_tables_are_read_whole() -> None:
    assert [len(measured_table(name).timings) for name in MACHINES] == [87, 156, 182]


def test_a_job_table_may_know_times() -> None:
    Path("j.csv").write_text("num_qubits,depth,circuits,shots\n2,0,1,10\n")
    assert read_jobs(Path("j.csv")).jobs[0].seconds is None
    Path("j.csv").write_text(f"{HEAD}\n2,5,1,10,\n2,5,1,10,3\n")
    assert [job.seconds for job in read_jobs(Path("j.csv")).jobs] == [None, 3.0]


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "-1", "0", "", "1_0", "0x10", "1e999", "٣"])
@pytest.mark.parametrize("place", [0, 2, 3, 4])
def test_what_is_no_number_of_its_column_is_refused(cell: str, place: int) -> None:
    cells = ["2", "5", "10", "1000", "4.5"]
    cells[place] = cell
    (found,) = mistakes(f"{HEAD}\n2,5,10,1000,4.5\n{','.join(cells)}\n")
    assert HEAD.split(",")[place] in found.message
    assert found.span.line == 3
    assert found.span.column == 1 + len(",".join([*cells[:place], ""]))


@pytest.mark.parametrize("cell", ["5.5", "1e10", "-1"])
def test_depth_is_a_whole_number_too(cell: str) -> None:
    assert len(mistakes(f"{HEAD}\n2,{cell},10,1000,4.5\n")) == 1


def test_what_a_person_sees_of_a_bad_table(snapshot: SnapshotAssertion) -> None:
    rows = "2,5,1,1000,nan\n2,5.5,0,-3,4.5\n2,5,1\n1,2,3,4,5,6\n2,5,1,1000,4.5\n"
    found = mistakes(f"{HEAD}\n{rows}")
    assert render(found, line_reader()) == snapshot


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "empty", HEAD),
        ("\n\n", "empty", HEAD),
        (f"{HEAD}\n", "no row", "one job"),
        (HEAD.replace(",", ";") + "\n2;5;1;1000;4,5\n", "semicolons", "commas"),
        (HEAD.replace(",", "\t") + "\n", "tabs", "commas"),
        (HEAD.replace("shots", "shot") + "\n", "`shot`", "did you mean shots?"),
        (HEAD.replace("circuits", "batchs") + "\n", "`batchs`", "did you mean batches?"),
        (HEAD.replace("depth", "kind") + "\n", "`depth`", HEAD),
        (f"{HEAD},shots\n", "`shots` is there twice", ""),
        (f"{HEAD},batches\n", "`circuits` is there twice", ""),
        ("2,5,1,1000,4.5\n", "no column", HEAD),
        (f'{HEAD}\n2,5,1,1000,"4.5\n', "not CSV", "quote"),
        (f"{HEAD}\n1,000,5,1,1000,4.5\n", "6 values", "thousands"),
        (HEAD.encode("utf-16"), "UTF-8", "spreadsheet"),
        (b"PK\x03\x04\x14\x00\xff", "UTF-8", ".xlsx"),
        (f"{HEAD}\n2,5,1,1000,\x00\n", "", ""),
        (f"{HEAD}\n2,5,1,1000,{'9' * 200_000}\n", "", ""),
    ],
)
def test_a_file_that_is_no_such_table(text: str | bytes, message: str, hint: str) -> None:
    (found,) = mistakes(text)
    assert message in found.message
    assert hint in found.hint


def test_many_mistakes_are_counted() -> None:
    found = mistakes(HEAD + "\n" + "2,5,1,1000,nan\n" * 500)
    assert len(found) == MOST_MISTAKES + 1
    assert "480 more" in found[-1].message


@pytest.mark.slow
def test_sizes_are_bounded() -> None:
    row = "2,5,1,1000,4.5\n"
    assert len(table(f"{HEAD}\n" + row * MOST_ROWS).jobs) == MOST_ROWS
    (found,) = mistakes(f"{HEAD}\n" + row * (MOST_ROWS + 1))
    assert "rows" in found.message
    (found,) = mistakes(b"x" * (MOST_BYTES + 1))
    assert "MiB" in found.message


def test_what_is_no_file_is_told_and_no_pipe_is_waited_for() -> None:
    os.mkfifo("pipe")
    for path in ("nix.csv", ".", "pipe", "/dev/zero", "t.csv/x", "a" * 300):
        Path("t.csv").touch()
        with pytest.raises(TableError) as error:
            read_timings(Path(path))
        (found,) = error.value.diagnostics
        assert "file" in found.message

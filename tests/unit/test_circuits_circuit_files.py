"""Circuit files are read below the spec's folder and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iqm_spec.circuits import LARGEST_FILE, CircuitFileError, read_circuit_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spec's folder with a circuit in it, and a secret beside it."""
    folder = tmp_path / "spec"
    (folder / "circuits").mkdir(parents=True)
    (folder / "circuits" / "bell.qasm").write_bytes(b"OPENQASM 2.0;\r\n")
    (tmp_path / "secret").write_text("secret")
    return folder


def code_of(folder: Path, ref: str) -> str:
    with pytest.raises(CircuitFileError) as caught:
        read_circuit_file(folder, ref)
    assert caught.value.message
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize(
    "ref", ["circuits/bell.qasm", "./circuits/bell.qasm", "circuits/../circuits/bell.qasm"]
)
def test_files_below_the_folder_are_read(folder: Path, ref: str) -> None:
    assert read_circuit_file(folder, ref) == b"OPENQASM 2.0;\r\n"


@pytest.mark.parametrize(
    ("ref", "code"),
    [
        ("circuits/none.qasm", "S401"),
        ("none/bell.qasm", "S401"),
        ("circuits/bell.qasm/deeper", "S401"),
        ("circuits", "S401"),
        ("", "S401"),
        (".", "S401"),
        ("a\0b", "S401"),
        ("x" * 5000, "S401"),
        ("../secret", "S408"),
        ("circuits/../../secret", "S408"),
        ("/etc/passwd", "S408"),
        ("~/secret", "S408"),
        ("C:\\secret", "S408"),
        ("\\\\server\\secret", "S408"),
    ],
)
def test_what_is_not_read(folder: Path, ref: str, code: str) -> None:
    assert code_of(folder, ref) == code


def test_a_missing_file_has_near_names(folder: Path) -> None:
    with pytest.raises(CircuitFileError) as caught:
        read_circuit_file(folder, "circuits/bel.qasm")
    assert caught.value.hint == "did you mean bell.qasm?"


def test_links_are_followed_inside_only(folder: Path) -> None:
    (folder / "inside.qasm").symlink_to("circuits/bell.qasm")
    (folder / "outside.qasm").symlink_to("../secret")
    (folder / "folder").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    assert read_circuit_file(folder, "inside.qasm").startswith(b"OPENQASM")
    assert code_of(folder, "outside.qasm") == "S408"
    assert code_of(folder, "folder/secret") == "S408"
    assert code_of(folder, "loop") == "S401"


def test_the_folder_itself_may_be_a_link(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert read_circuit_file(link, "circuits/bell.qasm").startswith(b"OPENQASM")


def test_pipes_and_devices_do_not_block(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert code_of(folder, "pipe") == "S401"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files(folder: Path) -> None:
    (folder / "closed.qasm").write_text("")
    (folder / "closed.qasm").chmod(0)
    assert code_of(folder, "closed.qasm") == "S401"


def test_large_files_are_refused_before_they_are_read(folder: Path) -> None:
    with (folder / "large.qasm").open("wb") as file:
        file.truncate(LARGEST_FILE)
        assert len(read_circuit_file(folder, "large.qasm")) == LARGEST_FILE
        file.truncate(2**40)  # a hole: it takes no space
    assert code_of(folder, "large.qasm") == "S411"

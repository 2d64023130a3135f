"""The corpus of specs: every file of tests/specs/valid loads, every one of invalid tells its code.

A file of `invalid` is named for the code it shows: `S104_ambiguous.yaml`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.diagnostics import render
from iqm_spec.source import line_reader
from iqm_spec.spec.codes import CODES
from iqm_spec.spec.examine import examine
from tests.specfiles import load_spec

SPECS = Path(__file__).parents[1] / "specs"
VALID = sorted(path.name for path in (SPECS / "valid").iterdir() if path.is_file())
INVALID = sorted(path.name for path in (SPECS / "invalid").iterdir() if path.is_file())

NOT_IN_FILES = {"S411"}  # a circuit file of over 8 MiB, made by a test of circuits


@pytest.fixture
def in_corpus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the folder of the file, so that messages name it without its folder."""
    monkeypatch.chdir(SPECS / request.param)


@pytest.mark.parametrize("in_corpus", ["valid"], indirect=True)
@pytest.mark.parametrize("name", VALID)
@pytest.mark.usefixtures("in_corpus")
def test_valid_specs_load(name: str) -> None:
    loaded = load_spec(Path(name))
    assert loaded.spec.circuits
    assert loaded.spec.meaning["iqm_spec"] == 1


@pytest.mark.parametrize("in_corpus", ["invalid"], indirect=True)
@pytest.mark.parametrize("name", INVALID)
@pytest.mark.usefixtures("in_corpus")
def test_invalid_specs_say_why(name: str, snapshot: SnapshotAssertion) -> None:
    checked, diagnostics, _ = examine(Path(name))
    assert checked is None
    assert name.split("_")[0] in {item.code for item in diagnostics}
    assert {item.code for item in diagnostics} <= set(CODES)
    assert render(diagnostics, line_reader()) == snapshot


def test_every_code_has_a_file() -> None:
    assert {name.split("_")[0] for name in INVALID} == set(CODES) - NOT_IN_FILES

"""The corpus of specs: every file of tests/specs/valid loads, every one of invalid tells its code.

A file of `invalid` is named for the code it shows: `S104_ambiguous.yaml`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from iqm_spec.diagnostics import render
from iqm_spec.source import line_reader
from iqm_spec.spec import load_spec, read_and_build
from iqm_spec.spec.codes import CODES

SPECS = Path(__file__).parents[1] / "specs"
VALID = sorted(path.name for path in (SPECS / "valid").iterdir() if path.is_file())
INVALID = sorted(path.name for path in (SPECS / "invalid").iterdir() if path.is_file())

# wrong in what they say together with circuits, files and machines, which loading does not look at
BEYOND_LOADING = {
    "S301_unused.yaml",
    "S302_undefined.yaml",
    "S308_some_blocks.yaml",
    "S310_malformed.yaml",
    "S311_repeats.yaml",
    "S401_missing_file.yaml",
    "S405_generator.yaml",
    "S406_arguments.yaml",
    "S408_leaves.yaml",
    "S409_code.yaml",
    "S501_target.yaml",
    "S502_too_large.yaml",
    "S503_component.yaml",
    "S504_length.yaml",
    "S506_architecture.yaml",
    "S507_noise.yaml",
}
OF_LOADING = {code for code in CODES if code < "S3"} | {"S410", "S505"}


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
@pytest.mark.parametrize("name", [name for name in INVALID if name not in BEYOND_LOADING])
@pytest.mark.usefixtures("in_corpus")
def test_invalid_specs_say_why(name: str, snapshot: SnapshotAssertion) -> None:
    path = Path(name)
    _, _, diagnostics, _ = read_and_build(path)
    assert name.split("_")[0] in {item.code for item in diagnostics}
    assert {item.code for item in diagnostics} <= set(CODES)
    assert render(diagnostics, line_reader(path)) == snapshot


@pytest.mark.parametrize("in_corpus", ["invalid"], indirect=True)
@pytest.mark.parametrize("name", sorted(BEYOND_LOADING))
@pytest.mark.usefixtures("in_corpus")
def test_what_is_beyond_loading_loads(name: str) -> None:
    assert load_spec(Path(name)).spec.name == "x"


def test_every_code_of_loading_has_a_file() -> None:
    assert {name.split("_")[0] for name in INVALID} >= OF_LOADING

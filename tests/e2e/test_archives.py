"""The archives of the experiments that are kept in git come out as they were."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[..., Any]

pytestmark = pytest.mark.slow

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SPECS = sorted(path for path in EXPERIMENTS.iterdir() if path.suffix in (".yaml", ".toml"))


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A copy: reading builds an index beside the objects."""
    copy = tmp_path / "results"
    shutil.copytree(EXPERIMENTS / "archives", copy)
    return copy


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_every_experiment_has_a_run_that_is_reproduced(
    spec: Path, archives: Path, answer: Ask
) -> None:
    told = answer("reproduce", spec.stem, "--results", archives)
    assert told["same"]
    assert len(told["checks"]) >= 6
    assert answer("explain", spec, spec.stem, "--results", archives)["same"]

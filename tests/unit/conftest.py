"""What tests of the server stages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server_stage_bench import Clock, Prepared, StageBench


@pytest.fixture(scope="session")
def prepared_specs(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Specs with their plans, made once."""
    return Prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def bench(
    tmp_path: Path, prepared_specs: Prepared, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StageBench]:
    """A spec of two points, its results folder and a server that takes every job."""
    clock = Clock()
    with StageBench(tmp_path, prepared_specs, clock) as made:
        clock.install(monkeypatch)
        yield made

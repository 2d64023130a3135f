"""What tests of the command line share: an emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from iqm_spec.emulator import Emulator, Options
from tests.emulators import start, view


@pytest.fixture(scope="session")
def shared() -> Iterator[Emulator]:
    """One emulator for all that ask for nothing special: starting one takes seconds.

    Only faults are taken back between tests: who moves a calibration set needs an emulator of its
    own.
    """
    with start(Options(speed=1e4)) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared: Emulator) -> Iterator[Emulator]:
    """The shared emulator without faults, and with the submissions of one test."""
    shared.faults([])
    yield view(shared)
    shared.faults([])

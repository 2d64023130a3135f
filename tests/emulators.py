"""Emulators for tests: one for all that ask it for nothing special, and others that are forked."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any, cast

import pytest

from iqm_spec.emulator import Emulator, Options, process
from tests.forks import forks, may_fork


def start(options: Options | None = None, port: int = 0) -> Emulator:
    """As `iqm_spec.emulator.start`, but the process is forked."""
    if not may_fork():
        return process.start(options, port)
    with pytest.MonkeyPatch.context() as patch:
        forked = SimpleNamespace(Popen=forks().popen, PIPE=subprocess.PIPE)
        patch.setattr(process, "subprocess", forked)
        return process.start(options, port)


class View:
    """A shared emulator with the requests of one test."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._before = len(emulator.ledger())

    def ledger(self) -> list[dict[str, Any]]:
        """Every POST and DELETE since the test began."""
        return self._emulator.ledger()[self._before :]

    def submissions(self) -> list[dict[str, Any]]:
        """The submissions since the test began."""
        return [line for line in self.ledger() if line["call"] == "submit"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emulator, name)


def view(emulator: Emulator) -> Emulator:
    """A view that passes for an emulator."""
    return cast("Emulator", View(emulator))

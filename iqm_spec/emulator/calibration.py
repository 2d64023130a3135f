"""Which calibration sets each computer has, which of them is the default, and which are gone."""

from __future__ import annotations

from attrs import frozen

from iqm_spec.emulator.machines import Computer, stable_id
from iqm_spec.emulator.messages import Rejected
from iqm_spec.emulator.state import State
from iqm_spec.json_types import Json

AT_FIRST = 2
"""Calibration sets that every computer has from the start: the default and an older one."""


@frozen
class Calibration:
    """A computer's sets are numbered from 0; the default is the newest unless moved back."""

    computer: Computer
    default: int
    newest: int
    withdrawn: frozenset[int]

    def set_id(self, number: int) -> str:
        """The id of a set: the same in every emulator."""
        return str(stable_id("calibration-set", self.computer.alias, number))

    def resolve(self, asked: str | None) -> str:
        """The id of the set that is asked for, None or `default` being the default; 404 if gone."""
        if asked in (None, "default"):
            return self.set_id(self.default)
        for number in range(self.newest + 1):
            if number not in self.withdrawn and self.set_id(number) == str(asked).lower():
                return self.set_id(number)
        raise Rejected(
            404,
            "calibration_set_not_found",
            f"there is no calibration set {asked} for {self.computer.alias}",
        )


def calibration(state: State, computer: Computer) -> Calibration:
    """What holds now."""
    data = state.read(_file(computer)) or {"default": AT_FIRST - 1, "newest": AT_FIRST - 1}
    return Calibration(
        computer, data["default"], data["newest"], frozenset(data.get("withdrawn", ()))
    )


def move_default(state: State, computer: Computer) -> Calibration:
    """Make a new calibration set the default; the sets before it stay."""
    with state.lock(f"calibration-{computer.id}"):
        now = calibration(state, computer)
        return _store(state, computer, now.newest + 1, now.newest + 1, now.withdrawn)


def withdraw(state: State, computer: Computer, set_id: str | None = None) -> Calibration:
    """Take a set away, the default one unless another is named; a new one is then the default."""
    with state.lock(f"calibration-{computer.id}"):
        now = calibration(state, computer)
        gone = now.resolve(set_id)
        number = next(i for i in range(now.newest + 1) if now.set_id(i) == gone)
        withdrawn = now.withdrawn | {number}
        if number != now.default:
            return _store(state, computer, now.default, now.newest, withdrawn)
        return _store(state, computer, now.newest + 1, now.newest + 1, withdrawn)


def _store(
    state: State, computer: Computer, default: int, newest: int, withdrawn: frozenset[int]
) -> Calibration:
    data: Json = {"default": default, "newest": newest, "withdrawn": sorted(withdrawn)}
    state.write(_file(computer), data)
    return calibration(state, computer)


def _file(computer: Computer) -> str:
    return f"calibration/{computer.id}.json"

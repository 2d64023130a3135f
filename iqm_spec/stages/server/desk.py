"""What every step of a server stage needs: the server, the folder, and under whose name it asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import frozen

from iqm_spec.model import Mode, Stage
from iqm_spec.store import Store

if TYPE_CHECKING:
    from iqm_spec.cost.estimate import Tariff
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.stages.server.purse import Purse

EMULATOR = "emulator"
"""Realm of the built-in emulator."""


@frozen(slots=False)
class Session:
    """A server that can be asked. What is got in one realm answers no question of another.

    Nothing is asked, and no emulator is started, before `connection` is looked at. `is_emulator`
    tells whether a program stands there for the machines, and may ask the server.
    """

    realm: str
    connect: Callable[[], Connection]
    is_emulator: Callable[[], bool]

    @cached_property
    def connection(self) -> Connection:
        """The way to the server."""
        return self.connect()

    @cached_property
    def emulated(self) -> bool:
        """Whether a program stands for the machines."""
        return self.realm == EMULATOR or self.is_emulator()


def computer_of(stage: Stage, target: str) -> str:
    """The quantum computer that stands for a target in a stage."""
    return f"{target}:mock" if stage is Stage.MOCK else target


@frozen
class Desk:
    """A stage of a run at a server; `plan` is the digest of its plan.

    `sets` holds the calibration set to ask for by alias; None is the server's default.
    """

    stage: Stage
    session: Session
    store: Store
    run: str
    plan: str
    mode: Mode
    sets: Mapping[str, str | None]
    tariff: Tariff | None = None
    """How a machine's jobs are priced; None for mocks."""
    purse: Purse | None = None
    """What may be spent; None for mocks."""
    fresh: bool = False
    """Whether the user asked for what is there already to be asked again."""

    @property
    def free(self) -> bool:
        """Whether asking again costs nothing."""
        return self.stage is Stage.MOCK

    @property
    def queue(self) -> str:
        """Which queue its jobs stand in; mocks have one only."""
        return Mode.PAY_AS_YOU_GO.value if self.stage is Stage.MOCK else self.mode.value

    @property
    def use_timeslot(self) -> bool:
        """Whether jobs go to the timeslots that the project has booked."""
        return self.queue == Mode.TIMESLOT.value

    def alias(self, target: str) -> str:
        """The quantum computer that stands for a target in this stage."""
        return computer_of(self.stage, target)

"""A server as a run sees it: how to reach it, and what it says of its quantum computers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from iqm_spec.model import StageName
from iqm_spec.stages.server.batch import Bounds

if TYPE_CHECKING:
    from iqm_spec.server_api.computers import ArchitectureRead, Computer, ComputerInfo
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.server_api.retry import Retry, RetryPolicy
    from iqm_spec.targets import ErrorProfile


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


def computer_of(stage: StageName, target: str) -> str:
    """The quantum computer that stands for a target in a stage."""
    return f"{target}:mock" if stage is StageName.MOCK else target


@define
class ServerInfo:
    """Answers of one server, each asked for once. Unreachable where none comes within `policy`.

    `tell(why, seconds)` hears of every pause before something is asked again.
    """

    session: Session
    tell: Callable[[str, float], None] = lambda why, seconds: None
    _aliases: tuple[Computer, ...] | None = None
    _architectures: dict[tuple[str, str], ArchitectureRead] = field(factory=dict)
    _profiles: dict[tuple[str, str], ErrorProfile] = field(factory=dict)
    _offers: dict[str, ComputerInfo] = field(factory=dict)
    policy: RetryPolicy | None = None
    """How often and how long to ask; None for `READS`."""

    @property
    def retry(self) -> Retry:
        """How often and how long to ask."""
        from iqm_spec.server_api.retry import READS, Retry

        return Retry(self.policy or READS, self.tell)

    def aliases(self) -> tuple[str, ...]:
        """Aliases of the quantum computers that the server lists."""
        from iqm_spec.server_api.computers import list_computers

        if self._aliases is None:
            self._aliases = list_computers(self.session.connection, self.retry)
        return tuple(computer.alias for computer in self._aliases)

    def architecture(self, alias: str, calibration_set: str = "default") -> ArchitectureRead:
        """The architecture of a computer under a calibration set; Refused for an unknown alias."""
        from iqm_spec.server_api.computers import find_computer, read_architecture

        key = alias, calibration_set
        if key not in self._architectures:
            self.aliases()
            find_computer(self._aliases or (), alias)
            self._architectures[key] = read_architecture(
                self.session.connection, alias, calibration_set, self.retry
            )
        return self._architectures[key]

    def error_profile(self, alias: str, calibration_set: str = "default") -> ErrorProfile:
        """The error profile made of a computer's quality metrics; ValueError without enough."""
        from iqm_spec.server_api.computers import read_error_profile

        key = alias, calibration_set
        if key not in self._profiles:
            read = self.architecture(alias, calibration_set)
            self._profiles[key] = read_error_profile(self.session.connection, read, self.retry)
        return self._profiles[key]

    def offer(self, alias: str) -> ComputerInfo:
        """What a computer offers now."""
        from iqm_spec.server_api.computers import read_computer_info

        if alias not in self._offers:
            self._offers[alias] = read_computer_info(self.session.connection, alias, self.retry)
        return self._offers[alias]

    def bounds(self, aliases: Iterable[str]) -> dict[str, Bounds]:
        """What each computer takes in one job."""
        offers = {alias: self.offer(alias) for alias in aliases}
        return {
            alias: Bounds(
                circuits=offer.max_circuits,
                shots=offer.max_shots,
                executions=offer.max_executions,
                instructions=offer.max_instructions,
            )
            for alias, offer in offers.items()
        }

    def prices(self, aliases: Iterable[str]) -> dict[str, float]:
        """Credits per second of those computers whose server tells."""
        told = {alias: self.offer(alias).price_per_second for alias in aliases}
        return {alias: float(price) for alias, price in told.items() if price is not None}

    def slot_seconds(self, alias: str) -> float | None:
        """Seconds that are left of the booked timeslots of a computer; None where not told."""
        booked = self.offer(alias).booked
        if booked is None:
            return None
        now = datetime.now(UTC)
        return sum(max(0.0, (slot.end - max(now, slot.start)).total_seconds()) for slot in booked)


def machine_notes(offers: Iterable[ComputerInfo]) -> Iterator[str]:
    """Machines whose server says that they are not online, or not healthy."""
    for offer in offers:
        if offer.is_online is False:
            status = offer.operational_status
            yield f"{offer.alias} is not online (`{status}`): jobs wait until the machine is back"
        if offer.healthy is False:
            yield f"{offer.alias} is not healthy, its server says: jobs may wait or fail"

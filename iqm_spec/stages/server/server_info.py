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
    from iqm_spec.calibration.calibration_set import CalibrationSet
    from iqm_spec.server_api.computers import ArchitectureRead, Computer, ComputerInfo
    from iqm_spec.server_api.connection import Connection
    from iqm_spec.server_api.retry import Retry, RetryPolicy
    from iqm_spec.targets import ErrorProfile


EMULATOR = "emulator"
"""Server id of the built-in emulator."""


@frozen(slots=False)
class Session:
    """A server and how to reach it. Results of one server are never cache hits at another.

    Nothing is requested, and no emulator is started, before `connection`
    is read. `is_emulator` says whether a program stands for the quantum computers; it may ask the
    server.
    """

    server_id: str
    connect: Callable[[], Connection]
    is_emulator: Callable[[], bool]

    @cached_property
    def connection(self) -> Connection:
        """The connection to the server."""
        return self.connect()

    @cached_property
    def emulated(self) -> bool:
        """Whether a program stands for the quantum computers."""
        return self.server_id == EMULATOR or self.is_emulator()


def computer_of(stage: StageName, target: str) -> str:
    """The quantum computer that a target means in a stage."""
    return f"{target}:mock" if stage is StageName.MOCK else target


@define
class ServerInfo:
    """Answers of one server, each requested once. Unreachable where none comes within `policy`.

    `report_pause(why, seconds)` is called before a request is repeated.
    """

    session: Session
    report_pause: Callable[[str, float], None] = lambda why, seconds: None
    _aliases: tuple[Computer, ...] | None = None
    _architectures: dict[tuple[str, str], ArchitectureRead] = field(factory=dict)
    _profiles: dict[tuple[str, str], ErrorProfile] = field(factory=dict)
    _calibration_sets: dict[tuple[str, str], CalibrationSet] = field(factory=dict)
    _computer_infos: dict[str, ComputerInfo] = field(factory=dict)
    policy: RetryPolicy | None = None
    """How often and how long to ask; None for `READS`."""

    @property
    def retry(self) -> Retry:
        """How often and how long to ask."""
        from iqm_spec.server_api.retry import READS, Retry

        return Retry(self.policy or READS, self.report_pause)

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

    def calibration_set(
        self, alias: str, calibration_set: str = "default", *, required: bool
    ) -> CalibrationSet:
        """The figures of a calibration set; ValueError where the server does not give them.

        Where they are not `required`, they are asked for once.
        """
        from iqm_spec.calibration.stored import read_figures
        from iqm_spec.server_api.retry import SINGLE_READ, Retry

        key = alias, calibration_set
        if key not in self._calibration_sets:
            read = self.architecture(alias, calibration_set)
            retry = self.retry if required else Retry(SINGLE_READ)
            self._calibration_sets[key] = read_figures(self.session.connection, read, retry)
        return self._calibration_sets[key]

    def computer_info(self, alias: str) -> ComputerInfo:
        """Limits, prices and state of a computer, as the server reports them."""
        from iqm_spec.server_api.computers import read_computer_info

        if alias not in self._computer_infos:
            self._computer_infos[alias] = read_computer_info(
                self.session.connection, alias, self.retry
            )
        return self._computer_infos[alias]

    def bounds(self, aliases: Iterable[str]) -> dict[str, Bounds]:
        """What each computer takes in one job."""
        infos = {alias: self.computer_info(alias) for alias in aliases}
        return {
            alias: Bounds(
                circuits=info.max_circuits,
                shots=info.max_shots,
                executions=info.max_executions,
                instructions=info.max_instructions,
            )
            for alias, info in infos.items()
        }

    def prices(self, aliases: Iterable[str]) -> dict[str, float]:
        """Credits per second by computer, of those whose price the server reports."""
        prices = {alias: self.computer_info(alias).price_per_second for alias in aliases}
        return {alias: float(price) for alias, price in prices.items() if price is not None}

    def slot_seconds(self, alias: str) -> float | None:
        """Seconds that are left of the booked timeslots of a computer; None where not reported."""
        booked = self.computer_info(alias).booked
        if booked is None:
            return None
        now = datetime.now(UTC)
        return sum(max(0.0, (slot.end - max(now, slot.start)).total_seconds()) for slot in booked)


def machine_notes(infos: Iterable[ComputerInfo]) -> Iterator[str]:
    """A message for each computer that the server reports as not online, or not healthy."""
    for info in infos:
        if info.is_online is False:
            status = info.operational_status
            yield f"{info.alias} is not online (`{status}`): jobs wait until the machine is back"
        if info.healthy is False:
            yield f"{info.alias} is not healthy according to its server: jobs may wait or fail"

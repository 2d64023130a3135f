"""What the server's machines take and how they are set, read once per command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from iqm_spec.stages.server.batch import Bounds
from iqm_spec.stages.server.desk import Session

if TYPE_CHECKING:
    from iqm_spec.server.computers import ArchitectureRead, Computer
    from iqm_spec.server.patience import Patience

PATIENCE_SECONDS = 60.0
"""Reads before a submission are tried for so long; then the server counts as unreachable."""


@define
class Counter:
    """Answers of one server, each asked for once. Unreachable after a minute without an answer.

    `tell(why, seconds)` hears of every pause before something is asked again.
    """

    session: Session
    tell: Callable[[str, float], None] = lambda why, seconds: None
    _aliases: tuple[Computer, ...] | None = None
    _architectures: dict[tuple[str, str], ArchitectureRead] = field(factory=dict)
    _bounds: dict[str, Bounds] = field(factory=dict)

    @property
    def patience(self) -> Patience:
        """How long to try."""
        from iqm_spec.server.patience import Patience

        return Patience(total=PATIENCE_SECONDS, tell=self.tell)

    def aliases(self) -> tuple[str, ...]:
        """Aliases of the quantum computers that the server lists."""
        from iqm_spec.server.computers import list_computers

        if self._aliases is None:
            self._aliases = list_computers(self.session.connection, self.patience)
        return tuple(computer.alias for computer in self._aliases)

    def architecture(self, alias: str, calibration_set: str = "default") -> ArchitectureRead:
        """The architecture of a computer under a calibration set; Refused for an unknown alias."""
        from iqm_spec.server.computers import find_computer, read_architecture

        key = alias, calibration_set
        if key not in self._architectures:
            self.aliases()
            find_computer(self._aliases or (), alias)
            self._architectures[key] = read_architecture(
                self.session.connection, alias, calibration_set, self.patience
            )
        return self._architectures[key]

    def bounds(self, aliases: Iterable[str]) -> dict[str, Bounds]:
        """What each computer takes in one job."""
        from iqm_spec.server.computers import read_offer

        for alias in aliases:
            if alias not in self._bounds:
                offer = read_offer(self.session.connection, alias, self.patience)
                self._bounds[alias] = Bounds(
                    circuits=offer.max_circuits,
                    shots=offer.max_shots,
                    executions=offer.max_executions,
                    instructions=offer.max_instructions,
                )
        return {alias: self._bounds[alias] for alias in aliases}

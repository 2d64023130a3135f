"""What every call of the API is given besides its request."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from iqm_spec.emulator.machines import Computer
from iqm_spec.emulator.messages import Ask, Rejected
from iqm_spec.emulator.options import Options
from iqm_spec.emulator.simulator import Simulator
from iqm_spec.emulator.state import State


@frozen
class Context:
    """The server's options, memory, simulator and computers."""

    options: Options
    state: State
    simulator: Simulator
    computers: Mapping[str, Computer]

    def computer(self, name: str | None) -> Computer:
        """The computer of this alias or id; 404 where there is none."""
        for computer in self.computers.values():
            if name in (computer.alias, computer.id):
                return computer
        raise Rejected(
            404, "quantum_computer_not_found", f"there is no quantum computer {str(name)[:64]}"
        )

    def computer_of(self, ask: Ask) -> Computer:
        """The computer in the request's address."""
        return self.computer(ask.alias)

    def dut_label(self, computer: Computer) -> str:
        """The label of a computer's chip."""
        return self.options.dut_labels.get(computer.alias, computer.dut_label)

    def resonance_only(self) -> None:
        """404 on premises, where the call does not exist."""
        if self.options.on_premises:
            raise Rejected(404, "not_found", "this server has no such call")

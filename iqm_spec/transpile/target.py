"""An architecture as Qiskit's `Target`, without resonators.

On a star two qubits that share a resonator can do a CZ: MOVE one of them into the resonator, CZ
the other with it, MOVE back. Qiskit sees that as a CZ between the two; `moves` makes it real.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from iqm_spec.targets import Architecture, features
from iqm_spec.transpile.conditions import conditional_r
from iqm_spec.transpile.writes import early_measure

if TYPE_CHECKING:
    from qiskit.transpiler import Target


def cz_pairs(architecture: Architecture) -> tuple[tuple[str, str], ...]:
    """Qubit pairs that can do a CZ, directly or through a resonator (both ways round then)."""
    qubits = set(architecture.qubits)
    loci = architecture.gates.get("cz", ())
    pairs = {(a, b): None for a, b in loci if a in qubits and b in qubits}
    for one, shared in loci:
        for other, resonator in architecture.gates.get("move", ()):
            if shared == resonator and one != other and one in qubits:
                pairs |= {(one, other): None, (other, one): None}
    return tuple(pairs)


@lru_cache(maxsize=32)
def target_of(architecture: Architecture) -> Target:
    """Qiskit's view of the machine: qubit i is `architecture.qubits[i]`; no error rates."""
    from qiskit.circuit import Delay, Parameter, Reset
    from qiskit.circuit.library import CZGate, IGate, Measure, RGate
    from qiskit.transpiler import Target

    index = {name: i for i, name in enumerate(architecture.qubits)}
    every = {(i,): None for i in index.values()}
    target = Target(num_qubits=len(index))
    target.add_instruction(IGate(), dict(every))
    target.add_instruction(Delay(0), dict(every))
    target.add_instruction(Measure(), dict(every))
    target.add_instruction(early_measure(), dict(every))
    target.add_instruction(RGate(Parameter("theta"), Parameter("phi")), dict(every))
    if "reset" in features(architecture):
        loci = architecture.gates.get("reset") or architecture.gates["cc_prx"]
        target.add_instruction(Reset(), {(index[qubit],): None for (qubit,) in loci})
    if "if_else" in features(architecture):
        conditional = conditional_r(Parameter("theta"), Parameter("phi"))
        loci = architecture.gates["cc_prx"]
        target.add_instruction(conditional, {(index[qubit],): None for (qubit,) in loci})
    if pairs := cz_pairs(architecture):
        target.add_instruction(CZGate(), {(index[a], index[b]): None for a, b in pairs})
    return target
